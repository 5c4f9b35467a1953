/**
 * Laws of the renderer `nftables`: packets through its text reach what the table says and what the
 * text of the renderer `ipvs` reaches; a difference makes the same as the whole text.
 */
import { describe, expect, it } from '@jest/globals';
import { isEqual } from '@skep/api';
import fc from 'fast-check';

import { changeBetween, nodeState, sixOf, type FixtureCluster } from '../__fixtures__/cluster.js';
import { randomCluster } from '../__fixtures__/random-cluster.js';
import { freshLocal, tablesOf, withProbe, worldOf } from '../__fixtures__/world.js';
import { nodeView } from '../__fixtures__/world-view.js';
import type { PacketProtocol } from '../interpreter/packet.js';
import { connect, type ConnectResult, type PacketOrigin } from '../interpreter/send.js';
import { World } from '../interpreter/world.js';
import { buildTables } from '../table/build.js';
import { diffTables } from '../table/diff.js';
import { isIpv6 } from '../table/ip.js';
import { planNodeLocal } from '../table/node-local-plan.js';
import type { NodeTables } from '../table/node-tables.js';
import { updateTables } from '../table/update.js';
import { expectedBackends, type TablePacket } from './expected.js';
import { renderNftables, renderNftablesChunks, renderNftablesDiff } from './render.js';

const FAMILIES = ['ipv4', 'dual', 'ipv6'] as const;
const OUTSIDE = { 4: '203.0.113.7', 6: '2001:db8::7' } as const;
const PROBE = { node: 'node1', namespace: 'task_probe' };

function nftWorld(cluster: FixtureCluster): World {
  const world = new World();
  for (const { id, underlay } of cluster.nodes) {
    world.addNode({ name: id, address: `${underlay}/24`, address6: `${sixOf(underlay)}/64` });
    world.setNode(id, renderNftables(tablesOf(cluster, id)));
  }
  return world;
}

interface Question {
  readonly tables: NodeTables;
  readonly packet: TablePacket;
  readonly from: PacketOrigin;
  /** Source that the receiver has to see. */
  readonly source?: string;
}

/** A question for every virtual address and published port that node1 and node2 know. */
function questions(
  cluster: FixtureCluster,
  drawn: { readonly port: number; readonly protocol: PacketProtocol },
): readonly Question[] {
  const tables = tablesOf(cluster, 'node1');
  const inside = tables.networks.values().flatMap((network) =>
    network.isIngress
      ? []
      : network.vips.values().map(({ address }): Question => ({
          tables,
          packet: {
            from: { networkId: network.id },
            destination: address,
            destinationPort: drawn.protocol === 'icmp' ? 0 : drawn.port,
            protocol: drawn.protocol,
          },
          from: PROBE,
        })),
  );
  const published = cluster.nodes.flatMap(({ id, underlay }) => {
    const own = tablesOf(cluster, id);
    return own.host.ingressPorts.values().flatMap((port): readonly Question[] => {
      const virtuals = [port.virtualAddress, port.virtualAddress6];
      return virtuals.flatMap((virtual) => {
        if (virtual === undefined) return [];
        const source = OUTSIDE[isIpv6(virtual) ? 6 : 4];
        return [
          {
            tables: own,
            packet: {
              from: 'outside',
              destination: isIpv6(virtual) ? sixOf(underlay) : underlay,
              destinationPort: port.publishedPort,
              protocol: port.protocol,
            },
            from: { outside: source },
            source,
          },
        ];
      });
    });
  });
  return [...inside, ...published];
}

function ask(world: World, { from, packet }: Question, count: number): readonly ConnectResult[] {
  const { destination, destinationPort, protocol } = packet;
  return Array.from({ length: count }, () =>
    connect(world, { from, destination, destinationPort, protocol }),
  );
}

const reached = (results: readonly ConnectResult[]): readonly string[] =>
  [...new Set(results.flatMap(({ delivered }) => delivered?.taskId ?? []))].sort();

describe('packets through nft text', () => {
  it('reach what the table says, as through ipvs text, and keep the source', () => {
    fc.assert(
      fc.property(
        randomCluster({ isStrict: true, families: FAMILIES }),
        fc.record({
          port: fc.integer({ min: 1, max: 65_535 }),
          protocol: fc.constantFrom<PacketProtocol>('tcp', 'udp', 'sctp', 'icmp'),
        }),
        (drawn, packet) => {
          const cluster = withProbe(drawn);
          const worlds = { nft: nftWorld(cluster), ipvs: worldOf(cluster) };
          for (const question of questions(cluster, packet)) expectAnswer(worlds, question);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('what no service has is answered as on a host without us', () => {
    const world = nftWorld(withProbe(fc.sample(randomCluster({ isStrict: true }), 1)[0] as never));
    const result = connect(world, {
      from: { outside: OUTSIDE[4] },
      destination: '192.168.50.11',
      destinationPort: 9999,
    });
    expect(result.outcome).toBe('refused');
  });
});

function expectAnswer(worlds: Readonly<Record<'nft' | 'ipvs', World>>, question: Question): void {
  const expected = expectedBackends(question.tables, question.packet);
  if (expected.type !== 'backends') {
    const [result] = ask(worlds.nft, question, 1);
    const isAnswered = result?.delivered?.address === question.packet.destination;
    expect([expected.type, isAnswered, reached(result === undefined ? [] : [result])]).toEqual([
      expected.type,
      expected.type === 'balancer',
      [],
    ]);
    // Nobody waits for a connection that nobody will take.
    expect(result?.outcome).toBe('refused');
    return;
  }
  const weights = expected.vip.backends.reduce((sum, { weight }) => sum + weight, 0);
  const count = 2 * weights + 1;
  const results = ask(worlds.nft, question, count);
  const isHashed =
    ['source-hash', 'maglev'].includes(expected.vip.algorithm) ||
    expected.vip.affinity !== undefined;
  if (isHashed) expect(reached(results)).toHaveLength(1);
  else expect(reached(results)).toEqual(expected.taskIds);
  for (const result of results) {
    expect([result.outcome, result.reason]).toEqual(['answered', undefined]);
    expect(expected.taskIds).toContain(result.delivered?.taskId);
    expect(result.delivered?.port).toBe(expected.port);
    if (question.source !== undefined) {
      expect(result.delivered?.seenSource.address).toBe(question.source);
    }
  }
  const others = reached(ask(worlds.ipvs, question, count));
  expect(expected.taskIds).toEqual(expect.arrayContaining([...others]));
  const isSame = !isHashed && expected.vip.algorithm !== 'least-connections';
  if (isSame) expect(others).toEqual(reached(results));
}

describe('a difference', () => {
  const pair = fc
    .constantFrom(...FAMILIES)
    .chain((families) =>
      fc.tuple(
        randomCluster({ isStrict: true, families: [families] }),
        randomCluster({ isStrict: true, families: [families] }),
      ),
    )
    // A network that becomes internal is built anew, and everything in it.
    .map(([first, second]): [FixtureCluster, FixtureCluster] => {
      const isInternal = (id: string): boolean =>
        first.networks.some((network) => network.id === id && network.isInternal === true);
      const networks = second.networks.map((one) => ({ ...one, isInternal: isInternal(one.id) }));
      return [first, { ...second, networks }];
    });

  it('makes what the whole text makes', () => {
    fc.assert(
      fc.property(pair, (clusters) => {
        const [before, after] = consecutive(clusters);
        const [world, other] = [worldAt(before), worldAt(after)];
        world.apply('node1', renderNftablesDiff(diffTables(before, after)));
        expect(nodeView(world, 'node1')).toEqual(nodeView(other, 'node1'));
      }),
      { numRuns: 20 },
    );
  });

  it('at none of its steps leads to a backend that neither table has, or that is cut off', () => {
    fc.assert(
      fc.property(pair, (clusters) => {
        const [before, after] = consecutive(clusters);
        const steps = renderNftablesDiff(diffTables(before, after));
        const last = steps.findLastIndex(({ tool }) => tool === 'nft');
        const moved = movedAddresses(before, after);
        const world = worldAt(before);
        for (const [index, step] of steps.entries()) {
          world.apply('node1', [step]);
          expectOnlyKnown(world, index < last ? [before, after] : [after], moved);
        }
      }),
      { numRuns: 15 },
    );
  });
});

it('the chunks of a node that starts make what the whole text makes', () => {
  fc.assert(
    fc.property(randomCluster({ isStrict: true, families: FAMILIES }), (cluster) => {
      const tables = tablesOf(cluster, 'node1');
      const [world, other] = [emptyWorld(), worldAt(tables)];
      world.apply('node1', renderNftablesChunks(tables));
      expect(nodeView(world, 'node1')).toEqual(nodeView(other, 'node1'));
    }),
    { numRuns: 6 },
  );
});

function emptyWorld(): World {
  const world = new World();
  const address = '192.168.50.11';
  world.addNode({ name: 'node1', address: `${address}/24`, address6: `${sixOf(address)}/64` });
  return world;
}

function worldAt(tables: NodeTables): World {
  const world = emptyWorld();
  world.setNode('node1', renderNftables(tables));
  return world;
}

/** Tables of node1 for two clusters, the second made from the first. */
function consecutive([first, second]: readonly [FixtureCluster, FixtureCluster]): [
  NodeTables,
  NodeTables,
] {
  const [a, b] = [
    nodeState(withProbe(first), 'node1', 1),
    nodeState(withProbe(second), 'node1', 2),
  ];
  const change = changeBetween(a, b);
  const local = planNodeLocal(freshLocal(first, 'node1'), a);
  const before = buildTables(a, local);
  return [before, updateTables(before, b, change, planNodeLocal(local, b, change))];
}

/** Addresses of tasks whose place changes: real ones never do, and here they are made anew. */
function movedAddresses(before: NodeTables, after: NodeTables): ReadonlySet<string> {
  const ids = [...before.tasks.keys(), ...after.tasks.keys()];
  const moved = ids.filter((id) => {
    const [was, is] = [before.tasks.get(id), after.tasks.get(id)];
    return !isEqual([was?.endpoints, was?.gateway], [is?.endpoints, is?.gateway]);
  });
  const backends = [before, after].flatMap(({ networks }) =>
    networks.values().flatMap(({ vips }) => vips.values().flatMap((vip) => vip.backends)),
  );
  const isKept = (id: string): boolean =>
    [before, after].every(({ tasks }) => tasks.has(id)) ||
    [before, after].every(({ networks }) =>
      networks
        .values()
        .some(({ vips }) =>
          vips.values().some((vip) => vip.backends.some(({ taskId }) => taskId === id)),
        ),
    );
  return new Set(
    backends
      .filter(({ taskId }) => moved.includes(taskId) && isKept(taskId))
      .map(({ address }) => address),
  );
}

/** Asks every virtual address that a table has, and looks at whom the rules chose. */
function expectOnlyKnown(
  world: World,
  tables: readonly NodeTables[],
  moved: ReadonlySet<string>,
): void {
  if (!world.node('node1').namespaces.has('task_probe')) return;
  for (const content of tables) {
    for (const network of content.networks.values()) {
      if (network.isIngress) continue;
      for (const { address } of network.vips.values()) {
        const known = tables.flatMap(
          (one) => one.networks.get(network.id)?.vips.get(address)?.backends ?? [],
        );
        const allowed = known.filter(({ weight }) => weight > 0).map((one) => one.address);
        const result = connect(world, {
          from: PROBE,
          destination: address,
          destinationPort: 80,
        });
        for (const { action } of result.hops) {
          const chosen = /^dnat to (\S+)$/.exec(action)?.[1];
          if (chosen === undefined) continue;
          expect(allowed).toContain(chosen);
          // On this node there is a way to whoever is chosen.
          const isAway = result.hops.some(({ hook }) => hook === 'tunnel');
          if (!isAway && !moved.has(chosen))
            expect(result.reason ?? '').not.toMatch(/nobody on|no forwarding entry/);
        }
      }
    }
  }
}
