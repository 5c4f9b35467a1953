import { describe, expect, it } from '@jest/globals';
import type { DeviceRequest, DeviceShare, NodeResources } from '@skep/api';
import { node, task } from '../__fixtures__/builders.js';
import { ClusterState } from '../cluster-state.js';
import { fragmentationGradient } from '../fragmentation/gradient.js';
import { FragmentationMeasure } from '../fragmentation/measure.js';
import { typicalTasks, type TypicalTask } from '../fragmentation/workload.js';
import type { Score } from '../policy.js';
import { groupOf } from '../task-group.js';
import { bestFitScore } from './best-fit.js';
import { dotProductScore } from './dot-product.js';
import { gpuClusteringScore } from './gpu-clustering.js';
import { gpuPackingScore } from './gpu-packing.js';

type Held = readonly (readonly [index: number, milli: number])[];

const devices = (count: number, model = 'T4'): NodeResources => ({
  cpuNanos: 64e9,
  memoryBytes: 1e12,
  devices: Array.from({ length: count }, () => ({ kind: 'gpu', model })),
});

/** One node with devices; each entry of `held` is a task on it. */
function stateOf(count: number, held: readonly Held[], model?: string): ClusterState {
  const state = new ClusterState({ nodes: [node({ id: 'n1', resources: devices(count, model) })] });
  for (const [at, shares] of held.entries()) {
    const chosen = shares.map(([index, milli]): DeviceShare => ({ kind: 'gpu', index, milli }));
    state.place(task({ id: `old.${at}`, service: 'old', slot: at }), 'n1', { devices: chosen });
  }
  return state;
}

function taskWith(cpu: number, request?: DeviceRequest) {
  return task({
    reservations: { cpuNanos: cpu * 1e9, ...(request === undefined ? {} : { devices: [request] }) },
  });
}

const share = (milli: number): DeviceRequest => ({ kind: 'gpu', count: 1, milli });
const whole = (count: number): DeviceRequest => ({ kind: 'gpu', count });

function scoreOn(state: ClusterState, score: Score, asked: ReturnType<typeof taskWith>): number {
  const prepared = score.prepare({ group: groupOf([asked]), state, now: 0 });
  const [info] = state.nodes;
  return info === undefined ? NaN : (prepared?.score(info) ?? NaN);
}

// Worked by hand from the formulas of the paper's policies.
describe('gpu packing', () => {
  it.each<[string, number, readonly Held[], DeviceRequest | undefined, number]>([
    ['a task without devices', 4, [], undefined, 0],
    ['a node of 2, all free', 2, [], share(500), 31],
    ['a node of 8, all free', 8, [], whole(1), 25],
    ['a device in use, 54 % free', 2, [[[0, 460]]], share(500), 95],
    ['a device in use, all but free', 2, [[[0, 1]]], share(500), 91],
    ['one free device needed', 4, [[[0, 1000]]], whole(1), 49],
    ['three free devices needed', 4, [[[0, 1000]]], whole(3), 47],
    ['a free device, as the one in use is too full', 2, [[[0, 800]]], share(500), 49],
  ])('%s', (_name, count, held, request, expected) => {
    expect(scoreOn(stateOf(count, held), gpuPackingScore(), taskWith(1, request))).toBe(expected);
  });
});

describe('gpu clustering', () => {
  it.each<[string, number, readonly Held[], DeviceRequest | undefined, number]>([
    ['a task without devices', 8, [], undefined, 0],
    ['nobody there', 8, [], share(500), 25],
    ['nobody there, on a smaller node', 4, [], share(500), 37],
    ['only its kind', 8, [[[0, 500]]], share(500), 76],
    ['its kind and others', 8, [[[0, 500]], [[1, 1000]]], share(500), 54],
    ['only others', 8, [[[0, 1000]]], share(500), 3],
    [
      'only tasks with two',
      8,
      [
        [
          [0, 1000],
          [1, 1000],
        ],
      ],
      whole(2),
      81,
    ],
    [
      'two is not one',
      8,
      [
        [
          [0, 1000],
          [1, 1000],
        ],
      ],
      whole(1),
      6,
    ],
  ])('%s', (_name, count, held, request, expected) => {
    expect(scoreOn(stateOf(count, held), gpuClusteringScore(), taskWith(1, request))).toBe(
      expected,
    );
  });
});

describe('dot product and best fit', () => {
  it('measure against the largest node', () => {
    const state = stateOf(8, [
      [
        [0, 1000],
        [1, 1000],
      ],
    ]);
    // (64/128 × 32/128 + 6/8 × 1/8) / 2 = 0.109375
    expect(scoreOn(state, dotProductScore(), taskWith(32, whole(1)))).toBe(89);
    // (32/128 + 5/8) / 2 = 0.4375
    expect(scoreOn(state, bestFitScore(), taskWith(32, whole(1)))).toBe(56);
    expect(scoreOn(state, bestFitScore({ cpuNanosMax: 64e9 }), taskWith(32, whole(1)))).toBe(43);
  });
});

const typical = (input: Partial<TypicalTask>): TypicalTask => ({
  cpuNanos: 1e9,
  count: 1,
  milli: 1000,
  models: [],
  share: 1,
  ...input,
});

describe('fragmentation', () => {
  const cases: readonly [string, Partial<TypicalTask>, number[], number][] = [
    ['none where the task fits on all that is idle', {}, [1000, 1000], 0],
    ['what is idle of devices that are too full', { milli: 600 }, [1000, 500, 300], 800],
    ['all where too few devices fit', { count: 2 }, [1000, 500], 1500],
    ['all where the model is another', { models: ['A10'] }, [1000], 1000],
    ['all where cpu is short', { cpuNanos: 8e9 }, [1000], 1000],
    ['all where cpu and devices are short', { cpuNanos: 8e9, count: 2 }, [1000], 1000],
    ['all for a task that needs no device', { count: 0, milli: 0 }, [1000, 500], 1500],
    ['none where nothing is idle', { count: 2 }, [0, 0], 0],
  ];
  it.each(cases)('is %s', (_name, wish, freeMilli, expected) => {
    const measure = new FragmentationMeasure([typical(wish)]);
    const models = freeMilli.map(() => 'T4');
    expect(measure.of({ cpuNanos: 4e9, freeMilli, models })).toBe(expected);
  });

  it('is weighed by how frequent the tasks are', () => {
    const measure = new FragmentationMeasure([
      typical({ share: 0.75, milli: 600 }),
      typical({ share: 0.25, count: 2 }),
    ]);
    expect(measure.of({ cpuNanos: 4e9, freeMilli: [1000, 400], models: ['T4', 'T4'] })).toBe(
      0.75 * 400 + 0.25 * 1400,
    );
  });

  it('counts devices of the right model where they are mixed', () => {
    const measure = new FragmentationMeasure([typical({ count: 2, models: ['T4'] })]);
    const of = (models: string[]): number =>
      measure.of({ cpuNanos: 4e9, freeMilli: [1000, 1000, 1000], models });
    expect(of(['T4', 'A10', 'T4'])).toBe(0);
    expect(of(['T4', 'A10', 'A10'])).toBe(3000);
  });

  it('is measured with the tasks that make up 95 % of the workload', () => {
    const tasks = [
      ...Array.from({ length: 12 }, () => taskWith(2, share(500))),
      ...Array.from({ length: 7 }, () => taskWith(4)),
      taskWith(9, whole(8)),
    ];
    expect(typicalTasks(tasks)).toEqual([
      { cpuNanos: 2e9, count: 1, milli: 500, models: [], share: 12 / 20 / (19 / 20) },
      { cpuNanos: 4e9, count: 0, milli: 0, models: [], share: 7 / 20 / (19 / 20) },
    ]);
    expect(typicalTasks([])).toEqual([]);
  });
});

describe('fragmentation gradient', () => {
  const { score, reserve } = fragmentationGradient({
    workload: [typical({ milli: 600, share: 0.5 }), typical({ milli: 300, share: 0.5 })],
  });

  it('is 50 where nothing changes, and more where less is useless', () => {
    // Filling a whole device up makes nothing useless: F stays 0.
    expect(scoreOn(stateOf(1, []), score, taskWith(1, whole(1)))).toBe(50);
    // 500 left are of no use to one half: F falls from 250 to 0.
    expect(scoreOn(stateOf(1, [[[0, 500]]]), score, taskWith(1, share(500)))).toBe(56);
    // 400 of a free device become useless to one half: F rises from 0 to 200.
    expect(scoreOn(stateOf(1, []), score, taskWith(1, share(600)))).toBe(45);
  });

  it('gives a share the device with the best score, and not the fullest', () => {
    const group = groupOf([taskWith(1, share(300))]);
    const deviceOn = (state: ClusterState): number | undefined => {
      const [info] = state.nodes;
      const chosen = reserve.prepare({ group, state, now: 0 })?.choose(info as never);
      return chosen?.devices?.[0]?.index;
    };
    // 600 − 300 = 300 costs one half 300; 1000 − 300 = 700 costs nothing.
    const state = stateOf(2, [[[0, 400]]]);
    expect(deviceOn(state)).toBe(1);
    // 500 are of no use to one half, 200 of none to both: F falls from 250 to 200.
    expect(deviceOn(stateOf(3, [[[0, 400]], [[2, 500]]]))).toBe(2);
    const wholeGroup = groupOf([taskWith(1, whole(1))]);
    expect(reserve.prepare({ group: wholeGroup, state, now: 0 })).toBeUndefined();
  });
});
