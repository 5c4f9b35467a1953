import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Node, Task } from '@skep/api';
import { node, placeAll, task } from '../__fixtures__/builders.js';
import { ClusterState } from '../cluster-state.js';
import { explain } from '../explain.js';
import { composePolicy } from '../policies/compose-policy.js';
import { STANDARD_FILTERS } from '../policies/standard-policies.js';
import type { Policy } from '../policy.js';
import { swarmPolicy } from '../swarm-policy.js';
import { planPreemption } from './preemption.js';

/** Runs of each law; more of them by `LAW_RUNS=2000`. */
const RUNS = { numRuns: Number(process.env['LAW_RUNS'] ?? 100) };
const swarm = swarmPolicy();
const standard = composePolicy({ name: 'standard', filters: STANDARD_FILTERS });

const aNode = fc.record({
  memory: fc.integer({ min: 3, max: 5 }),
  gpus: fc.integer({ min: 1, max: 3 }),
});
/** Often few nodes, so that there is no room; at most six. */
const clusters = fc.oneof(
  fc.array(aNode, { minLength: 2, maxLength: 3 }),
  fc.array(aNode, { minLength: 1, maxLength: 6 }),
);
const wish = fc.record({
  priority: fc.integer({ min: -2, max: 4 }),
  memory: fc.integer({ min: 0, max: 3 }),
  gpus: fc.nat(1),
  port: fc.boolean(),
  service: fc.constantFrom('s1', 's2', 's3'),
  most: fc.constantFrom(0, 0, 2),
  beyond: fc.subarray(['spread', 'near', 'far', 'device'] as const, { maxLength: 2 }),
});
/** Important enough, and large enough, to be in want of a place. */
const wanteds = wish.map((one) => ({
  ...one,
  priority: one.priority + 2,
  memory: Math.max(one.memory, 3),
}));
const runnings = fc.array(
  fc.tuple(wish, fc.record({ at: fc.nat(5), age: fc.nat(8), isEnding: fc.boolean() })),
  { minLength: 4, maxLength: 8 },
);
const budgets = fc.record({ s1: fc.nat(2), s2: fc.nat(1), s3: fc.constant(undefined) });

type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never;
type Running = typeof runnings extends fc.Arbitrary<(infer T)[]> ? T : never;

function nodesOf(inputs: readonly { memory: number; gpus: number }[]): readonly Node[] {
  return inputs.map(({ memory, gpus }, at) =>
    node({
      id: `n${at}`,
      labels: { zone: at % 2 === 0 ? 'a' : 'b' },
      resources: {
        memoryBytes: memory,
        generic: [{ kind: 'gpu', count: gpus }],
        devices: [{ kind: 'card' }],
      },
    }),
  );
}

function taskOf(id: string, input: Wish): Task {
  const { priority, memory, gpus, port, service, most, beyond } = input;
  const term = { service: 's2', topologyKey: 'zone' };
  return task({
    id,
    service,
    specVersion: 1,
    template: {
      resources: {
        reservations: {
          memoryBytes: memory,
          generic: [{ kind: 'gpu', count: gpus }],
          devices: beyond.includes('device') ? [{ kind: 'card', count: 1, milli: 500 }] : [],
        },
      },
      placement: {
        priority,
        maxReplicasPerNode: most,
        ...(beyond.includes('spread')
          ? { topologySpread: [{ topologyKey: 'zone', maxSkew: 1 }] }
          : {}),
        ...(beyond.includes('near') ? { serviceAffinity: { required: [term] } } : {}),
        ...(beyond.includes('far') ? { serviceAntiAffinity: { required: [term] } } : {}),
      },
    },
    ports: port ? [{ targetPort: 1, publishedPort: 80, publishMode: 'host' }] : [],
  });
}

function runningOf([input, { at, age, isEnding }]: Running, index: number, size: number): Task {
  const base = taskOf(`t${index}`, input);
  return {
    ...base,
    meta: { ...base.meta, createdAt: age },
    spec: { ...base.spec, desiredState: isEnding && age === 0 ? 'shutdown' : 'running' },
    status: {
      ...base.status,
      state: 'running',
      nodeId: `n${at % size}`,
      devices: input.beyond.includes('device') ? [{ kind: 'card', index: 0, milli: 500 }] : [],
    },
  };
}

/** What the plan promises to minimise, worked out independently: compared place by place. */
function costOf(
  victims: readonly Task[],
  { nodeId, budget }: { nodeId: string; budget: Record<string, number | undefined> },
): readonly (number | string)[] {
  const priority = (one: Task): number => one.spec.template.placement?.priority ?? 0;
  const violations = Object.entries(budget).map(([service, allowed]) => {
    const taken = victims.filter(({ spec }) => spec.serviceId === service).length;
    return allowed === undefined ? 0 : Math.max(0, taken - allowed);
  });
  const highest = Math.max(...victims.map(priority));
  const top = victims.filter((one) => priority(one) === highest);
  return [
    violations.reduce((a, b) => a + b, 0),
    highest,
    victims.map((one) => priority(one) + 2 ** 31 + 1).reduce((a, b) => a + b, 0),
    victims.length,
    -Math.min(...top.map(({ meta }) => meta.createdAt)),
    nodeId,
    victims.map(({ meta }) => meta.id).join(),
  ];
}

function isLess(a: readonly (number | string)[], b: readonly (number | string)[]): boolean {
  for (const [at, value] of a.entries()) {
    const other = b[at] as number | string;
    if (value !== other) return value < other;
  }
  return false;
}

function subsets<T>(items: readonly T[]): readonly (readonly T[])[] {
  return items.reduce<readonly (readonly T[])[]>(
    (sets, item) => [...sets, ...sets.map((set) => [...set, item])],
    [[]],
  );
}

/** All that preemption could do, tried out on states of their own: victims anywhere, any node. */
function cheapest(
  cluster: readonly Node[],
  tasks: readonly Task[],
  question: {
    readonly one: Task;
    readonly budget: Record<string, number | undefined>;
    readonly policy: Policy;
  },
): readonly (number | string)[] | undefined {
  const { one, budget, policy } = question;
  const priority = one.spec.template.placement?.priority ?? 0;
  const staying = tasks.filter(({ spec }) => spec.desiredState === 'running');
  const lower = staying.filter(({ spec }) => (spec.template.placement?.priority ?? 0) < priority);
  let best: readonly (number | string)[] | undefined;
  for (const victims of subsets(lower)) {
    if (victims.length === 0) continue;
    const left = staying.filter((other) => !victims.includes(other));
    const state = new ClusterState({ nodes: cluster, tasks: left });
    for (const { nodeId, isCandidate } of explain(state, one, { policy, now: 0 }).nodes) {
      // Beyond Swarm, victims elsewhere may help too; those are not looked for.
      const isHere = victims.every(({ status }) => status.nodeId === nodeId);
      if (!isCandidate || (policy !== swarm && !isHere)) continue;
      const cost = costOf(victims, { nodeId, budget });
      if (best === undefined || isLess(cost, best)) best = cost;
    }
  }
  return best;
}

describe('laws of preemption', () => {
  it.each([
    ['of all sets of victims, by Swarm’s policy', swarm],
    ['of all sets on one node, by all that a placement can require', standard],
  ])('no cheaper preemption exists: brute force %s', (_, policy) => {
    let preempted = 0;
    fc.assert(
      fc.property(clusters, runnings, wanteds, budgets, (inputs, runs, wanted, budget) => {
        const cluster = nodesOf(inputs);
        const tasks = runs.map((run, at) => runningOf(run, at, cluster.length));
        const one = taskOf('wanted', wanted);
        const state = new ClusterState({ nodes: cluster, tasks });
        const plan = planPreemption(state, one, {
          policy,
          now: 0,
          budget: (service) => budget[service as 's1'],
        });
        if (!plan.ok && (plan.code === 'fits' || plan.code === 'will-fit')) {
          const there =
            plan.code === 'fits'
              ? tasks
              : tasks.filter(({ spec }) => spec.desiredState === 'running');
          const fresh = new ClusterState({ nodes: cluster, tasks: there });
          expect(placeAll(fresh, [one], { policy }).placements).toHaveLength(1);
          return;
        }
        const best = cheapest(cluster, tasks, { one, budget, policy });
        const found = plan.ok
          ? costOf(
              tasks.filter(({ meta }) => plan.victims.some((v) => v.taskId === meta.id)),
              {
                nodeId: plan.nodeId,
                budget,
              },
            )
          : undefined;
        expect(found).toEqual(best);
        if (plan.ok) preempted += 1;
      }),
      RUNS,
    );
    expect(preempted).toBeGreaterThan(RUNS.numRuns / 10);
  });

  it('after the evictions the real scheduler places the task, without any one of them it does not', () => {
    fc.assert(
      fc.property(clusters, runnings, wanteds, (inputs, runs, wanted) => {
        const cluster = nodesOf(inputs);
        const tasks = runs
          .map((run, at) => runningOf(run, at, cluster.length))
          .filter(({ spec }) => spec.desiredState === 'running');
        const one = taskOf('wanted', wanted);
        const state = new ClusterState({ nodes: cluster, tasks });
        const placesNow = () => state.nodes.map(({ id }) => state.tasksOn(id));
        const before = placesNow();
        const plan = planPreemption(state, one, { policy: swarm, now: 0 });
        expect(placesNow()).toEqual(before);
        if (!plan.ok) return;
        const victims = new Set(plan.victims.map(({ taskId }) => taskId));
        const placedWithout = (gone: ReadonlySet<string>): number => {
          const left = tasks.filter(({ meta }) => !gone.has(meta.id));
          return placeAll(new ClusterState({ nodes: cluster, tasks: left }), [one]).placements
            .length;
        };
        expect(placedWithout(victims)).toBe(1);
        for (const id of victims) {
          expect(placedWithout(new Set([...victims].filter((other) => other !== id)))).toBe(0);
        }
        for (const { priority } of plan.victims) expect(priority).toBeLessThan(wanted.priority);
      }),
      RUNS,
    );
  });
});
