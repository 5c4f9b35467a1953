/**
 * The states of a task, in their order.
 *
 * **Source:** SwarmKit design/task_model.md and api/types.proto. The numbers are spaced so that
 * states can be added between.
 */

/** Task states with their rank. A task's observed state only ever moves to a higher rank. */
export const TASK_STATE_RANK = Object.freeze({
  new: 0,
  pending: 64,
  assigned: 192,
  accepted: 256,
  preparing: 320,
  ready: 384,
  starting: 448,
  running: 512,
  complete: 576,
  shutdown: 640,
  failed: 704,
  rejected: 768,
  remove: 800,
  orphaned: 832,
} as const);

/** A state of a task: what is observed, or what is wanted. */
export type TaskState = keyof typeof TASK_STATE_RANK;

/** All states from the lowest to the highest. */
export const TASK_STATES = Object.freeze(Object.keys(TASK_STATE_RANK) as TaskState[]);

/** What a task may be asked to be. `remove` is never observed: stop, then delete the record. */
export type DesiredTaskState = 'ready' | 'running' | 'complete' | 'shutdown' | 'remove';

/** Negative, zero or positive as `a` comes before, is, or comes after `b`. */
export function compareTaskStates(a: TaskState, b: TaskState): number {
  return TASK_STATE_RANK[a] - TASK_STATE_RANK[b];
}

/** Whether the task may still run or become running: at most `running`. */
export function isRunnable(state: TaskState): boolean {
  return TASK_STATE_RANK[state] <= TASK_STATE_RANK.running;
}

/** Whether the task has ended for good: beyond `running`. */
export function isTerminal(state: TaskState): boolean {
  return TASK_STATE_RANK[state] > TASK_STATE_RANK.running;
}

/** Whether `state` is `than` or comes after it. */
export function isAtLeast(state: TaskState, than: TaskState): boolean {
  return TASK_STATE_RANK[state] >= TASK_STATE_RANK[than];
}

/** The higher of two states. */
export function laterState<S extends TaskState>(a: S, b: S): S {
  return TASK_STATE_RANK[a] >= TASK_STATE_RANK[b] ? a : b;
}
