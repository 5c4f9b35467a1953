import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@skep/api/virtual';
import { node, task } from './__fixtures__/builders.js';
import type { ActiveScore } from './active-plugins.js';
import { ClusterState } from './cluster-state.js';
import { JointBounds } from './joint-bounds.js';
import type { NodeInfo } from './node-info.js';
import type { PreparedScore, Score, ScorePlane } from './policy.js';
import { balancedAllocationScore } from './scores/balanced-allocation.js';
import { leastAllocatedScore } from './scores/least-allocated.js';
import { groupOf } from './task-group.js';

const NODES = 200;

/** Nodes of three sizes with some use on most of them. */
function usedCluster(): ClusterState {
  const state = new ClusterState({
    nodes: Array.from({ length: NODES }, (_, at) =>
      node({ id: `n${at}`, resources: { cpuNanos: (1 + (at % 3)) * 4e9, memoryBytes: 8e9 } }),
    ),
  });
  const random = seededRandom(11);
  for (let at = 0; at < NODES; at += 1) {
    const reservations = { cpuNanos: random.int(3e9), memoryBytes: random.int(9e9) };
    state.place(task({ id: `t${at}`, reservations }), `n${random.int(NODES)}`);
  }
  return state;
}

function active(
  state: ClusterState,
  list: readonly (readonly [Score, number])[],
  reservations: { readonly cpuNanos: number; readonly memoryBytes: number },
): readonly ActiveScore[] {
  const group = groupOf([task({ id: 'next', reservations })]);
  return list.map(([score, weight]) => {
    const prepared = score.prepare({ group, state, now: 0 }) as PreparedScore;
    return { score, prepared, weight };
  });
}

const boundsOf = (joint: JointBounds, { columns }: ClusterState): readonly number[] =>
  Array.from({ length: columns.blocks.positions }, (_, block) =>
    columns.blocks.sizes[block] === 0 ? 0 : joint.of(block),
  );

/** A score that is the least of as many sums of columns as asked for. */
function leastOf(planes: readonly ScorePlane[]): ActiveScore {
  const score: Score = { name: 'own', label: 'own', prepare: () => undefined };
  return { score, prepared: { score: () => 0, planes: () => planes }, weight: 1 };
}

const columnsOf = (count: number): readonly ((info: NodeInfo) => number)[] =>
  Array.from({ length: count }, (_, at) => (info) => info.activeTasks + at);

describe('bounds of several scores together', () => {
  const pairs: readonly (readonly [string, readonly (readonly [Score, number])[]])[] = [
    [
      'least allocated and balanced',
      [
        [leastAllocatedScore(), 1],
        [balancedAllocationScore, 1],
      ],
    ],
    [
      'with weights, cpu counting more',
      [
        [balancedAllocationScore, 3],
        [leastAllocatedScore({ cpu: 3 }), 0.1],
      ],
    ],
    [
      'three of them',
      [
        [leastAllocatedScore({ memory: 0 }), 2],
        [balancedAllocationScore, 0.7],
        [leastAllocatedScore(), 1],
      ],
    ],
  ];

  it.each(pairs)('are nowhere below what a node has: %s', (_name, list) => {
    const state = usedCluster();
    const joint = new JointBounds();
    const random = seededRandom(5);
    const { columns } = state;
    for (let turn = 0; turn < 20; turn += 1) {
      const asked = { cpuNanos: random.int(4e9), memoryBytes: random.int(8e9) };
      const scores = active(state, list, asked);
      expect(joint.take(scores, columns)).toBe(true);
      const totals = columns.nodes.map((info) =>
        scores.reduce((sum, { prepared, weight }) => sum + weight * prepared.score(info), 0),
      );
      for (const [block, bound] of boundsOf(joint, state).entries()) {
        for (const at of columns.blocks.members(block)) {
          expect(totals[at]).toBeLessThanOrEqual(bound);
        }
      }
    }
  });

  it('keep nothing of the task before', () => {
    const state = usedCluster();
    const used = new JointBounds();
    const lists = pairs.map(([, list]) => list);
    for (const [at, list] of [...lists, ...lists].entries()) {
      const scores = active(state, list, { cpuNanos: at * 1e8, memoryBytes: 3e8 });
      const fresh = new JointBounds();
      expect(used.take(scores, state.columns)).toBe(true);
      expect(fresh.take(scores, state.columns)).toBe(true);
      expect(boundsOf(used, state)).toEqual(boundsOf(fresh, state));
    }
  });

  it('are closer than those of each for itself where scores pull apart', () => {
    const state = usedCluster();
    const { columns } = state;
    const list = pairs[0]?.[1] ?? [];
    const scores = active(state, list, { cpuNanos: 1e8, memoryBytes: 1e8 });
    const joint = new JointBounds();
    joint.take(scores, columns);
    const apart = new Float64Array(columns.blocks.positions);
    const part = new Float64Array(columns.blocks.positions);
    for (const { prepared } of scores) {
      prepared.boundAll?.(columns, part);
      for (const [block, value] of part.entries()) apart[block] = (apart[block] ?? 0) + value;
    }
    const isCloser = boundsOf(joint, state).some(
      (bound, block) => columns.blocks.sizes[block] !== 0 && bound < (apart[block] ?? 0) - 1e-6,
    );
    expect(isCloser).toBe(true);
  });

  it('are those of sums of columns: the least of them', () => {
    const state = usedCluster();
    const [column] = columnsOf(1);
    if (column === undefined) throw new Error('no column');
    const joint = new JointBounds();
    const both = [
      leastOf([
        { constant: 7, terms: [{ column, factor: 2 }] },
        { constant: 5, terms: [{ column, factor: -1 }] },
      ]),
      leastOf([{ constant: 1, terms: [{ column, factor: 1 }] }]),
    ];
    expect(joint.take(both, state.columns)).toBe(true);
    const { least, most } = state.columns.ranges(column);
    for (const [block, bound] of boundsOf(joint, state).entries()) {
      if (state.columns.blocks.sizes[block] === 0) continue;
      expect(least[block]).toBeLessThanOrEqual(most[block] ?? NaN);
      expect(bound).toBeCloseTo(Math.min(8 + 3 * (most[block] ?? NaN), 6), 9);
    }
  });

  it('say nothing for one score alone, for too many sums, or for too many columns', () => {
    const { columns } = usedCluster();
    const joint = new JointBounds();
    const [column] = columnsOf(1);
    if (column === undefined) throw new Error('no column');
    const planes = (count: number): ActiveScore =>
      leastOf(Array.from({ length: count }, (_, at) => ({ constant: at, terms: [] })));
    const wide = (count: number): ActiveScore =>
      leastOf([
        { constant: 0, terms: columnsOf(count).map((one) => ({ column: one, factor: 1 })) },
      ]);
    expect(joint.take([planes(2)], columns)).toBe(false);
    expect(joint.take([planes(3), planes(3)], columns)).toBe(false);
    expect(joint.take([wide(9), wide(8)], columns)).toBe(false);
    expect(joint.take([planes(4), planes(2)], columns)).toBe(true);
    expect(joint.take([wide(8), wide(8)], columns)).toBe(true);
  });
});
