/**
 * Endpoint slices: which tasks answer for a service in a network.
 *
 * **Source:** ours; the idea of slices is Kubernetes' (KEP-752), so that a change rewrites little.
 */
import { byIndex, defineKind, type IndexSelector } from './kind.js';
import type { EmptyStatus } from './cluster.js';
import type { NetworkId, NodeId, Revision, ServiceId, StoredObject, TaskId } from './meta.js';

/** Most backends in one slice. */
export const SLICE_BACKENDS_MAX = 100;

/**
 * Whether a backend gets new connections.
 * `starting`: known, not yet; `serving`: yes; `draining`: existing connections only.
 */
export type BackendState = 'starting' | 'serving' | 'draining';

/** One task behind a service. */
export interface Backend {
  readonly taskId: TaskId;
  /** `vote.1.x9k2…`: what PTR answers. */
  readonly taskName: string;
  readonly nodeId: NodeId;
  /** Without prefix length: `10.0.1.3`. */
  readonly address: string;
  /** The address of the other family, with dual stack. */
  readonly address6?: string;
  /** At least 0; 0 gets no new connections. Default weight is 1. */
  readonly weight: number;
  readonly state: BackendState;
  /**
   * Version of the slice that first said `draining`; absent while that is the slice's own version.
   * So a drain waits for one revision, however often the slice is written after it.
   */
  readonly drainingSince?: Revision;
  /** Names of this task alone: its short id, its hostname, the aliases of its attachment. */
  readonly aliases: readonly string[];
}

/** Content of a slice. */
export interface EndpointSliceSpec {
  readonly serviceId: ServiceId;
  readonly networkId: NetworkId;
  /** Number of the slice: backends are distributed by a stable hash of the task id. */
  readonly index: number;
  /** Sorted by task id; at most {@link SLICE_BACKENDS_MAX}. */
  readonly backends: readonly Backend[];
}

/** A slice. Its version is what nodes acknowledge. */
export type EndpointSlice = StoredObject<EndpointSliceSpec, EmptyStatus>;

/** Token of {@link EndpointSlice}. */
export const EndpointSlice = defineKind<EndpointSliceSpec, EmptyStatus>({
  name: 'EndpointSlice',
  hasUniqueName: false,
  indexes: {
    service: ({ spec }) => spec.serviceId,
    network: ({ spec }) => spec.networkId,
    task: ({ spec }) => spec.backends.map((backend) => backend.taskId),
  },
  specIndexes: ['service', 'network', 'task'],
  initialStatus: Object.freeze({}),
});

/** Slices of a service, in all its networks. */
export function slicesByService(id: ServiceId): IndexSelector<EndpointSliceSpec, EmptyStatus> {
  return byIndex(EndpointSlice, 'service', id);
}

/** Slices of all services in a network. */
export function slicesByNetwork(id: NetworkId): IndexSelector<EndpointSliceSpec, EmptyStatus> {
  return byIndex(EndpointSlice, 'network', id);
}
