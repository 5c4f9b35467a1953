import { describe, expect, it } from '@jest/globals';
import { MB, node, running, task } from '../__fixtures__/builders.js';
import { ClusterState } from '../cluster-state.js';
import type { Score } from '../policy.js';
import { groupOf } from '../task-group.js';
import { balancedAllocationScore } from './balanced-allocation.js';
import { leastAllocatedScore } from './least-allocated.js';
import { mostAllocatedScore } from './most-allocated.js';

/** Millicores and bytes, as in kube-scheduler's own tables. */
interface Amounts {
  readonly cpu: number;
  readonly memory: number;
}

const resources = ({ cpu, memory }: Amounts) => ({ cpuNanos: cpu * 1e6, memoryBytes: memory });

/** What a score gives each node, the same by node and by column. */
function scoresOf(
  score: Score,
  asked: Amounts,
  nodes: readonly { readonly has: Amounts; readonly uses?: Amounts }[],
): readonly number[] {
  const state = new ClusterState({
    nodes: nodes.map(({ has }, at) => node({ id: `n${at}`, resources: resources(has) })),
    tasks: nodes.flatMap(({ uses }, at) =>
      uses === undefined
        ? []
        : running(1, { nodeId: `n${at}`, service: 'old', reservations: resources(uses) }),
    ),
  });
  const group = groupOf([task({ reservations: resources(asked) })]);
  const prepared = score.prepare({ group, state, now: 0 });
  const single = state.nodes.map((info) => prepared?.score(info) ?? NaN);
  const out = new Float64Array(nodes.length).fill(-1);
  prepared?.scoreAll?.(state.columns, state.columns.ordinals, out);
  expect([...out]).toEqual(single);
  return single.map((value) => Number(value.toFixed(6)));
}

const SMALL = { cpu: 4000, memory: 10_000 };
const LARGE = { cpu: 6000, memory: 10_000 };
const NOTHING = { cpu: 0, memory: 0 };

// The worked examples of kube-scheduler's tests for these plugins; there the results are cut to
// whole points (37, 50, …).
describe('least allocated', () => {
  it.each([
    ['nothing asked, nothing used', NOTHING, [{ has: SMALL }, { has: SMALL }], [100, 100]],
    [
      'nothing used, different sizes',
      { cpu: 3000, memory: 5000 },
      [{ has: SMALL }, { has: LARGE }],
      [37.5, 50],
    ],
    [
      'nothing asked, something used',
      NOTHING,
      [
        { has: { cpu: 10_000, memory: 20_000 }, uses: { cpu: 6000, memory: 0 } },
        { has: { cpu: 10_000, memory: 20_000 }, uses: { cpu: 6000, memory: 5000 } },
      ],
      [70, 57.5],
    ],
    [
      'over capacity counts as nothing left',
      NOTHING,
      [{ has: SMALL, uses: { cpu: 6000, memory: 5000 } }],
      [25],
    ],
    ['a node without capacity', { cpu: 1, memory: 1 }, [{ has: NOTHING }], [0]],
  ])('%s', (_name, asked, nodes, expected) => {
    expect(scoresOf(leastAllocatedScore(), asked, nodes)).toEqual(expected);
  });

  it('weighs resources', () => {
    const nodes = [{ has: SMALL }, { has: LARGE }];
    const asked = { cpu: 3000, memory: 5000 };
    expect(scoresOf(leastAllocatedScore({ cpu: 2 }), asked, nodes)).toEqual([33.333333, 50]);
    expect(scoresOf(leastAllocatedScore({ memory: 0 }), asked, nodes)).toEqual([25, 50]);
  });
});

describe('most allocated', () => {
  it.each([
    ['nothing asked, nothing used', NOTHING, [{ has: SMALL }], [0]],
    [
      'nothing used, different sizes',
      { cpu: 3000, memory: 5000 },
      [{ has: SMALL }, { has: LARGE }],
      [62.5, 50],
    ],
    [
      'something used',
      { cpu: 3000, memory: 5000 },
      [
        { has: { cpu: 10_000, memory: 20_000 }, uses: { cpu: 3000, memory: 0 } },
        { has: { cpu: 10_000, memory: 20_000 }, uses: { cpu: 3000, memory: 5000 } },
      ],
      [42.5, 55],
    ],
  ])('%s', (_name, asked, nodes, expected) => {
    expect(scoresOf(mostAllocatedScore(), asked, nodes)).toEqual(expected);
  });
});

describe('balanced allocation', () => {
  it.each([
    ['nothing asked, nothing used', NOTHING, [{ has: SMALL }], [100]],
    [
      'nothing used, different sizes',
      { cpu: 3000, memory: 5000 },
      [{ has: SMALL }, { has: LARGE }],
      [87.5, 100],
    ],
    [
      'something used',
      { cpu: 3000, memory: 5000 },
      [
        { has: { cpu: 10_000, memory: 20_000 }, uses: { cpu: 3000, memory: 0 } },
        { has: { cpu: 10_000, memory: 50_000 }, uses: { cpu: 3000, memory: 5000 } },
      ],
      [82.5, 80],
    ],
  ])('%s', (_name, asked, nodes, expected) => {
    expect(scoresOf(balancedAllocationScore, asked, nodes)).toEqual(expected);
  });
});

describe('columns', () => {
  it('follow placements, releases and new versions of nodes', () => {
    const state = new ClusterState({ nodes: [node({ id: 'n1' }), node({ id: 'n2' })] });
    const free = (info: { readonly availableMemoryBytes: number }): number =>
      info.availableMemoryBytes;
    expect([...state.columns.followed(free)]).toEqual([8000 * MB, 8000 * MB]);
    state.place(task({ reservations: { memoryBytes: 3000 * MB } }), 'n2');
    expect([...state.columns.followed(free)]).toEqual([8000 * MB, 5000 * MB]);
    expect([...state.columns.activeTasks]).toEqual([0, 1]);
    state.upsertNode(node({ id: 'n1', resources: { memoryBytes: 1 } }));
    expect([...state.columns.followed(free)]).toEqual([1, 5000 * MB]);
    state.release('web.1');
    state.removeNode('n1');
    expect([...state.columns.followed(free)]).toEqual([8000 * MB]);
  });

  it('name every range with a node that is short of something', () => {
    const state = new ClusterState({
      nodes: Array.from({ length: 300 }, (_, at) =>
        node({
          id: `n${String(at).padStart(3, '0')}`,
          resources: resources({ cpu: 2, memory: at }),
        }),
      ),
    });
    const ranges = (cpuNanos: number, memoryBytes: number): readonly (readonly number[])[] => {
      const seen: number[][] = [];
      state.columns.eachShortRange({ cpuNanos, memoryBytes }, (from, to) => seen.push([from, to]));
      return seen;
    };
    expect(ranges(2e6, 0)).toEqual([]);
    expect(ranges(2e6, 1)).toEqual([[0, 128]]);
    expect(ranges(2e6, 200)).toEqual([
      [0, 128],
      [128, 256],
    ]);
    state.place(task({ reservations: { cpuNanos: 1e6 } }), 'n299');
    expect(ranges(2e6, 0)).toEqual([[256, 300]]);
  });
});
