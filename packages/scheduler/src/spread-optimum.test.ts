import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Node, Task } from '@skep/api';
import { node, placeAll, task, type TaskInput } from './__fixtures__/builders.js';
import { ClusterState } from './cluster-state.js';
import {
  kubernetesPolicy,
  leastAllocatedPolicy,
  mostAllocatedPolicy,
} from './policies/standard-policies.js';
import type { Filter, Policy, PreparedFilter } from './policy.js';
import { swarmPolicy } from './swarm-policy.js';

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

/** How tasks are asked for: each takes another way through the engine. */
interface Asking {
  readonly policy: Policy;
  /** Null: one by one. */
  readonly specVersion: 1 | null;
}

function compare(
  inputs: readonly Input[],
  wish: { readonly count: number; readonly most: number; readonly levels: readonly string[] },
  { parts, asking }: { readonly parts: readonly number[]; readonly asking: Asking },
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
  const { policy, specVersion } = asking;
  const members = Array.from({ length: count }, (_, i) =>
    task({ ...wanted(`new${i}`, most, levels), specVersion }),
  );
  const { placements } = placeAll(state, members, { policy });
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

const swarm = swarmPolicy();

/** Lets everything pass; what it promises decides how nodes are looked for. */
function idleFilter(promise: Pick<PreparedFilter, 'dependsOn'>): Filter {
  return {
    name: 'idle',
    prepare: () => ({ ...promise, check: () => undefined }),
    describe: () => 'never',
  };
}

const askings: readonly (readonly [string, Asking])[] = [
  ['a group at once', { policy: swarm, specVersion: 1 }],
  ['one by one, from a shared index', { policy: swarm, specVersion: null }],
  [
    'by a filter that shares nothing, from a heap',
    { policy: { ...swarm, filters: [...swarm.filters, idleFilter({})] }, specVersion: 1 },
  ],
  [
    'by a filter that any placement may change, from a scan',
    {
      policy: { ...swarm, filters: [...swarm.filters, idleFilter({ dependsOn: 'cluster' })] },
      specVersion: 1,
    },
  ],
  [
    'with a score that is the same everywhere',
    {
      policy: {
        ...swarm,
        scores: [{ name: 'flat', label: 'flat', prepare: () => ({ key: '', score: () => 1 }) }],
      },
      specVersion: 1,
    },
  ],
];

describe.each(askings)('no better spread existed: %s', (_, asking) => {
  const check = (levels: readonly string[], parts: readonly number[]): void => {
    fc.assert(
      fc.property(clusters, counts, limits, (inputs, count, most) => {
        const result = compare(inputs, { count, most, levels }, { parts, asking });
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

/**
 * The most tasks that any order of placements puts into zones, when each placement keeps its zone
 * within `skew` of the emptiest.
 */
function mostWithin(
  start: readonly { readonly count: number; readonly room: number }[],
  skew: number,
): number {
  const seen = new Set<string>();
  let most = 0;
  const walk = (placed: readonly number[]): void => {
    const key = placed.join();
    if (seen.has(key)) return;
    seen.add(key);
    most = Math.max(
      most,
      placed.reduce((sum, value) => sum + value, 0),
    );
    const have = placed.map((value, at) => value + (start[at]?.count ?? 0));
    const least = Math.min(...have);
    for (const [at, value] of have.entries()) {
      const isFull = (placed[at] ?? 0) >= (start[at]?.room ?? 0);
      if (!isFull && value + 1 - least <= skew) walk(placed.with(at, (placed[at] ?? 0) + 1));
    }
  };
  walk(start.map(() => 0));
  return most;
}

describe('a hard bound of skew (beyond Swarm)', () => {
  it.each([
    ['leastAllocatedPolicy', leastAllocatedPolicy()],
    ['mostAllocatedPolicy', mostAllocatedPolicy()],
    ['kubernetesPolicy', kubernetesPolicy()],
  ])('%s: leaves out no task that any other order would place, and keeps it', (_, policy) => {
    fc.assert(
      fc.property(clusters, counts, fc.integer({ min: 1, max: 2 }), (inputs, count, skew) => {
        const template = {
          placement: { topologySpread: [{ topologyKey: 'zone', maxSkew: skew }] },
        };
        const reservations = { memoryBytes: 1 };
        const there = inputs.flatMap(({ own }, at) =>
          Array.from({ length: own }, (__, i) =>
            task({ id: `own${at}.${i}`, reservations, template, nodeId: `n${at}` }),
          ),
        );
        const state = new ClusterState({ nodes: nodesOf(inputs), tasks: there });
        const members = Array.from({ length: count }, (__, i) =>
          task({ id: `new${i}`, reservations, template }),
        );
        const { placements } = placeAll(state, members, { policy });
        const zones = [...new Set(inputs.filter(({ isReady }) => isReady).map(({ zone }) => zone))];
        const start = zones.map((zone) => {
          const inZone = inputs.filter((input) => input.zone === zone);
          const sum = (of: (input: Input) => number): number =>
            inZone.reduce((all, input) => all + of(input), 0);
          return { count: sum(({ own }) => own), room: sum((input) => roomOf(input, 0)) };
        });
        expect(placements).toHaveLength(Math.min(count, mostWithin(start, skew)));
        const have = new Map(zones.map((zone, at) => [zone, start[at]?.count ?? 0]));
        for (const { nodeId } of placements) {
          const zone = inputs[Number(nodeId.slice(1))]?.zone ?? 'a';
          const least = Math.min(...have.values());
          have.set(zone, (have.get(zone) ?? 0) + 1);
          expect((have.get(zone) ?? 0) - least).toBeLessThanOrEqual(skew);
        }
      }),
      RUNS,
    );
  });
});
