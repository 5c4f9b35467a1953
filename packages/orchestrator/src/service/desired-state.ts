/**
 * Changing what is wanted of a task.
 *
 * **Source:** SwarmKit design/task_model.md: desired state only moves up.
 */
import {
  compareTaskStates,
  isTerminal,
  withSpec,
  type DesiredTaskState,
  type Task,
  type Timestamp,
} from '@skep/api';

/**
 * The task with a higher desired state; the task itself when it is not higher. A task that is asked
 * to end before it did gets the time at which it is stopped even if tables still route to it.
 */
export function withDesired(
  task: Task,
  desiredState: DesiredTaskState,
  context: { readonly now: Timestamp; readonly drainTimeoutMs: number },
): Task {
  if (compareTaskStates(task.spec.desiredState, desiredState) >= 0) return task;
  const ends = compareTaskStates(desiredState, 'complete') > 0;
  const stopBy =
    ends && task.spec.stopBy === undefined && !isTerminal(task.status.state)
      ? { stopBy: context.now + context.drainTimeoutMs }
      : {};
  return withSpec(task, { ...task.spec, desiredState, ...stopBy });
}
