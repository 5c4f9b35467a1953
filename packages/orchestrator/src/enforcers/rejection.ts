/**
 * What enforcers do to tasks that may not stay where they are.
 *
 * They write the *observed* state, on purpose: the ordinary restart logic does the rest.
 *
 * **Source:** SwarmKit manager/orchestrator/{constraintenforcer,volumeenforcer}.
 */
import {
  compareBy,
  compareTaskStates,
  compareText,
  isAtLeast,
  withStatus,
  type Task,
  type Timestamp,
} from '@skep/api';
import type { Change } from '@skep/store';

/** Whether a task is on its node and is to stay there: the tasks that enforcers judge. */
export function isEnforceable({ spec, status }: Task): boolean {
  return (
    compareTaskStates(spec.desiredState, 'complete') <= 0 &&
    isAtLeast(status.state, 'assigned') &&
    !isAtLeast(status.state, 'complete')
  );
}

/** Tasks from the oldest to the newest: when there is not room for all, the newest go. */
export const compareSeniority: (a: Task, b: Task) => number = compareBy(
  (a, b) => a.meta.createdAt - b.meta.createdAt,
  (a, b) => compareText(a.meta.id, b.meta.id),
);

/** The change that rejects a task. */
export function rejectTask(
  task: Task,
  words: { readonly message: string; readonly error: string; readonly now: Timestamp },
): Change {
  const { message, error, now } = words;
  const times = { timestamp: now, appliedAt: now };
  return {
    type: 'update',
    object: withStatus(task, { ...task.status, state: 'rejected', ...times, message, error }),
  };
}
