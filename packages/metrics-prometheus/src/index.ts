/** The Metrics seam as Prometheus text. */
export { BUCKETS_MAX, LABELS_MAX } from './definition-rules.js';
export {
  DEFAULT_BUCKETS,
  METRICS_MAX,
  OVERFLOW_METRIC,
  prometheusMetrics,
  SERIES_MAX,
} from './prometheus-metrics.js';
export type {
  PrometheusMetrics,
  PrometheusMetricsOptions,
  PrometheusRegistry,
} from './prometheus-metrics.js';
export { OVERFLOW_VALUE } from './series-table.js';
