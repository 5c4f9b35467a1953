/**
 * Laws about what a policy promises to the engine: what may be batched, shared and taken back.
 */
import type { Task } from '@skep/api';
import { explain, groupOf, groupTasks, placeGroup, type ClusterState } from '@skep/scheduler';
import { nameOf } from '../build/service.js';
import { decideFor, placeCluster } from '../place.js';
import { stateOf, type Decision } from '../placed-cluster.js';
import { assigned, PlacementResult } from '../placement-result.js';
import { outcomeOf, type LawTrial, type PolicyLaw } from './law.js';
import { areEquallyFull } from './ties.js';

/**
 * A whole service at once goes where its tasks go one after another. What is left over when a
 * spread is even goes to the branch that began with fewer tasks; one task alone has no such
 * beginning, so that from there on nothing is compared.
 */
export const batchLaw: PolicyLaw = {
  name: 'batch',
  statement:
    'placing a group at once decides as placing its tasks one by one, up to what is left over ' +
    'when branches of a spread are equally full',
  check: (trial) => {
    const single = oneByOne(trial);
    return difference(placeCluster(trial.policy, trial.cluster), single, {
      one: 'at once',
      other: 'one by one',
      isAllowed: (at, nodeId) => {
        const { task, placement } = single.decisions[at] as Decision;
        const explanation = single.explain(nameOf(task));
        return areEquallyFull(explanation, placement?.nodeId ?? '', nodeId);
      },
    });
  },
};

/** What is kept from one decision to the next is what would be worked out anew. */
export const cacheLaw: PolicyLaw = {
  name: 'cache',
  statement:
    'what plugins declare by key, ignoresUse and dependsOn is true: nothing remembered is out of ' +
    'date',
  check: (trial) =>
    difference(oneByOne(trial), anewEachTime(trial), {
      one: 'with what is remembered',
      other: 'worked out anew',
    }),
};

/** What was taken away fits again, and the last one goes back to where it was. */
export const againLaw: PolicyLaw = {
  name: 'again',
  statement:
    'a task that is taken off its node finds a place again, the last one the same or one in a ' +
    'branch of the spread that is equally full',
  check: ({ policy, cluster }) => {
    const result = placeCluster(policy, cluster);
    const { state, placements } = result;
    const options = { policy, now: cluster.now };
    const last = placements.at(-1);
    for (const placement of placements) {
      const { task, taskId } = placement;
      const before = booksOf(state);
      state.removeTask(taskId);
      const explanation = placement === last ? explain(state, task, options) : undefined;
      const again = decide(state, task, options).placement;
      state.removeTask(taskId);
      state.upsertTask(assigned(placement));
      const was = `${nameOf(task)} was on ${result.nodeName(placement.nodeId)}`;
      if (again === undefined) return `${was}, and fits nowhere once it is taken away`;
      const isElsewhere = explanation !== undefined && again.nodeId !== placement.nodeId;
      if (isElsewhere && !areEquallyFull(explanation, again.nodeId, placement.nodeId)) {
        return `${was}, and goes to ${result.nodeName(again.nodeId)} once it is taken away`;
      }
      const after = booksOf(state);
      if (after !== before) return `${was}; taken away and put back, ${after} and not ${before}`;
    }
    return undefined;
  },
};

function booksOf(state: ClusterState): string {
  return state.nodes
    .map(({ name, activeTasks, usedCpuNanos, usedMemoryBytes }) => {
      return `${name} has ${activeTasks} tasks, ${usedCpuNanos} and ${usedMemoryBytes} in use`;
    })
    .join('; ');
}

/** Decides about one task, as a group of its own. */
export function decide(
  state: ClusterState,
  task: Task,
  options: Parameters<typeof placeGroup>[2],
): Decision {
  if (task.spec.nodeId !== undefined) return decideFor(state, task, options);
  const { placements, unplaced } = placeGroup(state, groupOf([task]), options);
  const [placement] = placements;
  const [left] = unplaced;
  if (placement !== undefined) return { task, placement };
  return { task, unplaced: left as NonNullable<typeof left> };
}

/** The tasks in the order in which they are decided about. */
export function inDecisionOrder(tasks: readonly Task[]): readonly Task[] {
  const preassigned = tasks.filter(({ spec }) => spec.nodeId !== undefined);
  const free = tasks.filter(({ spec }) => spec.nodeId === undefined);
  return [...preassigned, ...groupTasks(free).flatMap((group) => group.tasks)];
}

function oneByOne({ policy, cluster }: LawTrial): PlacementResult {
  const state = stateOf(cluster);
  const options = { policy, now: cluster.now };
  const decisions = inDecisionOrder(cluster.tasks).map((task) => decide(state, task, options));
  return new PlacementResult({ policy, cluster, state, decisions });
}

function anewEachTime({ policy, cluster }: LawTrial): PlacementResult {
  const options = { policy, now: cluster.now };
  const decisions: Decision[] = [];
  const running = [...cluster.running];
  for (const task of inDecisionOrder(cluster.tasks)) {
    const decision = decide(stateOf({ ...cluster, running }), task, options);
    decisions.push(decision);
    if (decision.placement !== undefined) running.push(assigned(decision.placement));
  }
  const state = stateOf({ ...cluster, running });
  return new PlacementResult({ policy, cluster, state, decisions });
}

/** The first task that goes elsewhere. Reasons may differ: they tell of the moment. */
function difference(
  one: PlacementResult,
  other: PlacementResult,
  words: {
    readonly one: string;
    readonly other: string;
    /** Whether the other result's decision may go to this node as well. */
    readonly isAllowed?: (at: number, nodeId: string) => boolean;
  },
): string | undefined {
  for (const [at, decision] of one.decisions.entries()) {
    const twin = other.decisions[at];
    const mine = outcomeOf(decision, one);
    const its = twin === undefined ? 'missing' : outcomeOf(twin, other);
    if (mine === its) continue;
    const nodeId = decision.placement?.nodeId;
    if (nodeId !== undefined && words.isAllowed?.(at, nodeId) === true) return undefined;
    return `${words.one} ${mine}, ${words.other} ${its}`;
  }
  return undefined;
}
