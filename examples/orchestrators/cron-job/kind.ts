/**
 * CronJob: runs a container at the times of a cron expression.
 */
import { defineKind } from '@skep/api';
import type { ObjectId, StoredObject, Timestamp } from '@skep/api';
import { z } from 'zod';
import { cronFault } from './cron.js';

const schedule = z.string().check((context) => {
  const message = cronFault(context.value);
  if (message === undefined) return;
  context.issues.push({ code: 'custom', input: context.value, message });
});

const container = z.strictObject({
  image: z.string().min(1),
  command: z.exactOptional(z.array(z.string())),
  args: z.exactOptional(z.array(z.string())),
  env: z.exactOptional(z.array(z.string())),
});

const spec = z.strictObject({
  /** Five fields, UTC, or a nickname such as `@daily`. */
  schedule,
  container,
  /** What happens at a time while an earlier run is going on. Default: Allow. */
  concurrencyPolicy: z.exactOptional(z.enum(['Allow', 'Forbid', 'Replace'])),
  /** A run that could not begin within this time after its own is left out. Default: none. */
  startingDeadlineMs: z.exactOptional(z.number().min(0)),
  /** Nothing new begins. Default: false. */
  isSuspended: z.exactOptional(z.boolean()),
  /** Restarts of a run before it has failed. Default: 0. */
  retries: z.exactOptional(z.int().min(0)),
  /** Ended runs that are kept. Default: 3 and 1. */
  successfulRunsMax: z.exactOptional(z.int().min(0).max(100)),
  failedRunsMax: z.exactOptional(z.int().min(0).max(100)),
});

/** What a user declares. */
export type CronJobSpec = z.infer<typeof spec>;

/** One start, and the service that it is. */
export interface CronRun {
  readonly serviceId: ObjectId;
  /** The time of the schedule that it belongs to. */
  readonly scheduledAt: Timestamp;
  readonly state: 'active' | 'succeeded' | 'failed';
  readonly endedAt?: Timestamp;
}

/** What the controller knows: everything that it needs after a crash. */
export interface CronJobStatus {
  /** The expression that `decidedUntil` is about. */
  readonly schedule?: string;
  /** Times of the schedule up to this one are started or given up. */
  readonly decidedUntil?: Timestamp;
  /** Oldest first. */
  readonly runs: readonly CronRun[];
  /** Times that were given up so far: one is counted for any number in a row. */
  readonly missed: number;
}

/** A cron job. */
export type CronJob = StoredObject<CronJobSpec, CronJobStatus>;

/** Token of {@link CronJob}. */
export const CronJob = defineKind<CronJobSpec, CronJobStatus>({
  name: 'CronJob',
  schema: spec,
  initialStatus: Object.freeze({ runs: Object.freeze([]), missed: 0 }),
});
