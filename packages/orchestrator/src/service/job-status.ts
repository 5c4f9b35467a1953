/**
 * Iterations of jobs.
 *
 * **Source:** SwarmKit manager/controlapi/service.go bumps the iteration at every update of the
 * service; here only a change of what the tasks are made from starts a job again (defect 7).
 */
import { isAtLeast, isEqual, type JobStatus, type SpecRevision, type Task } from '@skep/api';
import type { ServicePlan } from './service-plan.js';
import { groupSlots, type Slot } from './slots.js';
import { isWanted, newestTask } from './task-facts.js';
import { shouldRestart } from './restart-policy.js';
import { specTemplate } from './template.js';

/** The iteration that a newly seen generation belongs to. `previous` is the one seen before it. */
export function jobOf(plan: ServicePlan, previous: SpecRevision | undefined): JobStatus {
  const { job } = plan.service.status;
  if (job === undefined) return { iteration: 0, startedAt: plan.now, completed: 0 };
  const isAnother =
    previous !== undefined &&
    !isEqual(specTemplate(previous.spec), specTemplate(plan.service.spec));
  if (!isAnother) return job;
  return { iteration: job.iteration + 1, startedAt: plan.now, completed: 0 };
}

/** Whether the task belongs to the iteration that is running. */
export function isCurrent(plan: ServicePlan, task: Task): boolean {
  return task.spec.jobIteration === (plan.service.status.job?.iteration ?? 0);
}

/** Asks the tasks of earlier iterations to be removed that are not finished. */
export function retireIterations(plan: ServicePlan): void {
  for (const task of plan.tasks()) {
    if (isCurrent(plan, task) || task.status.state === 'complete') continue;
    if (isWanted(task) || !isAtLeast(task.status.state, 'complete')) {
      plan.setDesired(task, 'remove');
    }
  }
}

/** Slots of the running iteration, with its tasks alone. */
export function currentSlots(plan: ServicePlan): readonly Slot[] {
  return groupSlots(plan.tasks().filter((task) => isCurrent(plan, task)));
}

/** Where a slot of a job stands. */
export type JobSlotState = 'complete' | 'running' | 'given-up' | 'free';

/**
 * Complete: a task finished. Running: one is wanted, be it that it waits for a restart. Given up:
 * the last one failed and its policy allows no other. Free: none of these, as after a drain.
 */
export function jobSlotState(plan: ServicePlan, slot: Slot): JobSlotState {
  if (slot.tasks.some((task) => task.status.state === 'complete')) return 'complete';
  if (slot.tasks.some(isWanted)) return 'running';
  const newest = newestTask(slot.tasks.filter((task) => task.spec.desiredState !== 'remove'));
  if (newest === undefined) return 'free';
  return shouldRestart(newest, { isJob: true, now: plan.now }) ? 'free' : 'given-up';
}

/** Keeps the number of completions in the status. */
export function reportCompletions(plan: ServicePlan, completed: number): void {
  const { job } = plan.service.status;
  if (job !== undefined && (job.completed ?? 0) !== completed) {
    plan.setStatus({ job: { ...job, completed } });
  }
}
