/**
 * What a controller tells about its passes, under the names that dashboards know.
 *
 * **Source:** controller-runtime pkg/internal/controller/metrics for names and meanings.
 */
import type { Counter, Gauge, Histogram, Metrics } from '@skep/api';

/** How a pass ended, as the metrics call it. */
export type ReconcileOutcome = 'success' | 'requeue_after' | 'requeue' | 'error';

/** Upper bounds in seconds. */
const TIME_BUCKETS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1,
  1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];

const LABELS = ['controller'] as const;

/** The `controller_runtime_*` metrics of one controller. */
export class ControllerMetrics {
  readonly #labels: { readonly controller: string };
  readonly #outcomes: Readonly<Record<ReconcileOutcome, { controller: string; result: string }>>;
  readonly #total: Counter;
  readonly #errors: Counter;
  readonly #conflicts: Counter;
  readonly #time: Histogram;
  readonly #active: Gauge;

  constructor(controller: string, concurrency: number, metrics: Metrics) {
    this.#labels = Object.freeze({ controller });
    const outcome = (result: ReconcileOutcome): { controller: string; result: string } =>
      Object.freeze({ controller, result });
    this.#outcomes = {
      success: outcome('success'),
      requeue_after: outcome('requeue_after'),
      requeue: outcome('requeue'),
      error: outcome('error'),
    };
    this.#total = metrics.counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Passes over a key, by how they ended.',
      labelNames: ['controller', 'result'],
    });
    this.#errors = metrics.counter({
      name: 'controller_runtime_reconcile_errors_total',
      help: 'Passes over a key that failed.',
      labelNames: LABELS,
    });
    this.#conflicts = metrics.counter({
      name: 'skep_controller_conflicts_total',
      help: 'Passes over a key whose commit lost a race.',
      labelNames: LABELS,
    });
    this.#time = metrics.histogram({
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'How long passes took, commit included.',
      labelNames: LABELS,
      buckets: TIME_BUCKETS,
    });
    this.#active = metrics.gauge({
      name: 'controller_runtime_active_workers',
      help: 'Keys in a pass.',
      labelNames: LABELS,
    });
    metrics
      .gauge({
        name: 'controller_runtime_max_concurrent_reconciles',
        help: 'Passes that may be under way at the same time.',
        labelNames: LABELS,
      })
      .set(concurrency, this.#labels);
  }

  /** A pass over a key ended. */
  finished(outcome: ReconcileOutcome): void {
    this.#total.add(1, this.#outcomes[outcome]);
    if (outcome === 'error') this.#errors.add(1, this.#labels);
  }

  /** A commit met a conflict. */
  conflicted(): void {
    this.#conflicts.add(1, this.#labels);
  }

  /** How long a pass took. */
  took(durationMs: number): void {
    this.#time.observe(durationMs / 1000, this.#labels);
  }

  /** How many keys are in a pass. */
  sampled(active: number): void {
    this.#active.set(active, this.#labels);
  }
}
