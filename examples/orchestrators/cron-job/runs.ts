/**
 * The runs of a cron job: how they end, and which of them are kept.
 */
import { byService, compareTaskStates, Service, Task } from '@skep/api';
import type { ServiceSpec, Timestamp } from '@skep/api';
import type { View } from '@skep/store';
import type { CronJobSpec, CronRun } from './kind.js';

/** The service of a run: one completion, as many attempts as allowed. */
export function runSpec({ container, retries = 0 }: CronJobSpec): ServiceSpec {
  return {
    mode: { type: 'replicated-job', maxConcurrent: 1, totalCompletions: 1 },
    task: {
      container,
      // No attempts at all is spelled differently: 0 attempts mean any number.
      restartPolicy:
        retries === 0 ? { condition: 'none' } : { condition: 'on-failure', maxAttempts: retries },
    },
  };
}

/** The run as the view shows it. The service of a new run is in every view that has the run. */
export function observedRun(view: View, run: CronRun, now: Timestamp): CronRun {
  if (run.state !== 'active') return run;
  const service = view.get(Service, run.serviceId);
  if ((service?.status.job?.completed ?? 0) > 0)
    return { ...run, state: 'succeeded', endedAt: now };
  const isGivenUp = service === undefined || hasGivenUp(view, service);
  return isGivenUp ? { ...run, state: 'failed', endedAt: now } : run;
}

/** Tasks were made, and the orchestrator wants none of them any more. */
function hasGivenUp(view: View, service: Service): boolean {
  if (service.status.createdTasks === 0) return false;
  const tasks = view.list(Task, byService(service.meta.id));
  return tasks.every(({ spec }) => compareTaskStates(spec.desiredState, 'complete') > 0);
}

/** Ended runs beyond the limits, oldest first. */
export function surplusRuns(spec: CronJobSpec, runs: readonly CronRun[]): readonly CronRun[] {
  const { successfulRunsMax = 3, failedRunsMax = 1 } = spec;
  const beyond = (state: CronRun['state'], max: number): readonly CronRun[] => {
    const ended = runs.filter((run) => run.state === state);
    return ended.slice(0, Math.max(0, ended.length - max));
  };
  return [...beyond('succeeded', successfulRunsMax), ...beyond('failed', failedRunsMax)];
}
