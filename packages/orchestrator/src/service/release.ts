/**
 * When a task that waits at READY may run.
 *
 * **Source:** SwarmKit manager/orchestrator/restart/restart.go (DelayStart): a delay, then the end
 * of the old task, its node's loss, or a minute since the wait began. Both clocks start together.
 */
import { OLD_TASK_TIMEOUT_MS, isAtLeast, isTerminal, type Task, type TaskRelease } from '@skep/api';
import { isUnreachable } from './node-fitness.js';
import type { ServicePlan } from './service-plan.js';
import { isOver, nodeIdOf } from './task-facts.js';

/** Whether a task may run: yes, or the next time to look, Infinity for "when something happens". */
export type ReleaseVerdict =
  { readonly isDue: true } | { readonly isDue: false; readonly at: number };

/** A release after a delay and, unless it is over already, after the end of another task. */
export function releaseAfter(plan: ServicePlan, delayMs: number, old?: Task): TaskRelease {
  const notBefore = plan.now + delayMs;
  if (old === undefined || !mayStillRun(plan, old)) return { notBefore };
  return { notBefore, afterTask: old.meta.id, giveUpAt: plan.now + OLD_TASK_TIMEOUT_MS };
}

/** Whether the task may run now. */
export function releaseVerdict(plan: ServicePlan, task: Task): ReleaseVerdict {
  const { release } = task.spec;
  if (release === undefined) return { isDue: true };
  if (plan.now < release.notBefore) return { isDue: false, at: release.notBefore };
  const old = release.afterTask === undefined ? undefined : plan.task(release.afterTask);
  if (old === undefined || !mayStillRun(plan, old)) return { isDue: true };
  const giveUpAt = release.giveUpAt ?? Infinity;
  return plan.now >= giveUpAt ? { isDue: true } : { isDue: false, at: giveUpAt };
}

/** Releases every task that waits and may run; asks for a pass when the next one may. */
export function releaseTasks(plan: ServicePlan): void {
  for (const task of plan.tasks()) {
    if (task.spec.desiredState !== 'ready' || isTerminal(task.status.state)) continue;
    const verdict = releaseVerdict(plan, task);
    if (!verdict.isDue) {
      if (verdict.at < Infinity) plan.requeue(verdict.at);
      continue;
    }
    // From here on the field says when the task was let go: a progress deadline counts from it.
    plan.setRelease(task, { notBefore: plan.now });
    plan.setDesired(task, plan.runState);
  }
}

/** Not over, and on a node of which we hear. */
function mayStillRun(plan: ServicePlan, task: Task): boolean {
  if (isOver(task)) return false;
  if (nodeIdOf(task) === undefined) return isAtLeast(task.status.state, 'assigned');
  return !isUnreachable(plan.nodeOf(task));
}
