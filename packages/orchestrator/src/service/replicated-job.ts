/**
 * Replicated jobs: a number of completions, so many at a time.
 *
 * **Source:** SwarmKit manager/orchestrator/jobs/replicated/reconciler.go, without its unsigned
 * arithmetic (defect 7). Differences: a slot that ran out of attempts counts as used, so that a job
 * whose tasks keep failing ends; lowering the total removes the slots above it.
 */
import { jobSize, serviceMode } from '@skep/api';
import {
  currentSlots,
  jobSlotState,
  reportCompletions,
  retireIterations,
  type JobSlotState,
} from './job-status.js';
import type { ServicePlan } from './service-plan.js';
import { lowestFreeSlot } from './slots.js';
import { isWanted } from './task-facts.js';

/** Retires earlier iterations, counts completions, starts as many tasks as there is room for. */
export function runReplicatedJob(plan: ServicePlan): void {
  const mode = serviceMode(plan.service.spec);
  if (mode.type !== 'replicated-job') return;
  const { maxConcurrent, totalCompletions } = jobSize(mode);
  retireIterations(plan);
  const counts: Record<JobSlotState, number> = { complete: 0, running: 0, 'given-up': 0, free: 0 };
  const used = new Set<number>();
  for (const slot of currentSlots(plan)) {
    if (slot.slot >= totalCompletions) {
      for (const task of slot.tasks) {
        const isUnfinished = isWanted(task) && task.status.state !== 'complete';
        if (isUnfinished) plan.setDesired(task, 'remove');
      }
      continue;
    }
    const state = jobSlotState(plan, slot);
    counts[state] += 1;
    if (state !== 'free') used.add(slot.slot);
  }
  reportCompletions(plan, counts.complete);
  const missing = totalCompletions - used.size;
  const room = maxConcurrent - counts.running;
  let next = 0;
  for (let left = Math.min(missing, room); left > 0; left -= 1) {
    next = lowestFreeSlot(used, next);
    used.add(next);
    plan.create({ slot: next, cause: 'scale', desiredState: plan.runState });
  }
}
