/**
 * Laws: what packets meet is what the tables say, for any tables, at any moment of a change.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { changeBetween, nodeState, sixOf, type FixtureCluster } from '../__fixtures__/cluster.js';
import { randomCluster } from '../__fixtures__/random-cluster.js';
import { freshLocal, tablesOf, withProbe, worldOf } from '../__fixtures__/world.js';
import { renderDiff } from '../ipvs/render.js';
import type { RenderedStep } from '../render/rendered.js';
import { buildTables } from '../table/build.js';
import { diffTables } from '../table/diff.js';
import { planNodeLocal } from '../table/node-local-plan.js';
import { familyOf } from '../table/ip.js';
import type { IngressPort, NodeTables, VipTable } from '../table/node-tables.js';
import { renderNode } from '../ipvs/render.js';
import { connect, type ConnectResult, type PacketOrigin } from './send.js';
import type { World } from './world.js';

const PROBE: PacketOrigin = { node: 'node1', namespace: 'task_probe' };
const OUTSIDE = { 4: '203.0.113.7', 6: '2001:db8::7' } as const;
const FAMILIES = ['ipv4', 'dual', 'ipv6'] as const;
const RANDOM = { isStrict: true, families: FAMILIES, hasMaglev: true } as const;

/** Enough connections for every backend to have its turn, whatever its weight. */
function tries(vip: VipTable): number {
  return vip.backends.reduce((sum, { weight }) => sum + weight, 0) * 2 + 1;
}

/** Somebody outside, and a node's address, in the family of a virtual address. */
function fromOutside(
  virtual: string,
  underlay: string,
): { readonly from: PacketOrigin; readonly destination: string } {
  const family = familyOf(virtual);
  return {
    from: { outside: OUTSIDE[family] },
    destination: family === 4 ? underlay : sixOf(underlay),
  };
}

function virtualAddresses(port: IngressPort): readonly string[] {
  const { virtualAddress, virtualAddress6 } = port;
  return virtualAddress6 === undefined ? [virtualAddress] : [virtualAddress, virtualAddress6];
}

function reached(results: readonly ConnectResult[]): readonly string[] {
  return [...new Set(results.flatMap(({ delivered }) => delivered?.taskId ?? []))].sort();
}

function expectBackends(vip: VipTable, results: readonly ConnectResult[]): void {
  const serving = vip.backends.filter(({ weight }) => weight > 0);
  const expected = serving.map(({ taskId }) => taskId).sort();
  if (expected.length === 0) {
    for (const { reason } of results) expect(reason).toBe('no backend takes connections');
    return;
  }
  for (const result of results)
    expect([result.outcome, result.reason]).toEqual(['answered', undefined]);
  if (vip.algorithm === 'source-hash' || vip.algorithm === 'maglev') {
    expect(reached(results)).toHaveLength(1);
    expect(expected).toEqual(expect.arrayContaining([...reached(results)]));
  } else {
    expect(reached(results)).toEqual(expected);
  }
}

function ask(
  world: World,
  from: PacketOrigin,
  vip: VipTable,
  to: Pick<Parameters<typeof connect>[1], 'destination' | 'destinationPort' | 'protocol'>,
): readonly ConnectResult[] {
  // Least connections only moves on while connections stay.
  const staysOpen = vip.algorithm === 'least-connections';
  return Array.from({ length: tries(vip) }, () => connect(world, { from, ...to, staysOpen }));
}

describe('laws', () => {
  it('connections to a VIP reach exactly the backends of its table, on any port', () => {
    fc.assert(
      fc.property(
        randomCluster(RANDOM),
        fc.integer({ min: 1, max: 65_535 }),
        fc.constantFrom('tcp' as const, 'udp' as const, 'sctp' as const),
        (drawn, destinationPort, protocol) => {
          const cluster = withProbe(drawn);
          const world = worldOf(cluster);
          for (const network of tablesOf(cluster, 'node1').networks.values()) {
            if (network.isIngress) continue;
            for (const vip of network.vips.values()) {
              const to = { destination: vip.address, destinationPort, protocol };
              const results = ask(world, PROBE, vip, to);
              expectBackends(vip, results);
              for (const { delivered } of results) {
                if (delivered !== undefined) expect(delivered.port).toBe(destinationPort);
              }
            }
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('connections to a published port of any node reach exactly its backends', () => {
    fc.assert(
      fc.property(randomCluster(RANDOM), (drawn) => {
        const cluster = withProbe(drawn);
        for (const node of cluster.nodes) {
          const tables = tablesOf(cluster, node.id);
          for (const ingress of tables.host.ingressPorts.values()) {
            const { networkId, protocol, publishedPort } = ingress;
            // Ports of a service share the loads of its backends, where one connection of tcp
            // outweighs 256 of udp: each port is asked before any other was.
            const world = worldOf(cluster);
            for (const virtual of virtualAddresses(ingress)) {
              const vip = tables.networks.get(networkId)?.vips.get(virtual);
              if (vip === undefined) throw new Error('a port without its VIP');
              const { from, destination } = fromOutside(virtual, node.underlay);
              const to = { destination, destinationPort: publishedPort, protocol };
              const results = ask(world, from, vip, to);
              expectBackends(vip, results);
              for (const { delivered } of results) {
                if (delivered !== undefined) expect(delivered.port).toBe(80);
              }
            }
          }
          const unknown = connect(worldOf(cluster), {
            ...fromOutside('', node.underlay),
            destinationPort: 9999,
          });
          expect(unknown.outcome).toBe('refused');
        }
      }),
      { numRuns: 30 },
    );
  });

  it('no prefix of a difference leads to a backend that is in neither table, or removed', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FAMILIES),
        randomCluster({ isStrict: true }),
        randomCluster({ isStrict: true }),
        (families, one, two) => {
          const [first, second] = [one, two].map((drawn) => ({ ...withProbe(drawn), families }));
          if (first === undefined || second === undefined) throw new Error('two were drawn');
          const [before, after] = consecutive(first, second);
          const steps = renderDiff(diffTables(before, after)).flatMap(singleCommands);
          const isTaken = steps.findLastIndex((step) => takesAway(step));
          const world = worldOf(first);
          world.setNode('node1', renderNode(before));
          for (const [index, step] of steps.entries()) {
            world.apply('node1', [step]);
            expectOnlyKnown(world, before, after, index >= isTaken);
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});

/** Tables of node1 for two clusters, the second made from the first. */
function consecutive(first: FixtureCluster, second: FixtureCluster): [NodeTables, NodeTables] {
  const a = nodeState(first, 'node1', 1);
  const b = nodeState(second, 'node1', 2);
  const local = planNodeLocal(freshLocal(first, 'node1'), a);
  const next = planNodeLocal(local, b, changeBetween(a, b));
  return [buildTables(a, local), buildTables(b, next)];
}

/** The commands at whose boundaries a dataplane could stop: iptables applies a text at once. */
function singleCommands(step: RenderedStep): readonly RenderedStep[] {
  return step.tool.endsWith('tables')
    ? [step]
    : step.lines.map((line) => ({ ...step, lines: [line] }));
}

const takesAway = ({ lines }: RenderedStep): boolean =>
  lines.some((line) => /^(-d|-D|-e .* -w 0$|link delete)/.test(line)) && lines[0] !== '*mangle';

/** Asks for every VIP and published port of both tables and looks at the backends chosen. */
function expectOnlyKnown(
  world: World,
  before: NodeTables,
  after: NodeTables,
  isTaken: boolean,
): void {
  for (const tables of [before, after]) {
    for (const network of tables.networks.values()) {
      for (const vip of network.vips.values()) {
        const allowed = (content: NodeTables): readonly string[] =>
          (content.networks.get(network.id)?.vips.get(vip.address)?.backends ?? [])
            .filter(({ weight }) => weight > 0)
            .map(({ address }) => address);
        const isKnown = new Set([...(isTaken ? [] : allowed(before)), ...allowed(after)]);
        for (const to of targets(tables, vip, network.isIngress)) {
          for (let i = 0; i < 3; i += 1) {
            for (const chosen of chosenBackends(world, to)) {
              expect(isKnown).toContain(chosen);
            }
          }
        }
      }
    }
  }
}

function targets(
  tables: NodeTables,
  vip: VipTable,
  isIngress: boolean,
): readonly Parameters<typeof connect>[1][] {
  if (!isIngress) return [{ from: PROBE, destination: vip.address, destinationPort: 80 }];
  return tables.host.ingressPorts
    .values()
    .filter((port) => virtualAddresses(port).includes(vip.address))
    .map(({ protocol, publishedPort }) => ({
      ...fromOutside(vip.address, '192.168.50.11'),
      destinationPort: publishedPort,
      protocol,
    }));
}

function chosenBackends(world: World, to: Parameters<typeof connect>[1]): readonly string[] {
  if (!world.node('node1').namespaces.has('task_probe')) return [];
  return connect(world, to)
    .hops.filter(({ hook, action }) => hook === 'balance' && action === 'backend')
    .map(({ text }) => /-> \[?([\da-f.:]+?)\]?:\d+$/.exec(text)?.[1] ?? '');
}
