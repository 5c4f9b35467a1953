import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Node, Task } from '@skep/api';
import { node, task } from './__fixtures__/builders.js';
import { ClusterState } from './cluster-state.js';
import type { NodeInfo } from './node-info.js';
import { resourceFilter } from './filters/resource-filter.js';
import { placeGroup, type PlacementReason } from './place.js';
import { composePolicy, weighted } from './policies/compose-policy.js';
import type { Policy, PreparedFilter, PreparedScore, Score } from './policy.js';
import { balancedAllocationScore } from './scores/balanced-allocation.js';
import { leastAllocatedScore } from './scores/least-allocated.js';
import { mostAllocatedScore } from './scores/most-allocated.js';
import { topologySpreadScore } from './scores/topology-spread.js';
import { STANDARD_FILTERS } from './policies/standard-policies.js';
import { groupOf } from './task-group.js';

/** Runs of each law; more of them by `LAW_RUNS=2000`. */
const RUNS = { numRuns: Number(process.env['LAW_RUNS'] ?? 15) };

/** Enough for blocks to be bounded. */
const NODES_MIN = 128;

interface Amounts {
  readonly cpuNanos: number;
  readonly memoryBytes: number;
}

interface Scene {
  readonly nodes: readonly Node[];
  readonly tasks: readonly Task[];
  /** Tasks that leave again, by position, each after as many placements. */
  readonly leaving: readonly number[];
}

const spread = topologySpreadScore({
  defaults: [{ topologyKey: 'zone', maxSkew: 1, otherwise: 'prefer' }],
});
const hosts = topologySpreadScore({
  defaults: [{ topologyKey: 'node.hostname', maxSkew: 2, otherwise: 'prefer' }],
});

/** A score of somebody else, with bounds of its own: fewer tasks, and less memory left. */
const activeTasks = (info: NodeInfo): number => info.activeTasks;
const memoryLeft = (info: NodeInfo): number => info.availableMemoryBytes / 1e9;
const custom: Score = {
  name: 'custom',
  label: 'fewer tasks, less memory',
  prepare: (): PreparedScore => ({
    score: (info) => 30 - 5 * activeTasks(info) - memoryLeft(info),
    scoreAll: (columns, ordinals, out) => {
      const tasks = columns.followed(activeTasks);
      const memory = columns.followed(memoryLeft);
      for (const [k, at] of ordinals.entries()) {
        out[k] = 30 - 5 * (tasks[at] ?? NaN) - (memory[at] ?? NaN);
      }
    },
    boundAll: (columns, out) => {
      const tasks = columns.ranges(activeTasks).least;
      const memory = columns.ranges(memoryLeft).least;
      for (let b = 0; b < out.length; b += 1) {
        out[b] = 30 - 5 * (tasks[b] ?? NaN) - (memory[b] ?? NaN);
      }
    },
    planes: () => [
      {
        constant: 30,
        terms: [
          { column: activeTasks, factor: -5 },
          { column: memoryLeft, factor: -1 },
        ],
      },
    ],
  }),
};

const score = fc.constantFrom<Score>(
  custom,
  leastAllocatedScore(),
  leastAllocatedScore({ cpu: 3 }),
  leastAllocatedScore({ memory: 0 }),
  mostAllocatedScore(),
  balancedAllocationScore,
  spread,
  hosts,
);

const scores = fc
  .uniqueArray(fc.tuple(score, fc.constantFrom(1, 0.1, 2, 7)), {
    minLength: 1,
    maxLength: 4,
    selector: ([{ name }]) => name,
  })
  .map((list) => list.map(([one, weight]) => weighted(one, weight)));

const amounts = fc.record<Amounts>({
  cpuNanos: fc.oneof(fc.constantFrom(0, 1e8, 2e8), fc.integer({ min: 1, max: 5e8 })),
  memoryBytes: fc.oneof(fc.constantFrom(0, 1e8, 2e8), fc.integer({ min: 1, max: 1e9 })),
});

const CAPACITIES: readonly Amounts[] = [
  { cpuNanos: 4e9, memoryBytes: 8e9 },
  { cpuNanos: 1e9, memoryBytes: 32e9 },
  { cpuNanos: 0, memoryBytes: 3e9 },
  { cpuNanos: 7e9, memoryBytes: 1e9 },
];

const scenes: fc.Arbitrary<Scene> = fc
  .record({
    count: fc.integer({ min: NODES_MIN, max: 220 }),
    kinds: fc.array(fc.tuple(fc.nat(CAPACITIES.length - 1), fc.nat(4)), { minLength: 1 }),
    asked: fc.array(fc.tuple(amounts, fc.nat(3)), { minLength: 20, maxLength: 150 }),
    leaving: fc.array(fc.nat(150), { maxLength: 30 }),
  })
  .map(({ count, kinds, asked, leaving }) => ({
    nodes: Array.from({ length: count }, (_, at) => {
      const [kind, zone] = kinds[at % kinds.length] ?? [0, 0];
      return node({
        id: `n${at}`,
        // Some nodes have no zone.
        labels: zone === 4 ? {} : { zone: `z${zone}` },
        resources: CAPACITIES[kind] ?? {},
        availability: at % 17 === 3 ? 'drain' : 'active',
      });
    }),
    tasks: asked.map(([reservations, service], at) =>
      task({ id: `t${at}`, service: `s${service}`, slot: at, reservations }),
    ),
    leaving,
  }));

/** Where each task goes, and why, one group after the other. */
function placedBy(policy: Policy, { nodes, tasks, leaving }: Scene): readonly unknown[] {
  const state = new ClusterState({ nodes });
  return tasks.map((one, at): PlacementReason | undefined => {
    const left = tasks[leaving[at] ?? -1];
    if (left !== undefined) state.removeTask(left.meta.id);
    const { placements } = placeGroup(state, groupOf([one]), { policy, now: 0 });
    return placements[0]?.reason;
  });
}

/** The same plugins, asked about one node after the other. */
function plainly(policy: Policy): Policy {
  return composePolicy({
    name: 'plain',
    filters: policy.filters.map((filter) => ({
      ...filter,
      prepare: (group, state): PreparedFilter | undefined => {
        const prepared = filter.prepare(group, state);
        if (prepared === undefined) return undefined;
        return { check: (info) => prepared.check(info), dependsOn: 'cluster' };
      },
    })),
    scores: (policy.scores ?? []).map((one) => ({
      ...one,
      prepare: (context): PreparedScore | undefined => {
        const prepared = one.prepare(context);
        if (prepared === undefined) return undefined;
        return { score: (info) => prepared.score(info), dependsOn: 'cluster' };
      },
    })),
    ...(policy.tieBreak === undefined ? {} : { tieBreak: policy.tieBreak }),
  });
}

const tieBreak = {
  scope: 'node' as const,
  name: 'last-digit',
  label: 'a greater last digit',
  value: ({ name }: { readonly name: string }) => -Number(name.at(-1)),
};

describe('search by blocks', () => {
  it.each([
    ['by order', undefined],
    ['by a tie-break', tieBreak],
  ])('finds what a look at every node finds, for the same reason, %s', (_name, by) => {
    fc.assert(
      fc.property(scenes, scores, (scene, list) => {
        const policy = composePolicy({
          name: 'blocks',
          filters: STANDARD_FILTERS,
          scores: list,
          ...(by === undefined ? {} : { tieBreak: by }),
        });
        const plain = placedBy(plainly(policy), scene);
        expect(placedBy(policy, scene)).toEqual(plain);
      }),
      RUNS,
    );
  });

  it('bounds what the nodes of a block have, bit for bit', () => {
    fc.assert(
      fc.property(scenes, score, amounts, (scene, one, asked) => {
        const state = new ClusterState({ nodes: scene.nodes });
        const policy = composePolicy({ name: 'any', filters: [resourceFilter], scores: [one] });
        for (const placed of scene.tasks) {
          placeGroup(state, groupOf([placed]), { policy, now: 0 });
        }
        const group = groupOf([task({ id: 'next', service: 's1', reservations: asked })]);
        const prepared = one.prepare({ group, state, now: 0 }) as Required<PreparedScore>;
        const { columns } = state;
        const { blocks } = columns;
        const bounds = new Float64Array(blocks.positions);
        prepared.boundAll(columns, bounds);
        for (let block = 0; block < blocks.positions; block += 1) {
          for (const at of blocks.members(block)) {
            const info = state.nodes[at];
            if (info === undefined) throw new Error(`no node ${at}`);
            expect(prepared.score(info)).toBeLessThanOrEqual(bounds[block] ?? NaN);
          }
        }
      }),
      RUNS,
    );
  });
});
