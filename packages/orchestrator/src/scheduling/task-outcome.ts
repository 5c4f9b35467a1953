/**
 * What the scheduler writes into a task.
 *
 * **Source:** SwarmKit manager/scheduler/scheduler.go for states and messages.
 */
import {
  isEqual,
  withStatus,
  type PendingReason,
  type PlacementSummary,
  type Task,
  type TaskStatus,
  type Timestamp,
} from '@skep/api';
import type { Placement } from '@skep/scheduler';

const ASSIGNED = 'scheduler assigned task to node';
const CONFIRMED = 'scheduler confirmed task can run on preassigned node';
const NEVER_ASSIGNED = 'scheduler shut down task that was never assigned';

/** The task on its node, with what it was given there and why it went there. */
export function assigned(placement: Placement, now: Timestamp): Task {
  const { task, nodeId, genericResources, volumes, devices, ports, reason } = placement;
  const before = task.status;
  const { networks, endpoint } = before;
  // Written out, as it is made for every task: to add fields to a copy costs more than placing, and
  // a field that is added later is kept apart from the others.
  const message = task.spec.nodeId === undefined ? ASSIGNED : CONFIRMED;
  const summary = summaryOf(reason);
  const status: Draft =
    networks === undefined
      ? {
          state: 'assigned',
          timestamp: LATER,
          appliedAt: LATER,
          message,
          nodeId,
          placement: summary,
        }
      : {
          state: 'assigned',
          timestamp: LATER,
          appliedAt: LATER,
          message,
          nodeId,
          placement: summary,
          networks,
        };
  // In a second step, so that all tasks of a pass have the box of one number in common (D-100).
  status.timestamp = now;
  status.appliedAt = now;
  if (endpoint !== undefined) status.endpoint = endpoint;
  keepRareFields(before, status);
  if (genericResources !== undefined) status.genericResources = genericResources;
  if (volumes !== undefined) {
    status.volumes = volumes.map(({ volumeId, target }) => ({ volumeId, target }));
  }
  if (devices !== undefined) status.devices = devices;
  if (ports !== undefined) status.reservedPorts = ports;
  return withStatus(task, status);
}

const LATER = undefined as unknown as Timestamp;

/** What a task that waits for its node says only in odd histories. */
function keepRareFields(before: TaskStatus, status: Draft): void {
  if (before.container !== undefined) status.container = before.container;
  if (before.hostPorts !== undefined) status.hostPorts = before.hostPorts;
  if (before.runningAt !== undefined) status.runningAt = before.runningAt;
  if (before.drainedAt !== undefined) status.drainedAt = before.drainedAt;
  if (before.releasedAt !== undefined) status.releasedAt = before.releasedAt;
}

/** A status in the making. */
type Draft = { -readonly [Field in keyof TaskStatus]: TaskStatus[Field] };

/** What decided, without the way to the node. */
function summaryOf(reason: Placement['reason']): PlacementSummary {
  if (reason.path === undefined) return reason;
  const { path: _path, ...summary } = reason;
  return summary;
}

/** The task with the reason why it has no node; undefined when it says so already. */
export function refused(task: Task, pending: PendingReason): Task | undefined {
  const { status } = task;
  if (status.error === pending.message && isEqual(status.pending, pending)) return undefined;
  return withStatus(task, { ...status, pending, error: pending.message });
}

/** The task that nobody wants any more and that never had a node. */
export function neverAssigned(task: Task, now: Timestamp): Task {
  return withStatus(task, {
    ...settled(task.status),
    state: 'shutdown',
    timestamp: now,
    appliedAt: now,
    message: NEVER_ASSIGNED,
  });
}

/** The status without what only a waiting task says. */
function settled(status: TaskStatus): TaskStatus {
  if (status.pending === undefined && status.error === undefined) return status;
  const { pending: _pending, error: _error, ...rest } = status;
  return rest;
}
