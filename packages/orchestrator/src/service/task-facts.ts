/**
 * Facts about a task that several rules ask for.
 *
 * **Source:** SwarmKit manager/orchestrator/task.go, manager/orchestrator/taskreaper.
 */
import {
  compareBy,
  compareTaskStates,
  compareText,
  isAtLeast,
  isTerminal,
  type NodeId,
  type Task,
} from '@skep/api';

/** Whether the orchestrator wants the task to run, now or once it is released. */
export function isWanted(task: Task): boolean {
  return compareTaskStates(task.spec.desiredState, 'complete') <= 0;
}

/** Whether the task has ended, or never will begin: not assigned and not wanted any more. */
export function isOver(task: Task): boolean {
  if (isTerminal(task.status.state)) return true;
  return !isWanted(task) && !isAtLeast(task.status.state, 'assigned');
}

/** Where the task is, or will be because the orchestrator fixed it. */
export function nodeIdOf(task: Task): NodeId | undefined {
  return task.status.nodeId ?? task.spec.nodeId;
}

/** Tasks from the oldest to the newest, then by id. */
export const compareAge: (a: Task, b: Task) => number = compareBy(
  (a, b) => a.meta.createdAt - b.meta.createdAt,
  (a, b) => compareText(a.meta.id, b.meta.id),
);

/**
 * The newest of some tasks of one slot. A task that another one replaces is never the newest, even
 * if both were made in the same millisecond.
 */
export function newestTask(tasks: readonly Task[]): Task | undefined {
  const replaced = new Set(tasks.map((task) => task.spec.replaces));
  let newest: Task | undefined;
  for (const task of tasks) {
    if (replaced.has(task.meta.id)) continue;
    if (newest === undefined || compareAge(newest, task) < 0) newest = task;
  }
  return newest;
}
