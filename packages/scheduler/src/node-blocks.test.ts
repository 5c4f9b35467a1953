import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@skep/api/virtual';
import { node, task } from './__fixtures__/builders.js';
import { ClusterState } from './cluster-state.js';
import type { NodeColumns } from './node-columns.js';
import type { NodeInfo } from './node-info.js';
import type { NodeBlocks } from './node-blocks.js';

const free = (info: NodeInfo): number => info.availableMemoryBytes;

function clusterOf(nodes: number): ClusterState {
  return new ClusterState({
    nodes: Array.from({ length: nodes }, (_, at) =>
      node({
        id: `n${at}`,
        labels: { zone: `z${at % 3}`, host: `h${at}` },
        resources: { cpuNanos: (1 + (at % 2)) * 4e9, memoryBytes: 8e9 },
      }),
    ),
  });
}

const membersOf = (blocks: NodeBlocks): readonly (readonly number[])[] =>
  Array.from({ length: blocks.positions }, (_, block) => [...blocks.members(block)]);

function expectWhole(columns: NodeColumns): void {
  const { blocks, size } = columns;
  const all = membersOf(blocks).flat();
  expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, at) => at));
  const { least, most } = columns.ranges(free);
  for (const [block, members] of membersOf(blocks).entries()) {
    expect(blocks.sizes[block]).toBe(members.length);
    if (members.length === 0) continue;
    expect(members).toEqual(members.toSorted((a, b) => a - b));
    expect(blocks.first(block)).toBe(members[0]);
    const values = members.map((at) => free(columns.nodes[at] as NodeInfo));
    expect([least[block], most[block]]).toEqual([Math.min(...values), Math.max(...values)]);
  }
}

describe('blocks of nodes', () => {
  it('hold every node once, and follow it wherever it goes', () => {
    const state = clusterOf(600);
    const random = seededRandom(7);
    expectWhole(state.columns);
    for (let at = 0; at < 3_000; at += 1) {
      const target = random.int(2) === 0 ? random.int(600) : random.int(9);
      const reservations = { cpuNanos: random.int(2e8), memoryBytes: random.int(2e8) };
      state.place(task({ id: `t${at}`, reservations }), `n${target}`);
      if (random.int(3) === 0) state.release(`t${random.int(at + 1)}`);
      if (at % 250 === 0) expectWhole(state.columns);
    }
    expectWhole(state.columns);
  });

  it('are all followed when a full block falls apart into more than two', () => {
    // Half of the nodes are used, so that the first cut is between them and the others.
    const name = (at: number): string => `n${at + 100}`;
    const big = { memoryBytes: 4e9 };
    const small = { memoryBytes: 1e8 };
    const resources = { cpuNanos: 4e9, memoryBytes: 8e9 };
    const state = new ClusterState({
      nodes: Array.from({ length: 100 }, (_, at) => node({ id: name(at), resources })),
    });
    for (let at = 0; at < 100; at += 1) {
      if (at < 75) state.place(task({ id: `small${at}`, reservations: small }), name(at));
      if (at >= 50) state.place(task({ id: `big${at}`, reservations: big }), name(at));
    }
    expectWhole(state.columns);
    // They come over into one block: most as those in it, and a few less used ones.
    for (let at = 50; at < 100; at += 1) {
      state.release(`big${at}`);
      if (at > 84) expectWhole(state.columns);
    }
  });

  it('hold only nodes of one capacity and one place, where there are enough', () => {
    const { columns } = clusterOf(600);
    for (const members of membersOf(columns.blocks)) {
      const kinds = members.map((at) => {
        const { capacityCpuNanos, facts } = columns.nodes[at] as NodeInfo;
        return `${capacityCpuNanos} ${facts.labels['zone']}`;
      });
      expect(new Set(kinds).size).toBeLessThanOrEqual(1);
    }
  });

  it('hold nodes of like use: full ones and empty ones stand apart', () => {
    const state = clusterOf(600);
    const reservations = { cpuNanos: 1e9, memoryBytes: 2e9 };
    const { columns } = state;
    expect(columns.blocks.positions).toBeGreaterThan(0);
    for (let at = 0; at < 600; at += 2) {
      for (let n = 0; n < 3; n += 1)
        state.place(task({ id: `t${at}-${n}`, reservations }), `n${at}`);
    }
    const mixed = membersOf(columns.blocks).filter((members) => {
      const uses = members.map((at) => free(columns.nodes[at] as NodeInfo));
      return new Set(uses).size > 1;
    });
    expect(mixed).toEqual([]);
  });

  it('have the most points of the places that nodes of their group are in', () => {
    const { columns } = clusterOf(600);
    const { blocks } = columns;
    const { of, values } = columns.domains('zone');
    const points = values.map((_, place) => 10 + place * (place === 1 ? -5 : 1));
    const out = new Float64Array(blocks.positions).fill(1);
    blocks.addMost(of, points, out);
    for (const [block, members] of membersOf(blocks).entries()) {
      const most = Math.max(0, ...members.map((at) => points[of[at] ?? -1] ?? 0));
      if (members.length > 0) expect(out[block]).toBe(1 + most);
    }
    // A key that no node has is nowhere, and that has no points.
    const none = new Float64Array(blocks.positions).fill(1);
    blocks.addMost(columns.domains('nothing').of, [], none);
    expect(new Set(none)).toEqual(new Set([1]));
  });
});
