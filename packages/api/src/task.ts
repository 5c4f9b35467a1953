/**
 * Tasks: one run of a service's template on one node. A task never moves; its replacement is a new
 * task.
 *
 * **Source:** SwarmKit design/task_model.md, api/objects.proto (Task).
 */
import { byIndex, defineKind, type IndexKeys, type IndexSelector } from './kind.js';
import type { NetworkId, NodeId, ServiceId, StoredObject, TaskId, Timestamp } from './meta.js';
import type { DeviceShare, GenericResource } from './resources.js';
import type {
  AllocatedPort,
  EndpointSpec,
  PortProtocol,
  ServiceEndpoint,
  TaskTemplate,
} from './service.js';
import type { DesiredTaskState, TaskState } from './task-state.js';

/** When a task that waits at READY may run. All times are absolute, so they survive a crash. */
export interface TaskRelease {
  /** Not before this time: the restart or update delay. */
  readonly notBefore: Timestamp;
  /** The task that has to end first. */
  readonly afterTask?: TaskId;
  /** The wait for `afterTask` is given up at this time (Swarm: 60 s). */
  readonly giveUpAt?: Timestamp;
}

/** Restarts of a slot so far; travels from each task to its replacement. */
export interface RestartHistory {
  /** Restarts of this generation of the service. */
  readonly count: number;
  /** Times of the restarts within the window, oldest first, at most `maxAttempts` + 1. */
  readonly times: readonly Timestamp[];
}

/** Why a task exists. */
export type TaskCause = 'scale' | 'restart' | 'update' | 'node';

/**
 * What is wanted of a task. Everything but `desiredState`, `release`, `stopBy` and `isMoving` is
 * fixed
 * at creation.
 */
export interface TaskSpec {
  /** Absent for stand-alone tasks. */
  readonly serviceId?: ServiceId;
  /** Name of the service at creation, '' without one. */
  readonly serviceName: string;
  /** From 1 for replicated services, from 0 for replicated jobs, 0 for global modes. */
  readonly slot: number;
  /** The node, where the orchestrator fixes it: global modes. */
  readonly nodeId?: NodeId;
  /** Never moves down. */
  readonly desiredState: DesiredTaskState;
  /** Generation of the service that the template is from. */
  readonly specVersion?: number;
  readonly template: TaskTemplate;
  readonly endpoint?: EndpointSpec;
  readonly jobIteration?: number;
  readonly cause: TaskCause;
  /** The task that this one replaces. */
  readonly replaces?: TaskId;
  readonly release?: TaskRelease;
  /**
   * Set when the task is asked to end: it is stopped at this time though tables still route to it.
   */
  readonly stopBy?: Timestamp;
  readonly restarts?: RestartHistory;
  /**
   * Asked to make room: the task is replaced in its slot as an update replaces it, in the service's
   * order, though it is as declared. Never unset.
   */
  readonly isMoving?: boolean;
}

/** An address of a task in a network. */
export interface TaskNetwork {
  readonly networkId: NetworkId;
  /** CIDR form: `10.0.1.3/24`; several with dual stack; none in node-local networks. */
  readonly addresses: readonly string[];
  readonly aliases: readonly string[];
}

/** What the node says about the container. */
export interface ContainerStatus {
  readonly containerId?: string;
  readonly pid?: number;
  readonly exitCode?: number;
}

/** The number that a host-mode port without one was given on its node. */
export interface ReservedPort {
  readonly protocol: PortProtocol;
  readonly targetPort: number;
  readonly publishedPort: number;
}

/** Counts of nodes that a filter refused. */
export interface FilterCount {
  readonly filter: string;
  readonly nodes: number;
}

/** Why a task has no node. The whole explanation is computed on demand. */
export interface PendingReason {
  /** Machine-readable: `no-suitable-node`, `addresses-exhausted`, `network-not-found`, … */
  readonly code: string;
  readonly message: string;
  /** By falling count, then filter name. */
  readonly filters?: readonly FilterCount[];
  /** The first ten nodes by name, each with the filters that refused it. */
  readonly nodes?: readonly {
    readonly nodeId: NodeId;
    readonly nodeName: string;
    readonly filters: readonly string[];
  }[];
}

/** Why a task is on its node: what set that node apart from the next best. */
export interface PlacementSummary {
  /**
   * The rank term that decided: `faults`, `service-tasks`, `total-tasks`, `spread`, or that of
   * another policy; `score` or the name of a policy's only score; the policy's tie-break, or
   * `name` or `id`, for a tie; `only-node` without an alternative; `preassigned`.
   */
  readonly term: string;
  /** The node that would have been taken otherwise. */
  readonly runnerUp?: NodeId;
  /** What the term gave for the node and for the runner-up: less is better, of a score more. */
  readonly values?: readonly [number, number];
  /** Nodes that passed every filter. */
  readonly nodes: number;
}

/** What is known about a task. */
export interface TaskStatus {
  readonly state: TaskState;
  /** When the state was reached, by the clock of whoever observed it. */
  readonly timestamp: Timestamp;
  /** When the manager took notice. */
  readonly appliedAt: Timestamp;
  readonly message: string;
  readonly error?: string;
  /** Set by the scheduler; for global modes confirmed from `spec.nodeId`. */
  readonly nodeId?: NodeId;
  readonly pending?: PendingReason;
  /** Set by the scheduler together with `nodeId`. */
  readonly placement?: PlacementSummary;
  readonly networks?: readonly TaskNetwork[];
  /** The service's endpoint when the task was allocated. */
  readonly endpoint?: ServiceEndpoint;
  /** Set when the addresses went back to their networks; they are history from then on. */
  readonly releasedAt?: Timestamp;
  readonly genericResources?: readonly GenericResource[];
  /** The devices it was given, by index. Set by the scheduler together with `nodeId`. */
  readonly devices?: readonly DeviceShare[];
  /** Host-mode ports whose numbers the policy chose. Set by the scheduler with `nodeId`. */
  readonly reservedPorts?: readonly ReservedPort[];
  readonly volumes?: readonly { readonly volumeId: string; readonly target: string }[];
  readonly container?: ContainerStatus;
  /** Host-mode ports as the node bound them. */
  readonly hostPorts?: readonly AllocatedPort[];
  /** When `running` was first observed. */
  readonly runningAt?: Timestamp;
  /** Set by the endpoints loop when no table routes to the task any more: the agent may stop it. */
  readonly drainedAt?: Timestamp;
}

/** A task. */
export type Task = StoredObject<TaskSpec, TaskStatus>;

/** Key of a slot in the task index `slot`: a numbered slot, or a node for global modes. */
export function slotKey(spec: Pick<TaskSpec, 'serviceId' | 'slot' | 'nodeId'>): string {
  return spec.nodeId === undefined
    ? `${spec.serviceId ?? ''}/${spec.slot}`
    : `${spec.serviceId ?? ''}@${spec.nodeId}`;
}

/** By network. Worked out at every write; most tasks have one or none. */
function networkKeys(networks: readonly TaskNetwork[] | undefined): IndexKeys {
  if (networks?.length === 1) return networks[0]?.networkId;
  return networks?.map(({ networkId }) => networkId);
}

/** Token of {@link Task}. */
export const Task = defineKind<TaskSpec, TaskStatus>({
  name: 'Task',
  hasUniqueName: false,
  indexes: {
    service: ({ spec }) => spec.serviceId,
    node: ({ spec, status }) => status.nodeId ?? spec.nodeId,
    slot: ({ spec }) => (spec.serviceId === undefined ? undefined : slotKey(spec)),
    network: ({ status }) => networkKeys(status.networks),
  },
  specIndexes: ['service', 'slot'],
  initialStatus: Object.freeze({
    state: 'new',
    timestamp: 0,
    appliedAt: 0,
    message: 'created',
  } as const),
});

/** Tasks of a service. */
export function byService(id: ServiceId): IndexSelector<TaskSpec, TaskStatus> {
  return byIndex(Task, 'service', id);
}

/** Tasks that are assigned to a node, or preassigned to it. */
export function byNode(id: NodeId): IndexSelector<TaskSpec, TaskStatus> {
  return byIndex(Task, 'node', id);
}

/** Tasks of a slot (see {@link slotKey}). */
export function bySlot(key: string): IndexSelector<TaskSpec, TaskStatus> {
  return byIndex(Task, 'slot', key);
}

/** Tasks with an attachment to the network. */
export function tasksByNetwork(id: NetworkId): IndexSelector<TaskSpec, TaskStatus> {
  return byIndex(Task, 'network', id);
}

/**
 * The name by which people know a task: `vote.1.x9k2…` or `vote.NODEID.x9k2…` for global modes.
 * **Source:** SwarmKit api/naming/naming.go.
 */
export function taskName(task: Pick<Task, 'meta' | 'spec'>): string {
  const place = task.spec.nodeId ?? String(task.spec.slot);
  return `${task.spec.serviceName}.${place}.${task.meta.id}`;
}
