/**
 * Amounts that tasks ask for and nodes have.
 */

/** A countable resource, or named items of one kind. */
export type GenericResource =
  | { readonly kind: string; readonly count: number }
  | { readonly kind: string; readonly ids: readonly string[] };

/** Amounts of cpu, memory and generic resources. Absent means none. */
export interface Resources {
  /** Billionths of a core. */
  readonly cpuNanos?: number;
  readonly memoryBytes?: number;
  /** A task reserves counts only; a node has counts or named sets. */
  readonly generic?: readonly GenericResource[];
}

/**
 * A device that tasks may share: a GPU, a network card, an accelerator. The first of a kind in the
 * node's list has index 0, the next 1, and so on.
 */
export interface NodeDevice {
  /** What it is: `gpu`. */
  readonly kind: string;
  /** Which one: `V100M16`. Default: '', which only requests without models match. */
  readonly model?: string;
  /** What it can be divided into, in thousandths. Default: 1000. */
  readonly capacityMilli?: number;
}

/**
 * Devices that a task asks for: `count` different ones, `milli` thousandths of each.
 * A kind is named at most once in the requests of a task.
 */
export interface DeviceRequest {
  readonly kind: string;
  /** Above 0. */
  readonly count: number;
  /** Thousandths of each device, above 0. Default: whole devices, shared with nobody. */
  readonly milli?: number;
  /** Models that will do. Default, and when empty: any. */
  readonly models?: readonly string[];
}

/** A device that a task holds, or a part of it. */
export interface DeviceShare {
  readonly kind: string;
  /** Which of the node's devices of the kind, from 0. */
  readonly index: number;
  readonly milli: number;
}

/** What a device can be divided into when its node does not say. */
export const DEVICE_CAPACITY_MILLI = 1_000;

/** What a node has. */
export interface NodeResources extends Resources {
  /** Devices with a number, which tasks may share. */
  readonly devices?: readonly NodeDevice[];
}

/** What is kept for a task. */
export interface ReservedResources extends Resources {
  readonly devices?: readonly DeviceRequest[];
}

/**
 * What is wrong with the requests, each as `devices[0].count: …`; empty when nothing is.
 * Bounds: 64 requests, 1,024 devices of a kind, so that no request is a burden to the scheduler.
 */
export function deviceRequestFaults(requests: readonly DeviceRequest[]): readonly string[] {
  const faults: string[] = [];
  if (requests.length > REQUESTS_MAX) faults.push(`devices: at most ${REQUESTS_MAX} kinds`);
  const kinds = new Set<string>();
  for (const [at, { kind, count, milli }] of requests.entries()) {
    const where = `devices[${at}]`;
    if (kind === '') faults.push(`${where}.kind: must not be empty`);
    if (kinds.has(kind)) faults.push(`${where}.kind: '${kind}' is asked for twice`);
    kinds.add(kind);
    if (!isAmount(count) || count > COUNT_MAX) {
      faults.push(`${where}.count: must be a whole number from 1 to ${COUNT_MAX}, not ${count}`);
    }
    if (milli !== undefined && !isAmount(milli)) {
      faults.push(`${where}.milli: must be a whole number above 0, not ${milli}`);
    }
  }
  return faults;
}

const REQUESTS_MAX = 64;
const COUNT_MAX = 1_024;

function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

/**
 * What a task is given at most, and what is kept for it. Only reservations matter for placement.
 */
export interface ResourceRequirements {
  readonly limits?: {
    readonly cpuNanos?: number;
    readonly memoryBytes?: number;
    readonly pids?: number;
  };
  readonly reservations?: ReservedResources;
  readonly swapBytes?: number;
  readonly memorySwappiness?: number;
}

/** An operating system and processor; an empty field is a wildcard. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

/**
 * The architecture by its usual name.
 * **Source:** SwarmKit manager/scheduler/filter.go, PlatformFilter.
 */
export function normalArchitecture(architecture: string): string {
  if (architecture === 'x86_64') return 'amd64';
  if (architecture === 'aarch64') return 'arm64';
  return architecture;
}
