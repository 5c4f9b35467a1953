/**
 * The scheduler's decision: which waiting task goes where, purely.
 */
import { Task, type Timestamp } from '@skep/api';
import { update, type BatchPlan, type PlanGroup } from '@skep/controller';
import {
  alikeTasks,
  compareTasks,
  confirm,
  groupOf,
  placeEach,
  type PlacementListener,
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
  const unwanted: Task[] = [];
  const due: Task[] = [];
  const requeueAt = new Map<string, Timestamp>();
  for (const key of keys) {
    const task = view.get(Task, key);
    if (task === undefined || !isWaiting(task)) continue;
    const at = task.status.appliedAt + options.debounceMs;
    if (isUnwanted(task.spec)) unwanted.push(task);
    else if (at <= now) due.push(task);
    else requeueAt.set(key, at);
  }
  const next: Task[] = [];
  for (const task of unwanted.sort(compareTasks)) next.push(neverAssigned(task, now));
  decide(memory, due, { policy: options.policy, now, next });
  return { groups: groupsOf(next), ...(requeueAt.size === 0 ? {} : { requeueAt }) };
}

/** Adds the next state of each task about which something new is to be said. */
function decide(
  memory: SchedulerMemory,
  tasks: readonly Task[],
  options: { readonly policy: Policy; readonly now: Timestamp; readonly next: Task[] },
): void {
  const { cluster, waiting } = memory;
  const { policy, now, next } = options;
  const refuse = (task: Task, reason: Parameters<typeof refused>[1]): void => {
    waiting.add(task);
    const said = refused(task, reason);
    if (said !== undefined) next.push(said);
  };
  try {
    // Preassigned tasks have no choice, so they choose first.
    const preassigned: Task[] = [];
    const free: Task[] = [];
    for (const task of tasks) (task.spec.nodeId === undefined ? free : preassigned).push(task);
    for (const task of preassigned.sort(compareTasks)) {
      const confirmed = confirm(cluster, task, { policy, now });
      if (confirmed.ok) next.push(assigned(confirmed.placement, now));
      else refuse(task, confirmed.explanation);
    }
    // A task that waits counts nowhere, and a key comes once.
    const placing = { policy, now, areNew: true };
    const told: PlacementListener = {
      placed: (placement) => next.push(assigned(placement, now)),
      unplaced: refuse,
    };
    for (const alike of alikeTasks(free)) placeEach(cluster, groupOf(alike), placing, told);
  } catch (thrown) {
    // A policy that failed may not fail on another cluster.
    for (const task of tasks) waiting.add(task);
    throw thrown;
  }
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
