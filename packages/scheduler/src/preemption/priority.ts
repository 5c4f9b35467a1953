/**
 * How important a task is.
 */
import type { Task } from '@skep/api';

/** Least and greatest priority that counts; what is beyond counts as the bound. */
export const PRIORITY_MAX = 2 ** 31 - 1;
/** See {@link PRIORITY_MAX}. */
export const PRIORITY_MIN = -(2 ** 31);

/**
 * Priority of a task: `template.placement.priority`, 0 without. More is more important.
 * **Source:** Kubernetes, `pod.spec.priority` (a 32-bit number, 0 by default).
 */
export function priorityOf(task: Pick<Task, 'spec'>): number {
  const priority = task.spec.template.placement?.priority ?? 0;
  return Math.min(PRIORITY_MAX, Math.max(PRIORITY_MIN, priority));
}
