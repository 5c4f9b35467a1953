/**
 * What a controller tells about its passes, under the names that dashboards know.
 *
 * **Source:** controller-runtime pkg/internal/controller/metrics for names and meanings.
 */
import type { Counter, Gauge, Histogram, Metrics } from '@skep/api';

/** How a pass ended, as the metrics call it. */
export type ReconcileOutcome = (typeof OUTCOMES)[number];

/** Upper bounds in seconds. */
const TIME_BUCKETS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1,
  1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];

const LABELS = ['controller'] as const;

const OUTCOMES = ['success', 'requeue_after', 'requeue', 'error'] as const;

/** The `controller_runtime_*` metrics of one controller. */
export class ControllerMetrics {
  readonly #labels: { readonly controller: string };
  readonly #outcomes: Readonly<Record<ReconcileOutcome, { controller: string; result: string }>>;
  readonly #total: Counter;
  readonly #errors: Counter;
  readonly #terminal: Counter;
  readonly #panics: Counter;
  readonly #timeouts: Counter;
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
    const counter = (name: string, help: string): Counter =>
      metrics.counter({ name, help, labelNames: LABELS });
    this.#errors = counter(
      'controller_runtime_reconcile_errors_total',
      'Passes over a key that failed.',
    );
    this.#terminal = counter(
      'controller_runtime_terminal_reconcile_errors_total',
      'Passes over a key that failed in a way that another try cannot mend.',
    );
    this.#panics = counter(
      'controller_runtime_reconcile_panics_total',
      'Passes over a key that ended by a bug: what they threw was no refusal.',
    );
    this.#timeouts = counter(
      'controller_runtime_reconcile_timeouts_total',
      'Passes over a key that took longer than the controller allows.',
    );
    this.#conflicts = counter(
      'skep_controller_conflicts_total',
      'Passes over a key whose commit lost a race.',
    );
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
    this.#showZeros();
  }

  /** A pass over a key ended; `active` are still under way. */
  finished(outcome: ReconcileOutcome, active: number): void {
    this.#total.add(1, this.#outcomes[outcome]);
    if (outcome === 'error') this.#errors.add(1, this.#labels);
    this.#active.set(active, this.#labels);
  }

  /** What a pass threw was final, a bug, both, or neither. */
  threw(how: { readonly isTerminal: boolean; readonly isPanic: boolean }): void {
    if (how.isTerminal) this.#terminal.add(1, this.#labels);
    if (how.isPanic) this.#panics.add(1, this.#labels);
  }

  /** A pass ran out of time. */
  timedOut(): void {
    this.#timeouts.add(1, this.#labels);
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

  /** So that a rate can be told from the first event on. */
  #showZeros(): void {
    for (const outcome of OUTCOMES) this.#total.add(0, this.#outcomes[outcome]);
    for (const counter of [this.#errors, this.#terminal, this.#panics, this.#timeouts]) {
      counter.add(0, this.#labels);
    }
    this.#conflicts.add(0, this.#labels);
    this.#active.set(0, this.#labels);
  }
}
