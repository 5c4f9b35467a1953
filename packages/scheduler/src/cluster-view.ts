/**
 * What filters and rank terms may know of the cluster.
 */
import type { Mount, NetworkId, NodeFaults, NodeId, ServiceId } from '@skep/api';
import type { NodeInfo } from './node-info.js';
import type { ServiceCounts } from './service-counts.js';
import type { VolumeChoice } from './volume-ledger.js';

/** The reading side of the cluster state. */
export interface ClusterView {
  /** All nodes by name, then id. Cost: O(1), after a change of nodes O(nodes log nodes). */
  readonly nodes: readonly NodeInfo[];
  /** The node, or undefined. */
  node(id: NodeId): NodeInfo | undefined;
  /** Active tasks of the service, by node, as of now: ask again after a placement. */
  activeTasksOf(serviceId: ServiceId | undefined): ServiceCounts;
  /** What is remembered of failures of the service's tasks. */
  faultsOf(serviceId: ServiceId | undefined): readonly NodeFaults[];
  /** Name of the network's driver; undefined for a network that is not known. */
  networkDriver(id: NetworkId): string | undefined;
  /** Cluster volumes: which ones the mounts of a task could have on a node. */
  readonly volumes: { choose(mounts: readonly Mount[], node: NodeInfo): VolumeChoice };
}
