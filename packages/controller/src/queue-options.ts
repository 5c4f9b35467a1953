/**
 * Settings of a work queue.
 */
import type { Clock, Metrics } from '@skep/api';

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
