/**
 * The scheduler's decision: which waiting task goes where, purely.
 */
import { Task, type Timestamp } from '@skep/api';
import { update, type BatchPlan, type PlanGroup } from '@skep/controller';
import {
  compareTasks,
  confirm,
  groupTasks,
  placeGroup,
  type ClusterState,
  type Policy,
} from '@skep/scheduler';
import { CHANGES_MAX, type View } from '@skep/store';
import type { SchedulerMemory } from './memory.js';
import { assigned, neverAssigned, refused } from './task-outcome.js';
import { isUnwanted, isWaiting } from './waiting-tasks.js';

/** How the scheduler decides. */
export interface SchedulingOptions {
  readonly policy: Policy;
  /** A task is not placed before it has waited this long, so that others can join it. */
  readonly debounceMs: number;
}

/**
 * Decides about the tasks that are dirty: those that are not wanted are shut down, preassigned ones
 * are confirmed, the others placed group by group. Every task of a service counts until it is
 * replaced or removed, whatever version of the spec it is from (defect 19): whether it is outdated
 * is for the orchestrator to say, by what changed, and it then asks the task to end.
 *
 * The commits carry the versions of the tasks alone. A node that changes in between may so get a
 * task that it would have refused, as in Swarm: the orchestrator or an enforcer then acts on what
 * it sees. Guarded by the versions of nodes, every acknowledgement of a table would be a conflict.
 */
export function planScheduling(
  memory: SchedulerMemory,
  input: {
    readonly view: View;
    readonly keys: readonly string[];
    readonly now: Timestamp;
    readonly options: SchedulingOptions;
  },
): BatchPlan {
  const { view, keys, now, options } = input;
  memory.passBegins();
  const tasks = waitingTasks(view, keys);
  const unwanted = tasks.filter(({ spec }) => isUnwanted(spec)).sort(compareTasks);
  const wanted = tasks.filter(({ spec }) => !isUnwanted(spec));
  const requeueAt = new Map<string, Timestamp>();
  const due = wanted.filter((task) => {
    const at = task.status.appliedAt + options.debounceMs;
    if (at <= now) return true;
    requeueAt.set(task.meta.id, at);
    return false;
  });
  const next = [
    ...unwanted.map((task) => neverAssigned(task, now)),
    ...decide(memory.cluster, due, { policy: options.policy, now }),
  ];
  return { groups: groupsOf(next), ...(requeueAt.size === 0 ? {} : { requeueAt }) };
}

/** Dirty tasks that still wait, as they come: each step below orders those that it takes. */
function waitingTasks(view: View, keys: readonly string[]): readonly Task[] {
  const tasks: Task[] = [];
  for (const key of keys) {
    const task = view.get(Task, key);
    if (task !== undefined && isWaiting(task)) tasks.push(task);
  }
  return tasks;
}

/** The next state of each task about which something new is to be said. */
function decide(
  cluster: ClusterState,
  tasks: readonly Task[],
  options: { readonly policy: Policy; readonly now: Timestamp },
): readonly Task[] {
  const next: Task[] = [];
  const refuse = (task: Task, reason: Parameters<typeof refused>[1]): void => {
    const said = refused(task, reason);
    if (said !== undefined) next.push(said);
  };
  // Preassigned tasks have no choice, so they choose first.
  const preassigned = tasks.filter(({ spec }) => spec.nodeId !== undefined);
  for (const task of preassigned.sort(compareTasks)) {
    const confirmed = confirm(cluster, task, options);
    if (confirmed.ok) next.push(assigned(confirmed.placement, options.now));
    else refuse(task, confirmed.explanation);
  }
  for (const group of groupTasks(tasks.filter(({ spec }) => spec.nodeId === undefined))) {
    const { placements, unplaced } = placeGroup(cluster, group, options);
    for (const placement of placements) next.push(assigned(placement, options.now));
    for (const { task, explanation } of unplaced) refuse(task, explanation);
  }
  return next;
}

/** Commits as large as they may be: each task is right by itself. */
function groupsOf(tasks: readonly Task[]): readonly PlanGroup[] {
  const groups: PlanGroup[] = [];
  for (let at = 0; at < tasks.length; at += CHANGES_MAX) {
    const slice = tasks.slice(at, at + CHANGES_MAX);
    groups.push({ keys: slice.map(({ meta }) => meta.id), changes: slice.map(update) });
  }
  return groups;
}
