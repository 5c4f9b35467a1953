/**
 * Taking notice of a new generation, and saying that it was fully acted on.
 *
 * **Source:** SwarmKit manager/controlapi/service.go (UpdateService clears the update status, keeps
 * the previous spec, bumps the job iteration); here the orchestrator does it when it first sees the
 * generation, so it is the same whoever wrote the spec.
 */
import { isEqual, type SpecRevision, type UpdateStatus } from '@skep/api';
import { makesSameTasks, recordRevision } from './history.js';
import { jobOf } from './job-status.js';
import type { ServicePlan } from './service-plan.js';
import { activeUpdate } from './update-failures.js';

/**
 * Records the revision, starts a job's iteration, and ends what was about the generation before: a
 * paused update goes on with the new spec. An update that is going on keeps its counters when the
 * tasks it makes stay the same, so scaling during an update does not forget failures.
 */
export function observeGeneration(plan: ServicePlan): void {
  const { status, meta } = plan.service;
  const seen = status.history?.[0];
  if (seen?.specVersion !== meta.generation) {
    plan.setStatus({
      update: carried(plan, seen),
      history: recordRevision(plan.service),
      ...(plan.isJob ? { job: jobOf(plan, seen) } : {}),
    });
  } else if (plan.isJob && status.job === undefined) {
    plan.setStatus({ job: jobOf(plan, undefined) });
  }
}

function carried(plan: ServicePlan, seen: SpecRevision | undefined): UpdateStatus | undefined {
  const { status, spec, meta } = plan.service;
  const { update } = status;
  if (update === undefined || update.specVersion === meta.generation) return update;
  const isActive = update.state === 'updating' || update.state === 'rollback-started';
  if (!isActive || seen?.specVersion !== update.specVersion) return undefined;
  const config = update.state === 'updating' ? 'update' : 'rollback';
  const isSame = makesSameTasks(seen.spec, spec) && isEqual(seen.spec[config], spec[config]);
  return isSame ? { ...update, specVersion: meta.generation } : undefined;
}

/** Nothing was left to do about the tasks, and no update is going on: the generation is done. */
export function confirmGeneration(plan: ServicePlan): void {
  if (!plan.hasSteadyTasks || activeUpdate(plan) !== undefined) return;
  plan.setStatus({ observedGeneration: plan.generation });
}
