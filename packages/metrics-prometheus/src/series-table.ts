/**
 * The series of one metric: found by their labels, and never too many.
 */
import { SkepError, type MetricLabels } from '@skep/api';

/** What a table is made from. */
export interface SeriesTableOptions<Series> {
  /** Name of the metric, for texts. */
  readonly metric: string;
  readonly labelNames: readonly string[];
  readonly seriesMax: number;
  readonly make: (labels: MetricLabels) => Series;
  /** Whether what has no series of its own is gathered in one, or not kept at all. */
  readonly isGathering: boolean;
  /** Told of every observation that found no series of its own. */
  readonly overflowed: () => void;
}

/** Value of every label of the series that gathers what came after the bound was reached. */
export const OVERFLOW_VALUE = 'overflow';

/**
 * Series by the values of their labels. A frozen label object is remembered by identity: callers
 * that keep theirs pay one lookup and allocate nothing. Others pay for a key text.
 */
export class SeriesTable<Series> {
  readonly #options: SeriesTableOptions<Series>;
  readonly #byKey = new Map<string, Series>();
  readonly #byIdentity = new WeakMap<MetricLabels, Series>();
  readonly #only: Series | undefined;
  #overflow: Series | undefined;

  constructor(options: SeriesTableOptions<Series>) {
    this.#options = options;
    this.#only = options.labelNames.length === 0 ? options.make(Object.freeze({})) : undefined;
  }

  /** All series in the order in which they came, that of the overflow last. */
  all(): readonly Series[] {
    if (this.#only !== undefined) return [this.#only];
    const all = [...this.#byKey.values()];
    if (this.#overflow !== undefined) all.push(this.#overflow);
    return all;
  }

  /**
   * The series of these labels; undefined when there is no room for it and nothing is gathered.
   * @throws invalid-argument unless the labels are exactly those of the metric, all of them texts.
   */
  find(labels: MetricLabels | undefined): Series | undefined {
    if (labels === undefined) return this.#only ?? this.#lookUp({});
    return this.#byIdentity.get(labels) ?? this.#lookUp(labels);
  }

  #lookUp(labels: MetricLabels): Series | undefined {
    const { labelNames, make, overflowed, isGathering, seriesMax } = this.#options;
    this.#check(labels);
    if (this.#only !== undefined) return this.#only;
    let key = '';
    for (const name of labelNames) {
      const value = labels[name] ?? '';
      key += `${value.length}:${value}`;
    }
    let series = this.#byKey.get(key);
    if (series === undefined) {
      if (this.#byKey.size >= seriesMax) {
        overflowed();
        return isGathering ? (this.#overflow ??= make(this.#overflowLabels())) : undefined;
      }
      const own = Object.fromEntries(labelNames.map((name) => [name, labels[name] ?? '']));
      series = make(Object.freeze(own));
      this.#byKey.set(key, series);
    }
    // What can still change must be looked at again.
    if (Object.isFrozen(labels)) this.#byIdentity.set(labels, series);
    return series;
  }

  #check(labels: MetricLabels): void {
    const { labelNames, metric } = this.#options;
    let isRight = true;
    for (const name of labelNames) isRight &&= typeof labels[name] === 'string';
    if (isRight && Object.keys(labels).length === labelNames.length) return;
    const given = Object.keys(labels).map((name) => `${name}: ${typeof labels[name]}`);
    throw new SkepError(
      'invalid-argument',
      `metric '${metric}' has the labels [${labelNames.join(', ')}], each a text; ` +
        `given were [${given.join(', ')}]`,
      { details: { metric, labelNames, given: { ...labels } } },
    );
  }

  #overflowLabels(): MetricLabels {
    const { labelNames } = this.#options;
    return Object.freeze(Object.fromEntries(labelNames.map((name) => [name, OVERFLOW_VALUE])));
  }
}
