/**
 * What filters and rank terms may know of the cluster.
 */
import type {
  Mount,
  Network,
  NetworkId,
  Node,
  NodeFaults,
  NodeId,
  Service,
  ServiceId,
  Task,
  TaskId,
  Volume,
} from '@skep/api';
import type { NodeColumns } from './node-columns.js';
import type { NodeInfo } from './node-info.js';
import type { PlacedTask } from './placed-tasks.js';
import type { ServiceCounts } from './service-counts.js';
import type { VolumeChoice } from './volume-ledger.js';

/** The reading side of the cluster state. */
export interface ClusterView {
  /** Rises with every change that can change a decision. */
  readonly revision: number;
  /** All nodes by name, then id. Cost: O(1), after a change of nodes O(nodes log nodes). */
  readonly nodes: readonly NodeInfo[];
  /** The nodes as columns, by ordinal. Cost: O(1), after a change of nodes O(nodes). */
  readonly columns: NodeColumns;
  /** The node, or undefined. */
  node(id: NodeId): NodeInfo | undefined;
  /** Active tasks of the service, by node, as of now: ask again after a placement. */
  activeTasksOf(serviceId: ServiceId | undefined): ServiceCounts;
  /** The id of the service with that name; what is not known as a name stands for itself. */
  serviceId(nameOrId: string): ServiceId;
  /** The task, if it counts on a node. */
  placedTask(id: TaskId): PlacedTask | undefined;
  /** Tasks that count on the node, by id. Cost: O(tasks) once, then O(tasks of the node). */
  tasksOn(id: NodeId): readonly PlacedTask[];
  /** Tasks on nodes that are to have distance from tasks of some services, by id. */
  tasksWithAntiAffinity(): readonly PlacedTask[];
  /** What is remembered of failures of the service's tasks. */
  faultsOf(serviceId: ServiceId | undefined): readonly NodeFaults[];
  /** Name of the network's driver; undefined for a network that is not known. */
  networkDriver(id: NetworkId): string | undefined;
  /** Cluster volumes: which ones the mounts of a task could have on a node. */
  readonly volumes: { choose(mounts: readonly Mount[], node: NodeInfo): VolumeChoice };
}

/** Everything that a state is built from. Only nodes and tasks matter to most policies. */
export interface ClusterObjects {
  readonly nodes?: Iterable<Node>;
  readonly tasks?: Iterable<Task>;
  readonly services?: Iterable<Service>;
  readonly volumes?: Iterable<Volume>;
  readonly networks?: Iterable<Network>;
}
