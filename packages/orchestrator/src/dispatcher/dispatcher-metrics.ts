/**
 * What the dispatcher counts.
 */
import type { Counter, Gauge, Metrics } from '@skep/api';

/** Metrics of a dispatcher. */
export interface DispatcherMetrics {
  readonly sessions: Gauge;
  readonly reports: Counter;
  readonly assignments: Counter;
  readonly items: Counter;
  readonly conflicts: Counter;
  readonly questions: Counter;
  readonly notices: Counter;
  readonly noticesDropped: Counter;
}

/** Makes, or finds, the metrics. */
export function dispatcherMetrics(metrics: Metrics): DispatcherMetrics {
  return {
    sessions: metrics.gauge({
      name: 'skep_dispatcher_sessions',
      help: 'Open sessions of nodes.',
    }),
    reports: metrics.counter({
      name: 'skep_dispatcher_reports_total',
      help: 'Reports of task states that were taken.',
    }),
    assignments: metrics.counter({
      name: 'skep_dispatcher_assignments_total',
      help: 'Assignments that were sent.',
      labelNames: ['type'],
    }),
    items: metrics.counter({
      name: 'skep_dispatcher_assignment_items_total',
      help: 'Items and removals in the assignments that were sent.',
    }),
    conflicts: metrics.counter({
      name: 'skep_dispatcher_conflicts_total',
      help: 'Writes of status that met a conflict and were tried again.',
    }),
    questions: metrics.counter({
      name: 'skep_dispatcher_questions_total',
      help: 'Questions that were put to nodes.',
      labelNames: ['type'],
    }),
    notices: metrics.counter({
      name: 'skep_dispatcher_notices_total',
      help: 'Notices of nodes that were taken.',
    }),
    noticesDropped: metrics.counter({
      name: 'skep_dispatcher_notices_dropped_total',
      help: 'Notices that were dropped, as their nodes told too many.',
    }),
  };
}
