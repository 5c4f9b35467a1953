/**
 * What a change costs, how it is cut into transactions, and when services change their form.
 */
import { describe, expect, it } from '@jest/globals';
import type { BalancingAlgorithm } from '@skep/api';
import fc from 'fast-check';

import { changeBetween, nodeState, type FixtureCluster } from '../__fixtures__/cluster.js';
import { freshLocal } from '../__fixtures__/world.js';
import { connect } from '../interpreter/send.js';
import { World } from '../interpreter/world.js';
import type { RenderedStep } from '../render/rendered.js';
import { buildTables } from '../table/build.js';
import { diffTables } from '../table/diff.js';
import { planNodeLocal } from '../table/node-local-plan.js';
import type { NodeTables } from '../table/node-tables.js';
import { updateTables } from '../table/update.js';
import { renderNftables, renderNftablesChunks, renderNftablesDiff } from './render.js';
import { TURN_SERVICES_MAX } from './service.js';
import { TRANSACTION_SERVICES_MAX } from './transaction.js';

const at = (number: number): string =>
  `10.${1 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;

/** One overlay with so many services; the first of them has this many backends. */
function clusterOf(
  services: number,
  backends: number,
  algorithm?: BalancingAlgorithm,
): FixtureCluster {
  const numbers = Array.from({ length: services }, (_, number) => number);
  return {
    nodes: [{ id: 'node1', underlay: '192.168.50.11' }],
    networks: [
      {
        id: 'net',
        subnet: '10.0.0.0/8',
        gateway: '10.0.0.1',
        vxlanId: 4097,
        balancers: { node1: '10.0.0.2' },
      },
    ],
    services: numbers.map((number) => ({
      id: `s${number}`,
      order: number,
      vips: { net: at(number) },
      ...(algorithm === undefined ? {} : { algorithm }),
    })),
    tasks: [
      ...Array.from({ length: backends }, (_, number) => ({
        id: `first${number}`,
        service: 's0',
        node: 'node1',
        addresses: { net: `10.200.0.${10 + number}` },
      })),
      ...numbers.slice(1).map((number) => ({
        id: `t${number}`,
        service: `s${number}`,
        node: 'node1',
        addresses: { net: at(number).replace(/^10\.(\d+)/, '10.10$1') },
      })),
    ],
  };
}

interface Change {
  readonly before: NodeTables;
  readonly after: NodeTables;
  readonly steps: readonly RenderedStep[];
}

function changeOf(first: FixtureCluster, second: FixtureCluster): Change {
  // Only slices and services change; tasks stay where they are.
  const a = nodeState(first, 'node1', 1);
  const b = { ...nodeState(second, 'node1', 2), tasks: a.tasks };
  const local = planNodeLocal(freshLocal(first, 'node1'), a);
  const before = buildTables(a, local);
  const change = changeBetween(a, b);
  const after = updateTables(before, b, change, planNodeLocal(local, b, change));
  return { before, after, steps: renderNftablesDiff(diffTables(before, after)) };
}

/** Keys of elements and names of chains that a text names. */
function touched(steps: readonly RenderedStep[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { tool, lines } of steps) {
    if (tool !== 'nft') continue;
    for (const line of lines) {
      const [, set, content] = /^\w+ element inet skep (\S+) \{ (.*) \}$/.exec(line) ?? [];
      if (set === undefined) found.add(line.split(' ')[4] ?? '');
      for (const element of content?.split(', ') ?? []) {
        found.add(`${set ?? ''} ${element.split(' : ')[0] ?? ''}`);
      }
    }
  }
  return found;
}

/** Slots of the first service that belong to somebody else afterwards. */
function moved({ before, after }: Change): number {
  const slots = (tables: NodeTables): ReadonlyMap<string, string> => {
    const world = new World();
    world.addNode({ name: 'node1', address: '192.168.50.11/24' });
    world.setNode('node1', renderNftables(tables));
    const { nft } = world.namespace('node1', '1-net').config;
    const elements = nft.tables.get('inet skep')?.sets.get('slots4')?.elements ?? new Map();
    return new Map([...elements].map(([key, value]) => [key, String(value)]));
  };
  const [old, now] = [slots(before), slots(after)];
  return [...new Set([...old.keys(), ...now.keys()])].filter((key) => old.get(key) !== now.get(key))
    .length;
}

describe('one backend more or less', () => {
  it.each([
    [100, 2, 3],
    [100, 3, 2],
    [300, 2, 3],
    [300, 40, 41],
    [300, 41, 40],
    [300, 1, 0],
  ])('of %i services, %i to %i, touches no more than its slots and 2', (services, from, to) => {
    const change = changeOf(clusterOf(services, from), clusterOf(services, to));
    const count = touched(change.steps).size;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(moved(change) + 2);
  });

  it('is the same text however many services there are', () => {
    const text = (services: number): string =>
      JSON.stringify(changeOf(clusterOf(services, 3), clusterOf(services, 2)).steps);
    expect(text(600)).toBe(text(300));
  });
});

describe('transactions', () => {
  it('of a cold start hold at most so many services, and together all', () => {
    const services = 2 * TRANSACTION_SERVICES_MAX + 5;
    const { before } = changeOf(clusterOf(services, 1), clusterOf(services, 1));
    const counts = renderNftablesChunks(before)
      .filter(({ tool, namespace }) => tool === 'nft' && namespace.name === '1-net')
      .map((step) => [...touched([step])].filter((key) => key.startsWith('vips4 ')).length);
    expect(counts).toEqual([TRANSACTION_SERVICES_MAX, TRANSACTION_SERVICES_MAX, 5]);
  });

  it('those that lose backends come first', () => {
    const many = TRANSACTION_SERVICES_MAX + 10;
    const before = clusterOf(many, 2);
    const after = clusterOf(many, 1);
    // Every other service gets a second backend, and the first one loses one.
    const more = before.services.slice(1).map((service, index) => ({
      id: `more${index}`,
      service: service.id,
      node: 'node2',
      addresses: { net: at(index).replace(/^10\.(\d+)/, '10.15$1') },
    }));
    const { steps } = changeOf(before, { ...after, tasks: [...after.tasks, ...more] });
    const transactions = steps.filter(({ tool }) => tool === 'nft');
    expect(transactions.length).toBeGreaterThan(1);
    expect(touched(transactions.slice(0, 1))).toContain(`vips4 ${at(0)}`);
  });
});

describe('while a transaction comes into force', () => {
  /** The rules as they were, and the sets as they are: what a packet may see that is under way. */
  function halfWay({ before, steps }: Change): World {
    const world = new World();
    world.addNode({ name: 'node1', address: '192.168.50.11/24' });
    world.setNode('node1', renderNftables(before));
    for (const step of steps) {
      if (step.tool !== 'nft') continue;
      // A chain that an element leads to has to be there.
      const lines = step.lines.filter((line) => /^(?:add|delete) element |^add chain /.test(line));
      world.apply('node1', [{ ...step, lines }]);
    }
    return world;
  }

  const sizes = fc.integer({ min: 1, max: 45 });
  const algorithms = fc.constantFrom('round-robin', 'source-hash', 'maglev');

  it.each([
    ['in turn', 2, 2, 20],
    ['at random', TURN_SERVICES_MAX + 1, TURN_SERVICES_MAX + 1, 3],
    ['in turn, and then at random', TURN_SERVICES_MAX, TURN_SERVICES_MAX + 1, 3],
    ['at random, and then in turn', TURN_SERVICES_MAX + 1, TURN_SERVICES_MAX, 3],
  ])('%s: a backend of either table gets each connection', (...draw) => {
    const [, services, servicesAfter, numRuns] = draw;
    fc.assert(
      fc.property(sizes, sizes, algorithms, (from, to, algorithm) => {
        const change = changeOf(
          clusterOf(services, from, algorithm),
          clusterOf(servicesAfter, to, algorithm),
        );
        const known = [change.before, change.after].flatMap(
          ({ networks }) => networks.get('net')?.vips.get(at(0))?.backends ?? [],
        );
        const addresses = new Set(known.map(({ address }) => address));
        const world = halfWay(change);
        for (let count = 0; count < 2 * from; count += 1) {
          const { hops } = connect(world, {
            from: { node: 'node1', namespace: 'task_t1' },
            destination: at(0),
            destinationPort: 80,
          });
          const [chosen] = hops.flatMap(({ action }) => /^dnat to (\S+)$/.exec(action)?.[1] ?? []);
          expect(addresses).toContain(chosen);
        }
      }),
      { numRuns },
    );
  });
});

describe('from turns to random draws and back', () => {
  const few = clusterOf(TURN_SERVICES_MAX, 2);
  const many = clusterOf(TURN_SERVICES_MAX + 1, 2);

  it.each([
    ['one service too many', few, many],
    ['one service less', many, few],
  ])('%s: one transaction, and nobody is lost', (_name, first, second) => {
    const { before, steps } = changeOf(first, second);
    const world = new World();
    world.addNode({ name: 'node1', address: '192.168.50.11/24' });
    world.setNode('node1', renderNftables(before));
    const ask = (sourcePort: number) =>
      connect(world, {
        from: { node: 'node1', namespace: 'task_t1' },
        destination: at(0),
        destinationPort: 80,
        sourcePort,
        staysOpen: true,
      });
    const known = [40_001, 40_002, 40_003].map((port) => ask(port).delivered?.taskId);
    expect(steps.filter(({ tool }) => tool === 'nft')).toHaveLength(1);
    for (const [index, step] of steps.entries()) {
      world.apply('node1', [step]);
      expect(ask(41_000 + index).outcome).toBe('answered');
    }
    // Connections that were there stay where they were.
    expect([40_001, 40_002, 40_003].map((port) => ask(port).delivered?.taskId)).toEqual(known);
  });
});

describe('fairness', () => {
  function shares(services: number, weights: readonly number[], count: number): readonly number[] {
    const cluster = clusterOf(services, weights.length);
    const tasks = cluster.tasks.map((task) => {
      const number = /^first(\d+)$/.exec(task.id)?.[1];
      return number === undefined ? task : { ...task, weight: weights[Number(number)] ?? 1 };
    });
    const { before } = changeOf({ ...cluster, tasks }, { ...cluster, tasks });
    const world = new World();
    world.addNode({ name: 'node1', address: '192.168.50.11/24' });
    world.setNode('node1', renderNftables(before));
    const hits = weights.map(() => 0);
    for (let i = 0; i < count; i += 1) {
      // A second service under load takes nobody's turn.
      for (const destination of [at(0), at(1)]) {
        const { delivered } = connect(world, {
          from: { node: 'node1', namespace: 'task_t1' },
          destination,
          destinationPort: 80,
        });
        const number = /^first(\d+)$/.exec(delivered?.taskId ?? '')?.[1];
        if (number !== undefined) hits[Number(number)] = (hits[Number(number)] ?? 0) + 1;
      }
    }
    return hits;
  }

  it.each([
    [[1, 1, 1], 100],
    [[3, 1], 50],
    [[5, 2, 1], 60],
  ])('in turn, weights %j get their due of %i, more or less one', (weights, count) => {
    const sum = weights.reduce((total, weight) => total + weight, 0);
    for (const [position, hits] of shares(2, weights, count).entries()) {
      expect(Math.abs(hits - (count * (weights[position] ?? 0)) / sum)).toBeLessThanOrEqual(1);
    }
  });

  it('at random, within four standard deviations', () => {
    const count = 200;
    const weights = [1, 1, 2];
    for (const [position, hits] of shares(TURN_SERVICES_MAX + 1, weights, count).entries()) {
      const share = (weights[position] ?? 0) / 4;
      const deviation = Math.sqrt(count * share * (1 - share));
      expect(Math.abs(hits - count * share)).toBeLessThan(4 * deviation);
    }
  });
});
