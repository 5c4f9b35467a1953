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
 * What a task is given at most, and what is kept for it. Only reservations matter for placement.
 */
export interface ResourceRequirements {
  readonly limits?: {
    readonly cpuNanos?: number;
    readonly memoryBytes?: number;
    readonly pids?: number;
  };
  readonly reservations?: Resources;
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
