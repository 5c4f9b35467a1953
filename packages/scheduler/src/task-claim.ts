/**
 * What a task takes from its node, and while it does.
 *
 * **Source:** SwarmKit manager/scheduler/nodeinfo.go.
 */
import { TASK_STATE_RANK, type GenericResource, type Task } from '@skep/api';
import type { NodeClaim } from './node-info.js';
import { NO_REQUIREMENTS, type Requirements } from './requirements.js';
import type { VolumeUse } from './volume-ledger.js';

/** What a task was given on its node, beyond cpu and memory. */
export interface Reservation {
  readonly genericResources?: readonly GenericResource[];
  readonly volumes?: readonly VolumeUse[];
}

const NONE: readonly never[] = Object.freeze([]);

/** Nothing beyond cpu and memory. */
export const NO_RESERVATION: Reservation = Object.freeze({});

const NO_CLAIM: NodeClaim = Object.freeze({
  cpuNanos: 0,
  memoryBytes: 0,
  generic: NONE,
  hostPorts: NONE,
});

/** Whether the task holds resources on a node: observed between `assigned` and `running`. */
export function isCounted(task: Task): boolean {
  const rank = TASK_STATE_RANK[task.status.state];
  return (
    task.status.nodeId !== undefined &&
    rank >= TASK_STATE_RANK.assigned &&
    rank <= TASK_STATE_RANK.running
  );
}

/** Whether the task is to run on: its desired state is at most `complete`. */
export function isActiveTask(task: Task): boolean {
  return TASK_STATE_RANK[task.spec.desiredState] <= TASK_STATE_RANK.complete;
}

/** What the task takes from its node's amounts, given what was chosen for it. */
export function claimOf(requirements: Requirements, reservation: Reservation): NodeClaim {
  if (requirements === NO_REQUIREMENTS) return NO_CLAIM;
  return {
    cpuNanos: requirements.cpuNanos,
    memoryBytes: requirements.memoryBytes,
    hostPorts: requirements.hostPorts,
    // A task that was placed without a record holds as many as it asked for, whichever.
    generic: reservation.genericResources ?? requirements.generic,
  };
}

/** What the task's status says it was given. */
export function recordedReservation({ status, spec }: Task): Reservation {
  const { genericResources, volumes } = status;
  if (genericResources === undefined && volumes === undefined) return NO_RESERVATION;
  const mounts = spec.template.container?.mounts ?? NONE;
  const isReadOnly = (target: string): boolean =>
    mounts.find((mount) => mount.target === target)?.isReadOnly ?? false;
  return {
    ...(genericResources === undefined ? {} : { genericResources }),
    ...(volumes === undefined
      ? {}
      : { volumes: volumes.map((use) => ({ ...use, isReadOnly: isReadOnly(use.target) })) }),
  };
}
