/**
 * What a work queue tells about itself, under the names that dashboards know.
 *
 * **Source:** client-go util/workqueue metrics.go for names and meanings.
 */
import type { Counter, Gauge, Histogram, Metrics } from '@skep/api';

/** Upper bounds in seconds: 10 ns to 1,000 s in steps of ten. */
const DURATION_BUCKETS: readonly number[] = Array.from({ length: 12 }, (_, i) => 10 ** (i - 8));

/** Both say the same: older dashboards ask for `name`, newer ones for `controller`. */
const NAMES = ['name', 'controller'] as const;

/** The `workqueue_*` metrics of one queue. All durations are given in milliseconds here. */
export class QueueMetrics {
  readonly #labels: { readonly name: string; readonly controller: string };
  readonly #depth: Gauge;
  readonly #adds: Counter;
  readonly #waited: Histogram;
  readonly #worked: Histogram;
  readonly #unfinished: Gauge;
  readonly #longest: Gauge;
  readonly #retries: Counter;

  constructor(name: string, metrics: Metrics) {
    this.#labels = Object.freeze({ name, controller: name });
    const histogram = (suffix: string, help: string): Histogram =>
      metrics.histogram({
        name: `workqueue_${suffix}`,
        help,
        labelNames: NAMES,
        buckets: DURATION_BUCKETS,
      });
    const gauge = (suffix: string, help: string): Gauge =>
      metrics.gauge({ name: `workqueue_${suffix}`, help, labelNames: NAMES });
    const counter = (suffix: string, help: string): Counter =>
      metrics.counter({ name: `workqueue_${suffix}`, help, labelNames: NAMES });
    this.#depth = gauge('depth', 'Keys that wait for a pass.');
    this.#adds = counter('adds_total', 'Keys that became queued.');
    this.#waited = histogram('queue_duration_seconds', 'How long keys waited for a pass.');
    this.#worked = histogram('work_duration_seconds', 'How long passes over a key took.');
    this.#unfinished = gauge('unfinished_work_seconds', 'Age of all passes under way, summed.');
    this.#longest = gauge(
      'longest_running_processor_seconds',
      'Age of the oldest pass that is under way.',
    );
    this.#retries = counter('retries_total', 'Keys that were queued again after a failure.');
    this.#adds.add(0, this.#labels);
    this.#retries.add(0, this.#labels);
    this.sampled({ depth: 0, unfinishedMs: 0, longestMs: 0 });
  }

  /** A key became queued. */
  added(depth: number): void {
    this.#adds.add(1, this.#labels);
    this.#depth.set(depth, this.#labels);
  }

  /** A pass over a key began. */
  taken(depth: number, waitedMs: number): void {
    this.#depth.set(depth, this.#labels);
    this.#waited.observe(waitedMs / 1000, this.#labels);
  }

  /** A pass over a key ended. */
  finished(workedMs: number): void {
    this.#worked.observe(workedMs / 1000, this.#labels);
  }

  /** A key will be tried again. */
  retried(): void {
    this.#retries.add(1, this.#labels);
  }

  /** What is under way at this moment. */
  sampled(at: {
    readonly depth: number;
    readonly unfinishedMs: number;
    readonly longestMs: number;
  }): void {
    const { depth, unfinishedMs, longestMs } = at;
    this.#depth.set(depth, this.#labels);
    this.#unfinished.set(unfinishedMs / 1000, this.#labels);
    this.#longest.set(longestMs / 1000, this.#labels);
  }
}
