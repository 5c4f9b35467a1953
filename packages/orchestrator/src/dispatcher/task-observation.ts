/**
 * What a node observed of a task, on its way into the store.
 *
 * **Source:** SwarmKit manager/dispatcher/dispatcher.go (processUpdates): lower states are ignored,
 * and the manager stamps when it took notice.
 */
import {
  compareTaskStates,
  isEqual,
  type ContainerStatus,
  type Task,
  type TaskReport,
  type TaskStatus,
  type Timestamp,
} from '@skep/api';

/** A report, with what the manager adds. */
export interface TaskObservation {
  readonly report: TaskReport;
  /** When the manager took notice of this state. */
  readonly noticedAt: Timestamp;
  /** When the manager took notice of `running`, if it did. */
  readonly runningAt?: Timestamp;
}

/** The observation that a report makes at `now`. */
export function observationOf(report: TaskReport, now: Timestamp): TaskObservation {
  const isRunning = report.state === 'running';
  return { report, noticedAt: now, ...(isRunning ? { runningAt: now } : {}) };
}

/** One observation that says what two of the same task say together; the higher state wins. */
export function mergeObservations(older: TaskObservation, newer: TaskObservation): TaskObservation {
  const order = compareTaskStates(newer.report.state, older.report.state);
  const [last, other] = order < 0 ? [older, newer] : [newer, older];
  const runningAt = older.runningAt ?? newer.runningAt;
  const container = mergeContainers(other.report.container, last.report.container);
  const hostPorts = last.report.hostPorts ?? other.report.hostPorts;
  return {
    report: {
      ...last.report,
      ...(container === undefined ? {} : { container }),
      ...(hostPorts === undefined ? {} : { hostPorts }),
    },
    noticedAt: order === 0 ? older.noticedAt : last.noticedAt,
    ...(runningAt === undefined ? {} : { runningAt }),
  };
}

/**
 * The status after the observation, undefined when it says nothing new: a lower state than the
 * known one, or the same state with the same facts (a node repeats everything when it comes back).
 */
export function observedStatus(task: Task, observation: TaskObservation): TaskStatus | undefined {
  const { report, noticedAt } = observation;
  const { error: _, ...before } = task.status;
  const order = compareTaskStates(report.state, before.state);
  if (order < 0) return undefined;
  const container = mergeContainers(before.container, report.container);
  const hostPorts = report.hostPorts ?? before.hostPorts;
  const runningAt = before.runningAt ?? observation.runningAt;
  const next: TaskStatus = {
    ...before,
    state: report.state,
    timestamp: order === 0 ? before.timestamp : report.timestamp,
    appliedAt: order === 0 ? before.appliedAt : noticedAt,
    message: report.message,
    ...(report.error === undefined ? {} : { error: report.error }),
    ...(container === undefined ? {} : { container }),
    ...(hostPorts === undefined ? {} : { hostPorts }),
    ...(runningAt === undefined ? {} : { runningAt }),
  };
  return isEqual(next, task.status) ? undefined : next;
}

/** Later facts over earlier ones: an exit code does not erase the container's id. */
function mergeContainers(
  before: ContainerStatus | undefined,
  after: ContainerStatus | undefined,
): ContainerStatus | undefined {
  if (before === undefined || after === undefined) return after ?? before;
  const merged = { ...before, ...after };
  return isEqual(before, merged) ? before : merged;
}
