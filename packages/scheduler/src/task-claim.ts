/**
 * What a task takes from its node, and while it does.
 *
 * **Source:** SwarmKit manager/scheduler/nodeinfo.go.
 */
import {
  TASK_STATE_RANK,
  type DeviceShare,
  type GenericResource,
  type ReservedPort,
  type Task,
} from '@skep/api';
import type { NodeClaim } from './node-info.js';
import { NO_REQUIREMENTS, type Requirements } from './requirements.js';
import type { VolumeUse } from './volume-ledger.js';

/** What a task was given on its node, beyond cpu and memory. */
export interface Reservation {
  readonly genericResources?: readonly GenericResource[];
  readonly volumes?: readonly VolumeUse[];
  /** Shares of devices; those of one kind stand together. */
  readonly devices?: readonly DeviceShare[];
  /** Numbers for host-mode ports that do not name theirs. */
  readonly ports?: readonly ReservedPort[];
}

const NONE: readonly never[] = Object.freeze([]);

/** Nothing beyond cpu and memory. */
export const NO_RESERVATION: Reservation = Object.freeze({});

const NO_CLAIM: NodeClaim = Object.freeze({
  cpuNanos: 0,
  memoryBytes: 0,
  generic: NONE,
  devices: NONE,
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
  if (requirements === NO_REQUIREMENTS && reservation === NO_RESERVATION) return NO_CLAIM;
  const { ports = NONE } = reservation;
  return {
    cpuNanos: requirements.cpuNanos,
    memoryBytes: requirements.memoryBytes,
    hostPorts:
      ports.length === 0
        ? requirements.hostPorts
        : [...requirements.hostPorts, ...ports.map(hostPortKey)],
    // A task that was placed without a record holds as many as it asked for, whichever.
    generic: reservation.genericResources ?? requirements.generic,
    // Which devices an unrecorded task holds nobody knows.
    devices: reservation.devices ?? NONE,
  };
}

/** How a port of a node is named: `tcp/8080`. */
export function hostPortKey(port: Pick<ReservedPort, 'protocol' | 'publishedPort'>): string {
  return `${port.protocol}/${port.publishedPort}`;
}

/** What the task's status says it was given. */
export function recordedReservation({ status, spec }: Task): Reservation {
  const { genericResources, volumes, devices, reservedPorts } = status;
  if (
    genericResources === undefined &&
    volumes === undefined &&
    devices === undefined &&
    reservedPorts === undefined
  ) {
    return NO_RESERVATION;
  }
  const mounts = spec.template.container?.mounts ?? NONE;
  const isReadOnly = (target: string): boolean =>
    mounts.find((mount) => mount.target === target)?.isReadOnly ?? false;
  return {
    ...(genericResources === undefined ? {} : { genericResources }),
    ...(volumes === undefined
      ? {}
      : { volumes: volumes.map((use) => ({ ...use, isReadOnly: isReadOnly(use.target) })) }),
    ...(devices === undefined ? {} : { devices }),
    ...(reservedPorts === undefined ? {} : { ports: reservedPorts }),
  };
}
