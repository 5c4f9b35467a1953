import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Node, Task } from '@skep/api';
import { node, task } from '../__fixtures__/builders.js';
import { ClusterState } from '../cluster-state.js';
import { explain } from '../explain.js';
import { swarmPolicy } from '../swarm-policy.js';
import { imbalanceOf, scatteredLoad, spreadsOf, unevenLoad, unevenTasks } from './imbalance.js';
import { applyPlan } from './plan.js';
import { planRebalance } from './rebalance.js';
import { waitingTask } from './trial.js';

/** Runs of each law; more of them by `LAW_RUNS=2000`. */
const RUNS = { numRuns: Number(process.env['LAW_RUNS'] ?? 40) };
const policy = swarmPolicy();

const aNode = fc.record({
  zone: fc.constantFrom('a', 'b'),
  memory: fc.integer({ min: 2, max: 8 }),
  isReady: fc.constantFrom(true, true, true, false),
});
const aTask = fc.record({
  service: fc.constantFrom('s1', 's2', 's3'),
  at: fc.nat(5),
  memory: fc.integer({ min: 0, max: 3 }),
  isSpread: fc.boolean(),
  zone: fc.constantFrom(undefined, undefined, 'a'),
  version: fc.integer({ min: 1, max: 2 }),
});
const clusters = fc.array(aNode, { minLength: 1, maxLength: 6 });
const runnings = fc.array(aTask, { maxLength: 8 });
const measures = fc.constantFrom(unevenTasks, unevenLoad, scatteredLoad);

type NodeInputs = typeof aNode extends fc.Arbitrary<infer T> ? T : never;
type TaskInputs = typeof aTask extends fc.Arbitrary<infer T> ? T : never;

const nodesOf = (inputs: readonly NodeInputs[]): readonly Node[] =>
  inputs.map(({ zone, memory, isReady }, at) =>
    node({
      id: `n${at}`,
      labels: { zone },
      state: isReady ? 'ready' : 'down',
      resources: { memoryBytes: memory, cpuNanos: 4 },
    }),
  );

const tasksOf = (inputs: readonly TaskInputs[], size: number): readonly Task[] =>
  inputs.map(({ service, at, memory, isSpread, zone, version }, index) =>
    task({
      id: `t${index}`,
      service,
      specVersion: version,
      nodeId: `n${at % size}`,
      reservations: { memoryBytes: memory },
      template: {
        placement: {
          constraints: zone === undefined ? [] : [`node.labels.zone == ${zone}`],
          preferences: isSpread ? [{ spread: 'node.labels.zone' }] : [],
        },
      },
    }),
  );

describe('laws of rebalancing', () => {
  it('every move lowers the measure by what it says, fits, and keeps the spread', () => {
    let moves = 0;
    fc.assert(
      fc.property(clusters, runnings, measures, (nodeInputs, taskInputs, measure) => {
        const nodes = nodesOf(nodeInputs);
        const tasks = tasksOf(taskInputs, nodes.length);
        const state = new ClusterState({ nodes, tasks });
        const spreads = spreadsOf(state, policy);
        const plan = planRebalance(state, { policy, now: 0, measure });
        moves += plan.changes.length;
        expect(plan.values).toHaveLength(plan.changes.length + 1);
        expect(imbalanceOf(state, measure, spreads)).toBe(plan.values[0]);
        let objects = { nodes, tasks };
        for (const [at, change] of plan.changes.entries()) {
          const before = plan.values[at] as number;
          const mover = objects.tasks.find(({ meta }) => meta.id === change.taskId) as Task;
          const without = objects.tasks.filter((other) => other !== mover);
          const freed = new ClusterState({ nodes, tasks: without });
          const told = explain(freed, waitingTask(mover), { policy, now: 0 });
          const there = told.nodes.find(({ nodeId }) => nodeId === change.to);
          expect(there?.isCandidate).toBe(true);
          const tasksIn = (place: ClusterState): readonly number[] =>
            ['a', 'b'].map((zone) =>
              place.nodes
                .filter((info) => info.node.meta.labels['zone'] === zone)
                .reduce((sum, info) => sum + place.activeTasksOf(mover.spec.serviceId).on(info), 0),
            );
          const squares = (counts: readonly number[]): number =>
            counts.reduce((sum, count) => sum + count * count, 0);
          const past = new ClusterState(objects);
          objects = {
            nodes,
            tasks: [...applyPlan(objects, { changes: [change], pending: [] }).tasks],
          };
          const present = new ClusterState(objects);
          const levels = spreads.get(mover.spec.serviceId ?? '') ?? [];
          if (levels.length > 0) {
            expect(squares(tasksIn(present))).toBeLessThanOrEqual(squares(tasksIn(past)));
          }
          const after = imbalanceOf(present, measure, spreads);
          expect(after).toBeCloseTo(plan.values[at + 1] as number, 9);
          expect(after).toBeLessThan(before);
        }
      }),
      RUNS,
    );
    expect(moves).toBeGreaterThan(0);
  });

  it('a plan that ends by itself leaves no single move that gains: a second plan is empty', () => {
    fc.assert(
      fc.property(clusters, runnings, measures, (nodeInputs, taskInputs, measure) => {
        const nodes = nodesOf(nodeInputs);
        const tasks = tasksOf(taskInputs, nodes.length);
        const options = { policy, now: 0, measure, movesMax: 50 };
        const plan = planRebalance(new ClusterState({ nodes, tasks }), options);
        expect(plan.isBalanced).toBe(true);
        const moved = new Set(plan.changes.map(({ taskId }) => taskId));
        const after = new ClusterState(applyPlan({ nodes, tasks }, plan));
        const again = planRebalance(after, {
          ...options,
          isMovable: ({ meta }) => !moved.has(meta.id),
        });
        expect(again.changes).toEqual([]);
      }),
      RUNS,
    );
  });
});
