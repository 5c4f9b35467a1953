/**
 * The controller of cron jobs: a run is a service of its own, a job with one completion.
 *
 * The id of a run follows from its cron job and its time, and the same commit notes it in the
 * status: no crash, no stale view and no second controller starts a time twice.
 *
 * **Source:** Kubernetes pkg/controller/cronjob for the policies and what counts as missed.
 */
import { deriveId, isDeleting, isEqual, Service, withStatus } from '@skep/api';
import type { ObjectId, StoredObject, Timestamp } from '@skep/api';
import { defineController, noChanges, removeAnyVersion, update } from '@skep/controller';
import type { EventDraft, Plan, PlanController } from '@skep/controller';
import { planOwned } from '@skep/orchestrator';
import type { Change, View } from '@skep/store';
import { withFinalizer, withoutFinalizer } from '../kit/finalizer.js';
import { tasksOfOwnedServices } from '../kit/task-watch.js';
import { faultText } from '../kit/fault-text.js';
import { nextTime, parseCron, previousTime } from './cron.js';
import { CronJob, type CronRun } from './kind.js';
import { observedRun, runSpec, surplusRuns } from './runs.js';

const NAME = 'cron-job';
/** Most services that one pass removes: a commit takes 200 changes. */
const REMOVED_MAX = 50;

/** Starts, watches and forgets runs. Put it into a manager, or into a `ControllerGroup`. */
export function cronJobController(): PlanController {
  return defineController({
    name: NAME,
    for: CronJob,
    owns: [Service],
    // Only the tasks tell that a job has given up.
    watches: [tasksOfOwnedServices(CronJob)],
    plan: planCronJob,
  });
}

/** Decides about one cron job. Pure. */
export function planCronJob(view: View, id: ObjectId, now: Timestamp): Plan {
  const job = view.get(CronJob, id);
  if (job === undefined) return noChanges;
  if (isDeleting(job)) return planRemoval(view, job);
  const schedule = parseCron(job.spec.schedule);
  const observed = job.status.runs.map((run) => observedRun(view, run, now));
  const active = observed.filter(({ state }) => state === 'active');
  const { verdict, at } = decide(job, { now, latest: previousTime(schedule, now), active });
  const started = verdict === 'start' ? startRun(view, job, at) : undefined;
  const isStarted = started !== undefined && 'run' in started;
  const isMissed = verdict === 'miss' || (started !== undefined && !isStarted);
  const replaced = isStarted && job.spec.concurrencyPolicy === 'Replace' ? active : [];
  const all = [...observed, ...(isStarted ? [started.run] : [])];
  const gone = [...replaced, ...surplusRuns(job.spec, all)].slice(0, REMOVED_MAX);
  const next = withStatus(job, {
    schedule: job.spec.schedule,
    decidedUntil: at,
    runs: all.filter((run) => !gone.includes(run)),
    missed: job.status.missed + (isMissed ? 1 : 0),
  });
  const object = withFinalizer(next, NAME);
  const isSame = object.meta === job.meta && isEqual(object.status, job.status);
  const requeueAt = job.spec.isSuspended === true ? undefined : nextTime(schedule, now);
  return {
    changes: [
      ...removals(view, gone),
      ...(isSame ? [] : [update(object)]),
      ...(isStarted ? started.changes : []),
    ],
    ...(requeueAt === undefined ? {} : { requeueAt }),
    events: eventsOf(job, { at, isMissed, isStarted, fault: started }),
  };
}

type Verdict = 'nothing' | 'wait' | 'miss' | 'start';

/** What to do about the latest time of the schedule; `at` is where the decided times end then. */
function decide(
  { meta, spec, status }: CronJob,
  facts: {
    readonly now: Timestamp;
    readonly latest: Timestamp | undefined;
    readonly active: readonly CronRun[];
  },
): { readonly verdict: Verdict; readonly at: Timestamp } {
  const { now, latest = -Infinity, active } = facts;
  // Another schedule counts from now: its earlier times are nobody's.
  const isOther = status.schedule !== undefined && status.schedule !== spec.schedule;
  const at = isOther ? now : (status.decidedUntil ?? meta.createdAt);
  if (latest <= at || spec.isSuspended === true) return { verdict: 'nothing', at };
  if (now - latest > (spec.startingDeadlineMs ?? Infinity)) return { verdict: 'miss', at: latest };
  const isForbidden = spec.concurrencyPolicy === 'Forbid' && active.length > 0;
  // A time that waits stays undecided: it starts late, or is missed.
  return isForbidden ? { verdict: 'wait', at } : { verdict: 'start', at: latest };
}

function startRun(
  view: View,
  job: CronJob,
  scheduledAt: Timestamp,
): { readonly changes: readonly Change[]; readonly run: CronRun } | { readonly fault: string } {
  const serviceId = deriveId(job.meta.id, 'run', scheduledAt);
  const name = `${job.meta.name}-${scheduledAt / 60_000}`;
  const { complaints, changes } = planOwned(view, job, [
    { kind: Service, id: serviceId, name, spec: runSpec(job.spec) },
  ]);
  const [complaint] = complaints;
  if (complaint !== undefined) return { fault: faultText(complaint) };
  return { changes, run: { serviceId, scheduledAt, state: 'active' } };
}

/** The services of the runs that are there and not going already. */
function removals(view: View, runs: readonly CronRun[]): readonly Change[] {
  return runs.flatMap(({ serviceId }) => {
    const service = view.get(Service, serviceId);
    return service === undefined || isDeleting(service) ? [] : [removeAnyVersion(service)];
  });
}

/** All runs first; then the finalizer, and with it the cron job. */
function planRemoval(view: View, job: CronJob): Plan {
  const isGone = job.status.runs.every(({ serviceId }) => !view.get(Service, serviceId));
  if (!isGone) return { changes: removals(view, job.status.runs) };
  const object = withoutFinalizer(job, NAME);
  return object === job ? noChanges : { changes: [update(object)] };
}

function eventsOf(
  regarding: StoredObject,
  facts: {
    readonly at: Timestamp;
    readonly isMissed: boolean;
    readonly isStarted: boolean;
    readonly fault: object | undefined;
  },
): readonly EventDraft[] {
  const time = new Date(facts.at).toISOString();
  if (facts.isStarted) {
    return [{ regarding, type: 'normal', reason: 'RunStarted', message: `run of ${time}` }];
  }
  if (!facts.isMissed) return [];
  const why = facts.fault !== undefined && 'fault' in facts.fault ? facts.fault.fault : 'too late';
  const message = `run of ${time} left out: ${String(why)}`;
  return [{ regarding, type: 'warning', reason: 'RunMissed', message }];
}
