/**
 * Metrics that remember: the value of counters and gauges, the observations of histograms.
 */
import type { MetricDefinition, MetricLabels, Metrics } from '@skep/api';

/** Values by `name{label=value,…}`, labels in the order of the definition. */
export class RecordedMetrics implements Metrics {
  readonly definitions = new Map<string, MetricDefinition>();
  readonly values = new Map<string, number>();
  readonly observed = new Map<string, number[]>();

  counter(definition: MetricDefinition): ReturnType<Metrics['counter']> {
    const key = this.#define(definition);
    return {
      add: (value, labels) =>
        void this.values.set(key(labels), value + (this.values.get(key(labels)) ?? 0)),
    };
  }

  gauge(definition: MetricDefinition): ReturnType<Metrics['gauge']> {
    const key = this.#define(definition);
    return { set: (value, labels) => void this.values.set(key(labels), value) };
  }

  histogram(definition: MetricDefinition): ReturnType<Metrics['histogram']> {
    const key = this.#define(definition);
    return {
      observe: (value, labels) =>
        void this.observed.set(key(labels), [...(this.observed.get(key(labels)) ?? []), value]),
    };
  }

  #define(definition: MetricDefinition): (labels?: MetricLabels) => string {
    this.definitions.set(definition.name, definition);
    const { name, labelNames = [] } = definition;
    return (labels = {}) => {
      const parts = labelNames.map((label) => `${label}=${labels[label] ?? '?'}`);
      return parts.length === 0 ? name : `${name}{${parts.join(',')}}`;
    };
  }
}
