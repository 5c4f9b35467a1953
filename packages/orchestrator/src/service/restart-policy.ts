/**
 * May an ended task be followed by another?
 *
 * **Source:** SwarmKit manager/orchestrator/restart/restart.go (shouldRestart,
 * RecordRestartHistory). The history travels from task to task instead of living in a leader's
 * memory, so it needs no reconstruction after a fail-over.
 */
import {
  isTerminal,
  restartPolicy,
  type RestartHistory,
  type Task,
  type TaskTemplate,
} from '@skep/api';

/**
 * Whether the task's own policy lets another one follow it in its slot.
 *
 * Attempts inside the window are counted back from the moment when the task ended; for one that has
 * not ended (its node was drained) from `now`, where Swarm looks at its last change of state.
 */
export function shouldRestart(
  task: Task,
  context: { readonly isJob: boolean; readonly now: number },
): boolean {
  const policy = restartPolicy(task.spec.template);
  if (policy.condition === 'none') return false;
  const endsWithSuccess = policy.condition === 'on-failure' || context.isJob;
  if (endsWithSuccess && task.status.state === 'complete') return false;
  if (policy.maxAttempts <= 0) return true;
  const history = task.spec.restarts ?? { count: 0, times: [] };
  if (policy.windowMs <= 0) return history.count < policy.maxAttempts;
  const at = isTerminal(task.status.state) ? task.status.appliedAt : context.now;
  const recent = history.times.filter((time) => time > at - policy.windowMs && time <= at);
  return recent.length < policy.maxAttempts;
}

/**
 * The history that the replacement of a task carries. It starts afresh with a new generation of the
 * service. Times are kept only where a window needs them, at most `maxAttempts` + 1.
 */
export function nextRestarts(
  old: Task,
  next: { readonly specVersion: number; readonly template: TaskTemplate; readonly now: number },
): RestartHistory {
  const policy = restartPolicy(next.template);
  const isSame = old.spec.specVersion === next.specVersion;
  const past = isSame ? (old.spec.restarts ?? { count: 0, times: [] }) : { count: 0, times: [] };
  const isTimed = policy.windowMs > 0 && policy.maxAttempts > 0;
  const recent = past.times.filter((time) => time > next.now - policy.windowMs);
  return {
    count: past.count + 1,
    times: isTimed ? [...recent, next.now].slice(-(policy.maxAttempts + 1)) : [],
  };
}
