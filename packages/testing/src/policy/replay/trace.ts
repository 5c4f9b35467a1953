/**
 * Traces: a cluster, and the tasks that come and go, in order.
 */
import type { Node, Task, TaskId } from '@skep/api';

/** Something that happens in a trace. */
export type TraceEvent =
  | { readonly type: 'arrival'; readonly task: Task }
  /** The task ends. Nothing happens when it was never placed. */
  | { readonly type: 'departure'; readonly taskId: TaskId };

/** A cluster and what happens to it. */
export interface Trace {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly events: readonly TraceEvent[];
  /**
   * The tasks that fragmentation is measured with: those of the original workload, each as often as
   * it occurs there. Absent: those that arrive.
   */
  readonly workload?: readonly Task[];
  /** The order in which nodes with equal scores are taken, by name; policies may use it. */
  readonly nodeRanks?: ReadonlyMap<string, number>;
}

/** The tasks that arrive, in order. */
export function arrivalsOf(trace: Trace): readonly Task[] {
  return trace.events.flatMap((event) => (event.type === 'arrival' ? [event.task] : []));
}
