/**
 * Settings of a work queue.
 */
import { SkepError, type Clock, type Metrics } from '@skep/api';

/** Settings of a work queue; all but name and clock have defaults. */
export interface WorkQueueOptions {
  /** Label `name` of the metrics. */
  readonly name: string;
  readonly clock: Clock;
  readonly metrics?: Metrics | undefined;
  /** Called whenever a key becomes ready. It must not take keys itself: defer that. */
  readonly onReady?: (() => void) | undefined;
  /** Most keys that the queue knows at a time; further ones are refused. Default: 1,000,000. */
  readonly keysMax?: number | undefined;
  /**
   * Milliseconds of waiting that count as much as one point of priority. Larger: priorities count
   * for more; smaller: closer to first come, first served. Default: 1,000.
   */
  readonly agingMs?: number | undefined;
  /** Wait after the first failure; it doubles with every further one. Default: 5. */
  readonly backoffMsMin?: number | undefined;
  /** Longest wait after a failure. Default: 1,000,000. */
  readonly backoffMsMax?: number | undefined;
  /** Conflicts in a row that are retried at once; the next one counts as a failure. Default: 5. */
  readonly conflictsMax?: number | undefined;
}

/** How a key is added. */
export interface AddOptions {
  /** Higher goes first. A key that is queued already keeps the higher one. Default: 0. */
  readonly priority?: number;
  /**
   * The wake-up need not cut a backoff short: it follows from a write of the failing pass itself,
   * which would otherwise drive itself in a loop without pause. Default: false.
   */
  readonly mayWait?: boolean;
}

/**
 * Refuses settings with which a queue would lose keys or never wait.
 * @throws invalid-argument, with everything that is wrong.
 */
export function checkQueueOptions(options: WorkQueueOptions): void {
  const { keysMax = 1, agingMs = 1, backoffMsMin = 1, conflictsMax = 0 } = options;
  const { backoffMsMax = Math.max(backoffMsMin, 1) } = options;
  const faults = [
    keysMax >= 1 ? [] : `keysMax is ${keysMax}; give 1 or more`,
    agingMs > 0 ? [] : `agingMs is ${agingMs}; give a time above 0`,
    backoffMsMin > 0 ? [] : `backoffMsMin is ${backoffMsMin}; give a time above 0`,
    backoffMsMax >= backoffMsMin
      ? []
      : `backoffMsMax is ${backoffMsMax}; give backoffMsMin or more`,
    conflictsMax >= 0 ? [] : `conflictsMax is ${conflictsMax}; give 0 or more`,
  ].flat();
  if (faults.length === 0) return;
  throw new SkepError('invalid-argument', `work queue '${options.name}': ${faults.join('; ')}`);
}

/** @throws invalid-argument for what is no time: all keys would wait for it, for ever. */
export function checkQueueTime(at: number): void {
  if (Number.isNaN(at)) throw new SkepError('invalid-argument', 'the time of a key is NaN');
}

/** The priority of a key. @throws invalid-argument for what cannot be compared. */
export function priorityOf(options: AddOptions | undefined): number {
  const priority = options?.priority ?? 0;
  if (Number.isFinite(priority)) return priority;
  throw new SkepError('invalid-argument', `the priority of a key is ${priority}; give a number`);
}
