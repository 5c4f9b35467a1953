/**
 * The Metrics seam over a prom-client registry.
 */
import { SkepError, type MetricDefinition, type Metrics } from '@skep/api';
import { Registry, type Metric } from 'prom-client';
import type { OpenMetricsContentType, PrometheusContentType } from 'prom-client';
import { checkDefinition, type MetricType } from './definition-rules.js';
import { CounterFamily, GaugeFamily, HistogramFamily, isFamily } from './family.js';
import type { AnyFamily, FamilyOptions } from './family.js';

/** A prom-client registry of either format. */
export type PrometheusRegistry = Registry<PrometheusContentType> | Registry<OpenMetricsContentType>;

/** Series of one metric, unless said otherwise. */
export const SERIES_MAX = 1000;

/** Most metrics of one seam. */
export const METRICS_MAX = 1000;

/** Upper bounds in seconds of histograms that name none: those of Prometheus' own clients. */
export const DEFAULT_BUCKETS: readonly number[] = Object.freeze([
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]);

/** Name of the counter of observations for which there was no series any more. */
export const OVERFLOW_METRIC = 'skep_metrics_overflow_total';

/** Options of {@link prometheusMetrics}. */
export interface PrometheusMetricsOptions {
  /** Where the metrics are kept, next to those of others. Default: a registry of its own. */
  readonly registry?: PrometheusRegistry;
  /**
   * Put before every name: `myapp_`. Dashboards for controller-runtime and Docker expect the names
   * without. Default: nothing.
   */
  readonly prefix?: string;
  /** Upper bounds for histograms by name (without the prefix), instead of their own. */
  readonly buckets?: Readonly<Record<string, readonly number[]>>;
  /**
   * Most series of one metric. Past it, counters and histograms gather what is new in one series
   * whose labels all say `overflow`, so that sums stay right; gauges drop it. Each such observation
   * is counted in `skep_metrics_overflow_total{metric}`. Default: {@link SERIES_MAX}.
   */
  readonly seriesMax?: number;
}

/** Metrics, and how to read them. */
export interface PrometheusMetrics {
  /** Give this to a controller group, a manager, or a cluster. */
  readonly metrics: Metrics;
  /** Everything in the registry in Prometheus' text format. Cost: O(series). */
  text(): Promise<string>;
  /** Value of the header `Content-Type` for it. */
  readonly contentType: string;
  readonly registry: PrometheusRegistry;
}

/**
 * Metrics whose values a Prometheus server can read. Nothing global is touched: without `registry`
 * there is a new one, with it two seams (also of two copies of this package) share their metrics.
 *
 * A metric without labels is shown as 0 from the start, one with labels from its first use.
 * Cost of a call with a frozen label object: one lookup, no allocation.
 *
 * @throws invalid-argument for a registry that is none, a `prefix` that no name may begin with,
 * `seriesMax` below 1. The metrics throw invalid-argument for bad definitions, labels and values;
 * already-exists when a name is taken by another metric; resource-exhausted past
 * {@link METRICS_MAX} metrics.
 */
export function prometheusMetrics(options: PrometheusMetricsOptions = {}): PrometheusMetrics {
  const registry = options.registry ?? new Registry();
  checkOptions(options);
  const families = new Families(registry, options);
  return {
    metrics: {
      counter: (definition) => families.counter(definition),
      gauge: (definition) => families.gauge(definition),
      histogram: (definition) => families.histogram(definition),
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
    registry,
  };
}

class Families {
  readonly #registry: PrometheusRegistry;
  readonly #prefix: string;
  readonly #buckets: Readonly<Record<string, readonly number[]>>;
  readonly #seriesMax: number;
  readonly #names = new Set<string>();
  #overflows: CounterFamily | undefined;

  constructor(registry: PrometheusRegistry, options: PrometheusMetricsOptions) {
    this.#registry = registry;
    this.#prefix = options.prefix ?? '';
    this.#buckets = options.buckets ?? {};
    this.#seriesMax = options.seriesMax ?? SERIES_MAX;
  }

  counter(definition: MetricDefinition): CounterFamily {
    const family = this.#family('counter', definition, (made) => new CounterFamily(made));
    return family as CounterFamily;
  }

  gauge(definition: MetricDefinition): GaugeFamily {
    const family = this.#family('gauge', definition, (made) => new GaugeFamily(made));
    return family as GaugeFamily;
  }

  histogram(definition: MetricDefinition): HistogramFamily {
    const buckets = this.#buckets[definition.name] ?? definition.buckets ?? DEFAULT_BUCKETS;
    const family = this.#family(
      'histogram',
      { ...definition, buckets },
      (made) => new HistogramFamily(made, buckets),
    );
    return family as HistogramFamily;
  }

  #family(
    type: MetricType,
    asked: MetricDefinition,
    make: (options: FamilyOptions) => AnyFamily,
  ): AnyFamily {
    const definition = { ...asked, name: `${this.#prefix}${asked.name}` };
    checkDefinition(type, definition);
    const known: unknown = this.#registry.getSingleMetric(definition.name);
    if (known !== undefined) return sameFamily(known, type, definition);
    if (this.#names.size >= METRICS_MAX) {
      const message = `there are ${METRICS_MAX} metrics already; '${definition.name}' is refused`;
      throw new SkepError('resource-exhausted', message, { details: { metric: definition.name } });
    }
    const { name } = definition;
    const overflowed = (): void => this.#overflowed(name);
    // The counter of overflows has room for every metric: it must not overflow itself.
    const seriesMax = asked.name === OVERFLOW_METRIC ? METRICS_MAX : this.#seriesMax;
    const family = make({ definition, seriesMax, overflowed });
    this.#names.add(name);
    // The registry asks for `name` and `get`; the rest of its type are prom-client's own ways in.
    this.#registry.registerMetric(family as unknown as Metric);
    return family;
  }

  #overflowed(metric: string): void {
    this.#overflows ??= this.counter({
      name: OVERFLOW_METRIC,
      help: 'Observations for which the metric had no room for another series.',
      labelNames: ['metric'],
    });
    this.#overflows.add(1, { metric });
  }
}

/** The metric that has the name already, when it is the same one. */
function sameFamily(known: unknown, type: MetricType, definition: MetricDefinition): AnyFamily {
  const { name, labelNames = [], buckets } = definition;
  if (!isFamily(known)) {
    throw taken(name, 'the registry has a metric of that name that is not from here');
  }
  if (known.type !== type) throw taken(name, `it is a ${known.type}, not a ${type}`);
  if (!isSameList(known.labelNames, labelNames)) {
    throw taken(
      name,
      `its labels are [${known.labelNames.join(', ')}], not [${labelNames.join(', ')}]`,
    );
  }
  if (known.type === 'histogram' && !isSameList(known.bounds, buckets ?? DEFAULT_BUCKETS)) {
    throw taken(name, `its buckets are [${known.bounds.join(', ')}]`);
  }
  return known;
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, at) => value === b[at]);
}

function taken(metric: string, why: string): SkepError {
  return new SkepError('already-exists', `metric '${metric}' is there already: ${why}`, {
    details: { metric },
  });
}

function checkOptions({ registry, prefix, seriesMax, buckets }: PrometheusMetricsOptions): void {
  const asks = ['registerMetric', 'getSingleMetric', 'metrics'] as const;
  if (registry !== undefined && asks.some((name) => typeof registry[name] !== 'function')) {
    throw new SkepError('invalid-argument', "'registry' is not a Registry of prom-client");
  }
  if (prefix !== undefined) {
    checkDefinition('counter', { name: `${prefix}x`, help: 'A name with the prefix.' });
  }
  if (seriesMax !== undefined && !(Number.isSafeInteger(seriesMax) && seriesMax >= 1)) {
    throw new SkepError('invalid-argument', `'seriesMax' is ${seriesMax}; it is a count from 1`);
  }
  for (const [name, bounds] of Object.entries(buckets ?? {})) {
    checkDefinition('histogram', { name, help: 'Bounds from the options.', buckets: bounds });
  }
}
