/**
 * The engine against a plain reading of the contract: every node filtered and scored for every
 * task,
 * one node and one plugin at a time.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Node, NodeRequirement, Task } from '@skep/api';
import { node, placesOf, task } from './__fixtures__/builders.js';
import { ClusterState } from './cluster-state.js';
import { fgdPolicy, bestFitPolicy, gpuPackingPolicy } from './policies/gpu-policies.js';
import { composePolicy, weighted } from './policies/compose-policy.js';
import {
  STANDARD_FILTERS,
  balancedPolicy,
  kubernetesPolicy,
} from './policies/standard-policies.js';
import { tieBreakByRank } from './policies/tie-break.js';
import { placeGroup, type GroupPlacement } from './place.js';
import type { Policy } from './policy.js';
import { leastAllocatedScore } from './scores/least-allocated.js';
import { mostAllocatedScore } from './scores/most-allocated.js';
import { balancedAllocationScore } from './scores/balanced-allocation.js';
import { topologySpreadScore } from './scores/topology-spread.js';
import { serviceTasksTerm, spreadByPreferences, swarmPolicy } from './swarm-policy.js';
import { groupTasks, type TaskGroup } from './task-group.js';
import { typicalTasks } from './fragmentation/workload.js';

const GB = 1_000_000_000;

/** Places one task after the other by the contract alone. */
function placePlainly(state: ClusterState, group: TaskGroup, policy: Policy): GroupPlacement {
  const placements = [];
  const unplaced = [];
  for (const one of group.tasks) {
    const context = { group, state, now: 0 };
    const filters = policy.filters.map((filter) => filter.prepare(group, state));
    const fit = state.nodes.filter((info) => filters.every((f) => f?.check(info) === undefined));
    const terms = policy.rank.map((term) => (term.scope === 'node' ? term : term.prepare(context)));
    const totals = new Map(fit.map((info) => [info, 0]));
    for (const score of policy.scores ?? []) {
      const prepared = score.prepare(context);
      if (prepared === undefined) continue;
      const values = Float64Array.from(fit, (info) => prepared.score(info));
      prepared.normalise?.(values);
      fit.forEach((info, at) => {
        totals.set(info, (totals.get(info) ?? 0) + (score.weight ?? 1) * (values[at] ?? 0));
      });
    }
    const [best] = fit.toSorted((a, b) => {
      for (const term of terms) {
        const difference = term.value(a) - term.value(b);
        if (difference !== 0) return difference;
      }
      const byTotal = (totals.get(b) ?? 0) - (totals.get(a) ?? 0);
      if (byTotal !== 0) return byTotal;
      const tie = policy.tieBreak;
      return (tie === undefined ? 0 : tie.value(a) - tie.value(b)) || a.ordinal - b.ordinal;
    });
    if (best === undefined) {
      unplaced.push({ task: one, taskId: one.meta.id, explanation: { code: '', message: '' } });
      continue;
    }
    const chosen = Object.assign(
      {},
      ...(policy.reserves ?? []).map((reserve) => reserve.prepare(context)?.choose(best)),
    ) as object;
    const given = state.place(one, best.id, chosen).reservation;
    const reason = { nodeId: best.id, term: '', nodes: 0 };
    placements.push({ task: one, taskId: one.meta.id, nodeId: best.id, reason, ...given });
  }
  return { placements, unplaced };
}

const clusters = fc.array(
  fc.record({
    cores: fc.integer({ min: 1, max: 4 }),
    memory: fc.integer({ min: 1, max: 4 }),
    zone: fc.constantFrom('a', 'b', 'c'),
    gpus: fc.integer({ min: 0, max: 3 }),
    rank: fc.nat(),
  }),
  { minLength: 1, maxLength: 7 },
);

const workloads = fc.array(
  fc.record({
    service: fc.constantFrom('web', 'db', 'job'),
    cpu: fc.constantFrom(0, 250, 500, 1000),
    memory: fc.constantFrom(0, 250, 700),
    gpu: fc.constantFrom(0, 0, 300, 500, 1000, 2000),
    replicas: fc.integer({ min: 1, max: 4 }),
    beyond: fc.constantFrom('', 'spread', 'prefer', 'near', 'far', 'like'),
  }),
  { minLength: 1, maxLength: 8 },
);

type Cluster = typeof clusters extends fc.Arbitrary<infer T> ? T : never;
type Workload = typeof workloads extends fc.Arbitrary<infer T> ? T : never;

function nodesOf(cluster: Cluster): Node[] {
  return cluster.map(({ cores, memory, zone, gpus }, at) =>
    node({
      id: `n${at}`,
      labels: { zone },
      resources: {
        cpuNanos: cores * 1e9,
        memoryBytes: memory * GB,
        devices: Array.from({ length: gpus }, () => ({ kind: 'gpu', model: zone })),
      },
    }),
  );
}

const BEYOND = {
  '': {},
  spread: { topologySpread: [{ topologyKey: 'zone', maxSkew: 1 }] },
  prefer: { topologySpread: [{ topologyKey: 'zone', maxSkew: 1, otherwise: 'prefer' }] },
  near: { serviceAffinity: { required: [{ service: 'web', topologyKey: 'zone' }] } },
  far: { serviceAntiAffinity: { required: [{ service: 'db', topologyKey: 'node.id' }] } },
  like: {
    serviceAffinity: {
      preferred: [{ weight: 5, term: { service: 'db', topologyKey: 'zone' } }],
    },
  },
} as const;

function tasksOf(workload: Workload): Task[] {
  return workload.flatMap(({ service, cpu, memory, gpu, replicas, beyond }, version) =>
    Array.from({ length: replicas }, (_, slot) =>
      task({
        id: `${service}.${version}.${slot}`,
        service,
        slot,
        specVersion: version,
        createdAt: version,
        reservations: {
          cpuNanos: cpu * 1e6,
          memoryBytes: memory * 1_000_000,
          devices:
            gpu === 0
              ? []
              : [
                  gpu < 1000
                    ? { kind: 'gpu', count: 1, milli: gpu }
                    : { kind: 'gpu', count: gpu / 1000 },
                ],
        } as never,
        template: {},
      }),
    ).map((one) => ({
      ...one,
      spec: {
        ...one.spec,
        template: { ...one.spec.template, placement: BEYOND[beyond] },
      },
    })),
  );
}

function zoneIn(value: string): NodeRequirement {
  return { key: 'node.labels.zone', operator: 'In', values: [value] };
}

function policiesFor(cluster: Cluster, tasks: readonly Task[]): readonly Policy[] {
  const tieBreak = tieBreakByRank(new Map(cluster.map(({ rank }, at) => [`n${at}`, rank])));
  const soft = topologySpreadScore({
    defaults: [{ topologyKey: 'zone', maxSkew: 2, otherwise: 'prefer' }],
  });
  return [
    balancedPolicy(),
    balancedPolicy({ tieBreak }),
    kubernetesPolicy(),
    kubernetesPolicy({ tieBreak }),
    bestFitPolicy({ tieBreak }),
    gpuPackingPolicy(),
    fgdPolicy({ workload: typicalTasks(tasks), tieBreak }),
    composePolicy({
      name: 'four scores',
      filters: STANDARD_FILTERS,
      scores: [
        weighted(mostAllocatedScore({ memory: 3 }), 0.5),
        balancedAllocationScore,
        soft,
        weighted(leastAllocatedScore({ memory: 0 }), 2),
      ],
      tieBreak,
    }),
    composePolicy({
      name: 'rank, then scores',
      filters: STANDARD_FILTERS,
      rank: [serviceTasksTerm],
      scores: [leastAllocatedScore()],
      tieBreak,
    }),
  ];
}

describe('the engine', () => {
  it('decides as the contract reads, whatever path it takes', () => {
    fc.assert(
      fc.property(clusters, workloads, (cluster, workload) => {
        const nodes = nodesOf(cluster);
        const tasks = tasksOf(workload);
        for (const policy of policiesFor(cluster, tasks)) {
          const state = new ClusterState({ nodes });
          const plain = new ClusterState({ nodes });
          for (const group of groupTasks(tasks)) {
            const result = placeGroup(state, group, { policy, now: 0 });
            const expected = placePlainly(plain, group, policy);
            expect([policy.name, placesOf(result)]).toEqual([policy.name, placesOf(expected)]);
            expect(result.placements.map(({ devices }) => devices ?? [])).toEqual(
              expected.placements.map((one) => (one as { devices?: unknown }).devices ?? []),
            );
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  it('decides alike for a group and for its tasks one by one', () => {
    fc.assert(
      fc.property(clusters, workloads, (cluster, workload) => {
        const nodes = nodesOf(cluster);
        const tasks = tasksOf(workload);
        for (const policy of [...policiesFor(cluster, tasks), swarmPolicy()]) {
          const state = new ClusterState({ nodes });
          const single = new ClusterState({ nodes });
          for (const group of groupTasks(tasks)) {
            const result = placeGroup(state, group, { policy, now: 0 });
            const places: Record<string, string> = {};
            for (const one of group.tasks) {
              const alone = { ...group, tasks: [one] };
              Object.assign(places, placesOf(placeGroup(single, alone, { policy, now: 0 })));
            }
            expect([policy.name, placesOf(result)]).toEqual([policy.name, places]);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('keeps the levels of a spread before scores, with volatile plugins too', () => {
    const nodes = ['a', 'a', 'a', 'b'].map((zone, at) => node({ id: `n${at}`, labels: { zone } }));
    const tasks = Array.from({ length: 6 }, (_, slot) =>
      task({
        slot,
        template: {
          placement: {
            preferences: [{ spread: 'node.labels.zone' }],
            topologySpread: [{ topologyKey: 'node.id', maxSkew: 1, otherwise: 'prefer' }],
          },
        },
      }),
    );
    for (const base of [balancedPolicy(), kubernetesPolicy()]) {
      const policy = composePolicy({ name: 'spread', base, spread: spreadByPreferences });
      const state = new ClusterState({ nodes });
      const [group] = groupTasks(tasks);
      const places = placesOf(placeGroup(state, group as TaskGroup, { policy, now: 0 }));
      const counts = Object.values(places).reduce<Record<string, number>>(
        (sums, place) => ({ ...sums, [place]: (sums[place] ?? 0) + 1 }),
        {},
      );
      expect(counts['n3']).toBe(3);
      if (base.name === 'kubernetes') expect(counts).toEqual({ n0: 1, n1: 1, n2: 1, n3: 3 });
    }
  });

  it('sees a node that comes between two tasks of a kind', () => {
    const policy = balancedPolicy();
    const state = new ClusterState({ nodes: [node({ id: 'n1' }), node({ id: 'n2' })] });
    const placed: string[] = [];
    for (let slot = 0; slot < 5; slot += 1) {
      const one = task({ slot, specVersion: null, reservations: { cpuNanos: 1e9 } });
      const [group] = groupTasks([one]);
      const { placements } = placeGroup(state, group as TaskGroup, { policy, now: 0 });
      placed.push(placements[0]?.nodeId ?? '-');
      if (slot === 2) state.upsertNode(node({ id: 'n3' }));
    }
    expect(placed).toEqual(['n1', 'n2', 'n1', 'n3', 'n2']);
  });

  it('decides as the contract reads while nodes change, come and go between tasks', () => {
    const states = ['ready', 'ready', 'down'] as const;
    const availabilities = ['active', 'active', 'drain'] as const;
    const draws = fc.record({
      node: fc.integer({ min: 0, max: 4 }),
      state: fc.constantFrom(...states),
      availability: fc.constantFrom(...availabilities),
      zone: fc.constantFrom('a', 'b'),
      cores: fc.integer({ min: 1, max: 3 }),
    });
    const steps = fc.array(
      fc.oneof(
        { weight: 1, arbitrary: fc.record({ set: draws }) },
        { weight: 1, arbitrary: fc.record({ remove: fc.integer({ min: 0, max: 4 }) }) },
        { weight: 1, arbitrary: fc.record({ release: fc.nat() }) },
        { weight: 6, arbitrary: fc.record({ wish: fc.constantFrom('', 'a', 'b', 'gpu') }) },
      ),
      { minLength: 5, maxLength: 40 },
    );
    const PLACEMENTS = {
      '': {},
      a: { constraints: ['node.labels.zone==a'] },
      b: { nodeAffinity: { required: [{ match: [zoneIn('b')] }] } },
      gpu: { platforms: [{ os: 'linux', architecture: 'amd64' }] },
    };
    fc.assert(
      fc.property(steps, (script) => {
        for (const policy of [swarmPolicy(), balancedPolicy()]) {
          const state = new ClusterState({ nodes: [node({ id: 'n0' }), node({ id: 'n1' })] });
          const ids: string[] = [];
          for (const step of script) {
            if ('set' in step) {
              const { node: number, cores, zone, ...input } = step.set;
              const resources = { cpuNanos: cores * 1e9, memoryBytes: 4 * GB };
              state.upsertNode(node({ id: `n${number}`, labels: { zone }, resources, ...input }));
            } else if ('remove' in step) {
              state.removeNode(`n${step.remove}`);
            } else if ('release' in step) {
              state.release(ids[step.release % Math.max(ids.length, 1)] ?? '');
            } else {
              const id = `t${ids.length}`;
              const plain = task({ id, specVersion: null, reservations: { cpuNanos: 3e8 } });
              const template = { ...plain.spec.template, placement: PLACEMENTS[step.wish] };
              const one = { ...plain, spec: { ...plain.spec, template } } as Task;
              const [group] = groupTasks([one]);
              // A copy remembers nothing.
              const expected = placePlainly(state.clone(), group as TaskGroup, policy);
              const result = placeGroup(state, group as TaskGroup, { policy, now: 0 });
              expect(placesOf(result)).toEqual(placesOf(expected));
              ids.push(id);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('follows an index of many nodes as it scans them', () => {
    const policy = balancedPolicy();
    const nodes = Array.from({ length: 150 }, (_, at) =>
      node({ id: `n${at}`, resources: { cpuNanos: (2 + (at % 3)) * 1e9, memoryBytes: 4 * GB } }),
    );
    const state = new ClusterState({ nodes });
    const plain = new ClusterState({ nodes });
    for (let slot = 0; slot < 400; slot += 1) {
      const reservations = { cpuNanos: (1 + (slot % 2)) * 5e8, memoryBytes: 300_000_000 };
      const one = task({ id: `t${slot}`, slot, specVersion: null, reservations });
      // Something else changes now and then, sometimes much of it.
      if (slot % 50 === 49) {
        for (const changed of slot % 100 === 99 ? nodes.slice(0, 20) : nodes.slice(0, 1)) {
          state.upsertNode(changed);
        }
      }
      const [group] = groupTasks([one]);
      const result = placeGroup(state, group as TaskGroup, { policy, now: 0 });
      expect(placesOf(result)).toEqual(placesOf(placePlainly(plain, group as TaskGroup, policy)));
    }
  });
});
