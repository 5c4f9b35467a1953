import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Node, Task } from '@skep/api';
import { node, placeAll, task, type TaskInput } from './__fixtures__/builders.js';
import { ClusterState } from './cluster-state.js';

/** Runs of each law; more of them by `LAW_RUNS=2000`. */
const RUNS = { numRuns: Number(process.env['LAW_RUNS'] ?? 150) };

const aNode = fc.record({
  zone: fc.constantFrom('a', 'b', 'c'),
  rack: fc.constantFrom('x', 'y'),
  /** Room for tasks of the service. */
  room: fc.nat(4),
  isReady: fc.constantFrom(true, true, true, false),
  /** Tasks of the service and of others that run there already. */
  own: fc.nat(2),
  others: fc.nat(2),
});
const clusters = fc.array(aNode, { minLength: 1, maxLength: 6 });
const counts = fc.integer({ min: 1, max: 8 });
const limits = fc.constantFrom(0, 0, 1, 2, 3);

type Input = typeof aNode extends fc.Arbitrary<infer T> ? T : never;

function nodesOf(inputs: readonly Input[]): readonly Node[] {
  return inputs.map(({ zone, rack, room, own, isReady }, at) =>
    node({
      id: `n${at}`,
      labels: { zone, rack },
      state: isReady ? 'ready' : 'down',
      resources: { memoryBytes: room + own },
    }),
  );
}

function wanted(id: string, most: number, levels: readonly string[]): TaskInput {
  return {
    id,
    reservations: { memoryBytes: 1 },
    template: {
      placement: {
        maxReplicasPerNode: most,
        preferences: levels.map((level) => ({ spread: `node.labels.${level}` })),
      },
    },
  };
}

/** How many of the new tasks a node could take. */
function roomOf({ room, own, isReady }: Input, most: number): number {
  if (!isReady) return 0;
  return most === 0 ? room : Math.max(0, Math.min(room, most - own));
}

/** Every way to give each node some of `count` alike tasks, none more than its room. */
function* ways(rooms: readonly number[], count: number): Iterable<readonly number[]> {
  const [room, ...rest] = rooms;
  if (room === undefined) {
    if (count === 0) yield [];
    return;
  }
  for (let here = 0; here <= Math.min(room, count); here += 1) {
    for (const others of ways(rest, count - here)) yield [here, ...others];
  }
}

/** Σ of squares of the counts of branches, level by level, then of nodes, then of all tasks. */
function unevenness(inputs: readonly Input[], placed: readonly number[]): readonly number[] {
  const own = inputs.map((input, at) => input.own + (placed[at] ?? 0));
  const squares = (amounts: readonly number[], keyOf: (input: Input, at: number) => string) => {
    const sums = new Map<string, number>();
    for (const [at, input] of inputs.entries()) {
      const key = keyOf(input, at);
      sums.set(key, (sums.get(key) ?? 0) + (amounts[at] ?? 0));
    }
    return [...sums.values()].reduce((sum, value) => sum + value * value, 0);
  };
  return [
    squares(own, ({ zone }) => zone),
    squares(own, ({ zone, rack }) => `${zone}/${rack}`),
    squares(own, (_, at) => String(at)),
    squares(
      own.map((value, at) => value + (inputs[at]?.others ?? 0)),
      (_, at) => String(at),
    ),
  ];
}

const compareLists = (a: readonly number[], b: readonly number[]): number => {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
};

interface Result {
  /** What the scheduler did, by the parts that were asked for. */
  readonly found: readonly number[];
  readonly best: readonly number[];
  readonly placed: number;
  readonly most: number;
}

function compare(
  inputs: readonly Input[],
  wish: { readonly count: number; readonly most: number; readonly levels: readonly string[] },
  parts: readonly number[],
): Result {
  const { count, most, levels } = wish;
  const running = inputs.flatMap(({ own, others }, at): readonly Task[] => [
    ...Array.from({ length: own }, (_, i) =>
      task({ ...wanted(`own${at}.${i}`, most, levels), nodeId: `n${at}` }),
    ),
    ...Array.from({ length: others }, (_, i) =>
      task({ id: `other${at}.${i}`, service: 'other', nodeId: `n${at}` }),
    ),
  ]);
  const state = new ClusterState({ nodes: nodesOf(inputs), tasks: running });
  const members = Array.from({ length: count }, (_, i) => task(wanted(`new${i}`, most, levels)));
  const { placements } = placeAll(state, members);
  const here = inputs.map((_, at) => placements.filter(({ nodeId }) => nodeId === `n${at}`).length);
  const rooms = inputs.map((input) => roomOf(input, most));
  const fits = Math.min(
    count,
    rooms.reduce((sum, room) => sum + room, 0),
  );
  const partsOf = (placed: readonly number[]): readonly number[] => {
    const all = unevenness(inputs, placed);
    return parts.map((part) => all[part] ?? 0);
  };
  const found = partsOf(here);
  let best = found;
  for (const way of ways(rooms, fits)) {
    const other = partsOf(way);
    if (compareLists(other, best) < 0) best = other;
  }
  return { found, best, placed: placements.length, most: fits };
}

const ZONES = 0;
const NODES = 2;
const TOTALS = 3;

describe('no better spread existed', () => {
  const check = (levels: readonly string[], parts: readonly number[]): void => {
    fc.assert(
      fc.property(clusters, counts, limits, (inputs, count, most) => {
        const result = compare(inputs, { count, most, levels }, parts);
        expect(result.placed).toBe(result.most);
        expect(result.found).toEqual(result.best);
      }),
      RUNS,
    );
  };

  it('without preferences: even over nodes, then in total', () => check([], [NODES, TOTALS]));

  it('with one level: even over its values', () => check(['zone'], [ZONES]));

  it('with two levels: even over the values of the first', () => check(['zone', 'rack'], [ZONES]));
});
