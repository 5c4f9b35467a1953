/**
 * The remaining kinds: the cluster itself, secrets, configs, volumes, leases, events.
 */
import type { DriverConfig } from './container.js';
import { defineKind, ownerIndex } from './kind.js';
import type { Condition, Labels, ObjectId, StoredObject, Timestamp } from './meta.js';

/** A way to program the kernels of nodes. */
export type DataplaneName = 'ipvs' | 'nftables';

/** Settings of the whole cluster. Each has a default in `defaults.ts`. */
export interface ClusterSpec {
  /** Ended tasks kept per slot; negative keeps all. */
  readonly taskHistoryLimit?: number;
  readonly heartbeatPeriodMs?: number;
  /** A node is DOWN after this many heartbeat periods without one. */
  readonly heartbeatGrace?: number;
  /** Tasks of a node that is DOWN this long are ORPHANED. */
  readonly orphanAfterMs?: number;
  /** Ranges that networks are cut from, in order. */
  readonly addressPools?: readonly string[];
  /** Prefix length of the subnets that are cut, at most 29. */
  readonly subnetPrefix?: number;
  /** UDP port of VXLAN, 1024–49151. */
  readonly dataPathPort?: number;
  /**
   * How nodes program their kernels, for good. What it cannot do is refused where it is declared.
   */
  readonly dataplane?: DataplaneName;
  readonly dynamicPorts?: { readonly first: number; readonly last: number };
  /**
   * Time to live of the answers for names of the cluster; also how long addresses are quarantined.
   */
  readonly dnsTtlMs?: number;
  /** Longest wait for all tables to let go of a task before it is stopped all the same. */
  readonly drainTimeoutMs?: number;
  readonly logDriver?: DriverConfig;
}

/** What is known about the cluster. */
export interface ClusterStatus {
  readonly observedGeneration: number;
  /** VXLAN id given last; the next is searched from here. Written by the allocator. */
  readonly lastVxlanId?: number;
  /** Dynamic port given last, per protocol. Written by the allocator. */
  readonly lastPorts?: Readonly<Partial<Record<'tcp' | 'udp' | 'sctp', number>>>;
  readonly conditions?: readonly Condition[];
}

/** The cluster; there is one, named `default`. */
export type Cluster = StoredObject<ClusterSpec, ClusterStatus>;

/** Token of {@link Cluster}. */
export const Cluster = defineKind<ClusterSpec, ClusterStatus>({
  name: 'Cluster',
  initialStatus: Object.freeze({ observedGeneration: 0 }),
});

/** A status that says nothing yet. */
export interface EmptyStatus {
  readonly conditions?: readonly Condition[];
}

const EMPTY_STATUS: EmptyStatus = Object.freeze({});

/** Content that is given to tasks as a file and kept secret. Immutable but for its labels. */
export interface SecretSpec {
  /** Base64. At least 1 byte, below 500 KiB decoded; absent with a driver. */
  readonly data?: string;
  readonly driver?: DriverConfig;
  /** Name of the template engine that expands the content (`golang`). */
  readonly templating?: DriverConfig;
}

/** A secret. */
export type Secret = StoredObject<SecretSpec, EmptyStatus>;

/** Token of {@link Secret}. */
export const Secret = defineKind<SecretSpec, EmptyStatus>({
  name: 'Secret',
  indexes: { owner: ownerIndex },
  initialStatus: EMPTY_STATUS,
});

/** Content that is given to tasks as a file. Immutable but for its labels. */
export interface ConfigSpec {
  /** Base64. Below 1000 KiB decoded. */
  readonly data?: string;
  readonly templating?: DriverConfig;
}

/** A config. */
export type Config = StoredObject<ConfigSpec, EmptyStatus>;

/** Token of {@link Config}. */
export const Config = defineKind<ConfigSpec, EmptyStatus>({
  name: 'Config',
  indexes: { owner: ownerIndex },
  initialStatus: EMPTY_STATUS,
});

/** How many nodes and writers a volume may have at a time. */
export interface VolumeAccess {
  readonly scope: 'single' | 'multi';
  readonly sharing: 'none' | 'read-only' | 'one-writer' | 'all';
  readonly type: 'mount' | 'block';
  readonly fsType?: string;
  readonly mountFlags?: readonly string[];
}

/** A cluster volume, provided by a driver and usable from nodes within reach of it. */
export interface VolumeSpec {
  readonly group?: string;
  readonly driver: DriverConfig;
  readonly access: VolumeAccess;
  readonly availability?: 'active' | 'pause' | 'drain';
  readonly secrets?: Labels;
  readonly capacity?: { readonly requiredBytes?: number; readonly limitBytes?: number };
  readonly accessibility?: {
    readonly requisite?: readonly Labels[];
    readonly preferred?: readonly Labels[];
  };
}

/** What is known about a volume. */
export interface VolumeStatus {
  /** The driver's id, once the volume exists. */
  readonly volumeId?: string;
  readonly capacityBytes?: number;
  /** Topologies from which it can be reached; none: from everywhere. */
  readonly accessibleTopology?: readonly Labels[];
  readonly published?: readonly {
    readonly nodeId: ObjectId;
    readonly state:
      'pending-publish' | 'published' | 'pending-unpublish' | 'pending-node-unpublish';
  }[];
  readonly conditions?: readonly Condition[];
}

/** A volume. */
export type Volume = StoredObject<VolumeSpec, VolumeStatus>;

/** Token of {@link Volume}. */
export const Volume = defineKind<VolumeSpec, VolumeStatus>({
  name: 'Volume',
  indexes: { group: ({ spec }) => spec.group, owner: ownerIndex },
  specIndexes: ['group'],
  initialStatus: EMPTY_STATUS,
});

/** Claim of one manager to be the leader (or to own a shard) for some time. */
export interface LeaseSpec {
  readonly holder: string;
  /** Rises at every change of holder; the fence of the holder's commits. */
  readonly term: number;
  readonly durationMs: number;
  readonly acquiredAt: Timestamp;
  readonly renewedAt: Timestamp;
}

/** A lease. */
export type Lease = StoredObject<LeaseSpec, EmptyStatus>;

/** Token of {@link Lease}. */
export const Lease = defineKind<LeaseSpec, EmptyStatus>({
  name: 'Lease',
  initialStatus: EMPTY_STATUS,
});

/** Something that happened to an object, for people. Equal ones are counted, not repeated. */
export interface EventSpec {
  readonly regarding: { readonly kind: string; readonly id: ObjectId; readonly name: string };
  readonly type: 'normal' | 'warning';
  /** CamelCase code, such as `TaskRestarted`. */
  readonly reason: string;
  readonly message: string;
  readonly actor: string;
  readonly count: number;
  readonly firstAt: Timestamp;
  readonly lastAt: Timestamp;
}

/** An event. */
export type Event = StoredObject<EventSpec, EmptyStatus>;

/** Token of {@link Event}. */
export const Event = defineKind<EventSpec, EmptyStatus>({
  name: 'Event',
  hasUniqueName: false,
  indexes: { regarding: ({ spec }) => `${spec.regarding.kind}/${spec.regarding.id}` },
  specIndexes: ['regarding'],
  initialStatus: EMPTY_STATUS,
});
