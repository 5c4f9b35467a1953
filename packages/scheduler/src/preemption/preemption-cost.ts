/**
 * What it costs to take tasks away: the order by which preemptions are compared.
 *
 * **Source:** kube-scheduler framework/preemption/preemption.go, pickOneNodeForPreemption.
 */
import { compareBy, compareText, type ServiceId, type Task, type Timestamp } from '@skep/api';
import { PRIORITY_MIN } from './priority.js';

/**
 * The cost of a set of victims. Compared in the order of the fields, less first, but for
 * `startedAt`, where later is cheaper.
 */
export interface PreemptionCost {
  /** Victims beyond what the budgets of their services allow. */
  readonly violations: number;
  /** The highest priority among the victims. */
  readonly highest: number;
  /**
   * The priorities of all victims, each counted from {@link PRIORITY_MIN} - 1: so every victim more
   * costs more, one of negative priority too.
   */
  readonly sum: number;
  readonly count: number;
  /** When the longest-running of the victims of the highest priority started. */
  readonly startedAt: Timestamp;
}

/** A task that may be taken away. */
export interface VictimCandidate {
  readonly task: Task;
  readonly priority: number;
}

/** How many more tasks of a service may be taken away now; undefined: any number. */
export type DisruptionBudget = (serviceId: ServiceId) => number | undefined;

/** The cost of taking these. Cost: O(victims). */
export function preemptionCost(
  victims: readonly VictimCandidate[],
  budget?: DisruptionBudget,
): PreemptionCost {
  let highest = -Infinity;
  let sum = 0;
  let startedAt = Infinity;
  for (const { task, priority } of victims) {
    sum += priority - PRIORITY_MIN + 1;
    if (priority < highest) continue;
    if (priority > highest) startedAt = Infinity;
    highest = priority;
    startedAt = Math.min(startedAt, startOf(task));
  }
  const violations = budget === undefined ? 0 : violatorsOf(victims, budget).size;
  return { violations, highest, sum, count: victims.length, startedAt };
}

/**
 * The victims that go beyond the budget of their service: of those taken from one service, the ones
 * named last.
 */
export function violatorsOf(
  victims: readonly VictimCandidate[],
  budget: DisruptionBudget,
): ReadonlySet<Task> {
  const taken = new Map<ServiceId, number>();
  const violators = new Set<Task>();
  for (const { task } of victims) {
    const { serviceId } = task.spec;
    if (serviceId === undefined) continue;
    const count = (taken.get(serviceId) ?? 0) + 1;
    taken.set(serviceId, count);
    const allowed = budget(serviceId);
    if (allowed !== undefined && count > Math.max(0, allowed)) violators.add(task);
  }
  return violators;
}

/** When the task started, as far as is known. */
export function startOf({ status, meta }: Task): Timestamp {
  return status.runningAt ?? meta.createdAt;
}

/** Compares two costs; 0 when they are the same in every field. */
export const comparePreemptionCosts = compareBy<PreemptionCost>(
  (a, b) => a.violations - b.violations,
  (a, b) => order(a.highest, b.highest),
  (a, b) => a.sum - b.sum,
  (a, b) => a.count - b.count,
  (a, b) => order(b.startedAt, a.startedAt),
);

/**
 * Cheapest victims first: lower priority, then later start, then id. The reverse is the order in
 * which kube-scheduler reprieves (MoreImportantPod).
 */
export const compareVictims = compareBy<VictimCandidate>(
  (a, b) => a.priority - b.priority,
  (a, b) => startOf(b.task) - startOf(a.task),
  (a, b) => compareText(a.task.meta.id, b.task.meta.id),
);

/** Like a difference, but sound for infinities. */
function order(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
