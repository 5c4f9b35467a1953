/**
 * The tasks that are typical of a workload: what fragmentation is measured with.
 *
 * **Source:** "Beware of Fragmentation" (USENIX ATC'23), section 3: the target workload.
 */
import { compareBy, compareText, type Task } from '@skep/api';
import { requirementsOf } from '../requirements.js';
import { deviceDemand } from '../scores/device-demand.js';

/** A kind of task, and how large its part in the workload is. */
export interface TypicalTask {
  readonly cpuNanos: number;
  /** How many devices; 0 for tasks without. */
  readonly count: number;
  /** Thousandths of each device. */
  readonly milli: number;
  /** Models that will do; empty: any. */
  readonly models: readonly string[];
  /** From 0 to 1; the shares of a workload add up to 1. */
  readonly share: number;
}

/** How much of the workload the typical tasks cover at least. */
export const TYPICAL_PART = 0.95;

/**
 * The most frequent kinds of tasks, until they cover 95 % of all; with their shares among the
 * covered ones. Of equally frequent kinds the larger comes first: by cpu, share, count, models.
 * Cost: O(tasks log tasks).
 */
export function typicalTasks(tasks: Iterable<Task>, kind = 'gpu'): readonly TypicalTask[] {
  const kinds = new Map<string, { readonly task: Omit<TypicalTask, 'share'>; times: number }>();
  let all = 0;
  for (const { spec } of tasks) {
    all += 1;
    const requirements = requirementsOf(spec);
    const { count, milli, request } = deviceDemand(requirements, kind);
    const models = [...(request?.models ?? [])];
    const task = { cpuNanos: requirements.cpuNanos, count, milli, models };
    const key = `${task.cpuNanos} ${count} ${milli} ${models.join('|')}`;
    const known = kinds.get(key);
    if (known === undefined) kinds.set(key, { task, times: 1 });
    else known.times += 1;
  }
  const sorted = [...kinds.values()].sort(byTimesThenSize);
  let covered = 0;
  let taken = 0;
  while (taken < sorted.length && covered < TYPICAL_PART * all) {
    covered += sorted[taken]?.times ?? 0;
    taken += 1;
  }
  // Divided as published: a share that differs in its last bit flips scores whose gradient is 0.
  return sorted
    .slice(0, taken)
    .map(({ task, times }) => ({ ...task, share: times / all / (covered / all) }));
}

const byTimesThenSize = compareBy<{ task: Omit<TypicalTask, 'share'>; times: number }>(
  (a, b) => b.times - a.times,
  (a, b) => b.task.cpuNanos - a.task.cpuNanos,
  (a, b) => b.task.milli - a.task.milli,
  (a, b) => b.task.count - a.task.count,
  (a, b) => compareText(b.task.models.join('|'), a.task.models.join('|')),
);
