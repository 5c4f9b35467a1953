/**
 * Metrics as the seam writes them and as a prom-client registry reads them. Values are plain
 * numbers; text is made when somebody asks.
 */
import { SkepError, type Counter, type Gauge, type Histogram } from '@skep/api';
import type { MetricDefinition, MetricLabels } from '@skep/api';
import type { MetricType } from './definition-rules.js';
import { SeriesTable } from './series-table.js';

/** Marks families, so that two copies of this package can share a registry. */
const BRAND = Symbol.for('@skep/metrics-prometheus/family');

/** One line of the exposition, as prom-client's registry takes it. */
export interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  /** With the suffix of a histogram's line; absent: the name of the metric. */
  readonly metricName?: string;
}

/** What a registry asks of a metric. */
export interface FamilySamples {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly aggregator: 'sum';
  readonly values: readonly Sample[];
}

/** What a family is made from. */
export interface FamilyOptions {
  readonly definition: MetricDefinition;
  readonly seriesMax: number;
  readonly overflowed: () => void;
}

interface NumberSeries {
  readonly labels: MetricLabels;
  value: number;
}

interface BucketSeries {
  readonly labels: MetricLabels;
  /** How many were in each bucket, not summed up; the last is +Inf. */
  readonly counts: number[];
  sum: number;
  count: number;
}

/** What all three have in common. `name` may be written by a registry for OpenMetrics. */
abstract class Family<Series> {
  readonly [BRAND] = true;
  abstract readonly type: MetricType;
  readonly aggregator = 'sum';
  readonly help: string;
  readonly labelNames: readonly string[];
  name: string;
  protected table: SeriesTable<Series>;
  readonly #makeTable: () => SeriesTable<Series>;

  protected constructor(
    { definition, seriesMax, overflowed }: FamilyOptions,
    how: { readonly make: (labels: MetricLabels) => Series; readonly isGathering: boolean },
  ) {
    this.name = definition.name;
    this.help = definition.help;
    this.labelNames = [...(definition.labelNames ?? [])];
    const { name: metric, labelNames } = this;
    this.#makeTable = () => new SeriesTable({ metric, labelNames, seriesMax, overflowed, ...how });
    this.table = this.#makeTable();
  }

  /** Forgets all series; for `registry.resetMetrics()`. */
  reset(): void {
    this.table = this.#makeTable();
  }

  /** Everything at this moment, for the registry. */
  get(): Promise<FamilySamples> {
    const { name, help, type, aggregator } = this;
    return Promise.resolve({ name, help, type, aggregator, values: this.samples() });
  }

  protected abstract samples(): readonly Sample[];
}

/** A counter with its series. */
export class CounterFamily extends Family<NumberSeries> implements Counter {
  readonly type = 'counter';

  constructor(options: FamilyOptions) {
    super(options, { make: (labels) => ({ labels, value: 0 }), isGathering: true });
  }

  add(value: number, labels?: MetricLabels): void {
    if (!(value >= 0) || value === Infinity) {
      throw valueError(this.name, value, 'a counter rises by finite numbers from 0');
    }
    const series = this.table.find(labels);
    if (series !== undefined) series.value += value;
  }

  protected samples(): readonly Sample[] {
    return this.table.all().map(({ labels, value }) => ({ labels, value }));
  }
}

/** A gauge with its series. */
export class GaugeFamily extends Family<NumberSeries> implements Gauge {
  readonly type = 'gauge';

  constructor(options: FamilyOptions) {
    // The last value of many is no value of any of them: what has no series is not kept.
    super(options, { make: (labels) => ({ labels, value: 0 }), isGathering: false });
  }

  set(value: number, labels?: MetricLabels): void {
    if (Number.isNaN(value)) throw valueError(this.name, value, 'a gauge is set to a number');
    const series = this.table.find(labels);
    if (series !== undefined) series.value = value;
  }

  protected samples(): readonly Sample[] {
    return this.table.all().map(({ labels, value }) => ({ labels, value }));
  }
}

/** A histogram with its series. */
export class HistogramFamily extends Family<BucketSeries> implements Histogram {
  readonly type = 'histogram';
  readonly bounds: readonly number[];

  constructor(options: FamilyOptions, bounds: readonly number[]) {
    const own = [...bounds];
    super(options, {
      make: (labels) => ({ labels, counts: [...own, 0].map(() => 0), sum: 0, count: 0 }),
      isGathering: true,
    });
    this.bounds = own;
  }

  observe(value: number, labels?: MetricLabels): void {
    if (Number.isNaN(value)) throw valueError(this.name, value, 'a histogram observes numbers');
    const series = this.table.find(labels);
    if (series === undefined) return;
    const bucket = this.#bucketOf(value);
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.sum += value;
    series.count += 1;
  }

  protected samples(): readonly Sample[] {
    return this.table.all().flatMap((series) => this.#lines(series));
  }

  #lines({ labels, counts, sum, count }: BucketSeries): readonly Sample[] {
    const { name } = this;
    let below = 0;
    const lines: Sample[] = counts.map((inBucket, at) => {
      below += inBucket;
      const le = this.bounds[at] ?? '+Inf';
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: below };
    });
    lines.push({ metricName: `${name}_sum`, labels, value: sum });
    lines.push({ metricName: `${name}_count`, labels, value: count });
    return lines;
  }

  /** Index of the first bound that is at least `value`. */
  #bucketOf(value: number): number {
    let low = 0;
    let high = this.bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value <= (this.bounds[middle] ?? Infinity)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Any of the three. */
export type AnyFamily = CounterFamily | GaugeFamily | HistogramFamily;

/** Whether something in a registry was made by this package, in whichever copy. */
export function isFamily(metric: unknown): metric is AnyFamily {
  return (
    typeof metric === 'object' &&
    metric !== null &&
    (metric as Record<symbol, unknown>)[BRAND] === true
  );
}

function valueError(metric: string, value: number, rule: string): SkepError {
  return new SkepError('invalid-argument', `metric '${metric}': ${rule}, not by ${value}`, {
    details: { metric, value },
  });
}
