/**
 * Services: what a user declares.
 *
 * **Source:** Docker Engine API v1.43 `ServiceSpec`, SwarmKit api/specs.proto and
 * api/objects.proto.
 */
import type { ContainerSpec, DriverConfig } from './container.js';
import { byIndex, defineKind, ownerIndex, type IndexSelector } from './kind.js';
import type {
  Condition,
  FieldManagers,
  Labels,
  NetworkId,
  StoredObject,
  TaskId,
  Timestamp,
} from './meta.js';
import type { Platform, ResourceRequirements } from './resources.js';
import type {
  NodeAffinity,
  ServiceAffinity,
  Toleration,
  TopologySpread,
} from './service-placement.js';

/** How many tasks a service has, and where. */
export type ServiceMode =
  | { readonly type: 'replicated'; readonly replicas?: number }
  | { readonly type: 'global' }
  | {
      readonly type: 'replicated-job';
      readonly maxConcurrent?: number;
      readonly totalCompletions?: number;
    }
  | { readonly type: 'global-job' };

/** When a task that ended is replaced. */
export interface RestartPolicy {
  readonly condition?: 'none' | 'on-failure' | 'any';
  readonly delayMs?: number;
  /** 0 means without limit. */
  readonly maxAttempts?: number;
  /** Attempts older than this do not count; 0 counts all. */
  readonly windowMs?: number;
}

/** A wish about the distribution: spread over the values of a label. */
export interface PlacementPreference {
  readonly spread: string;
}

/** Where tasks may run. */
export interface Placement {
  /** Expressions such as `node.role == worker`; all must hold. */
  readonly constraints?: readonly string[];
  readonly preferences?: readonly PlacementPreference[];
  /** 0 means without limit. */
  readonly maxReplicasPerNode?: number;
  readonly platforms?: readonly Platform[];
  /** Nodes by their labels; for policies with the node affinity plugins. */
  readonly nodeAffinity?: NodeAffinity;
  /** Near tasks of other services; for policies with the service affinity plugins. */
  readonly serviceAffinity?: ServiceAffinity;
  /** Away from tasks of services, the own one too; for policies with those plugins. */
  readonly serviceAntiAffinity?: ServiceAffinity;
  /** Taints of nodes that do not matter; for policies with the taint plugins. */
  readonly tolerations?: readonly Toleration[];
  /** Evenness over topologies, with bounds; for policies with the topology spread plugins. */
  readonly topologySpread?: readonly TopologySpread[];
  /**
   * Who goes first, and who may take whose place: more is more important. Default: 0. Only
   * preemption looks at it.
   */
  readonly priority?: number;
}

/** Attachment of a task to a network. `target` is the network's name or id. */
export interface NetworkAttachmentSpec {
  readonly target: string;
  readonly aliases?: readonly string[];
  readonly driverOptions?: Labels;
  /** Static addresses asked for; only for stand-alone attachments, as in Swarm. */
  readonly addresses?: readonly string[];
}

/** An engine plugin as a task. */
export interface PluginSpec {
  readonly name?: string;
  readonly remote?: string;
  readonly isDisabled?: boolean;
  readonly privileges?: readonly {
    readonly name?: string;
    readonly description?: string;
    readonly values?: readonly string[];
  }[];
  readonly env?: readonly string[];
}

/** What each task of a service is made from. */
export interface TaskTemplate {
  /** Default: container. */
  readonly runtime?: 'container' | 'plugin' | 'attachment';
  readonly container?: ContainerSpec;
  readonly plugin?: PluginSpec;
  /** For `attachment`: the container that is already there. */
  readonly attachment?: { readonly containerId: string };
  readonly resources?: ResourceRequirements;
  readonly restartPolicy?: RestartPolicy;
  readonly placement?: Placement;
  readonly networks?: readonly NetworkAttachmentSpec[];
  readonly logDriver?: DriverConfig;
  /** A counter: raising it replaces all tasks though nothing else changed. */
  readonly forceUpdate?: number;
}

/** How tasks are replaced when the template changes. */
export interface UpdateConfig {
  /** Slots replaced at a time; 0 means all at once. */
  readonly parallelism?: number;
  readonly delayMs?: number;
  readonly failureAction?: 'pause' | 'continue' | 'rollback';
  readonly monitorMs?: number;
  readonly maxFailureRatio?: number;
  readonly order?: 'stop-first' | 'start-first';
  /**
   * Longest time for one new task to run before the slot counts as failed. Default: none, as in
   * Swarm (defect 10).
   */
  readonly progressDeadlineMs?: number;
  /**
   * Holds updates: tasks stay as they are, whatever is declared, until it is gone. Slots that are
   * new, and tasks that replace ended ones, are made from the present spec. Default: false.
   */
  readonly isHeld?: boolean;
}

/** Protocols of published ports. */
export type PortProtocol = 'tcp' | 'udp' | 'sctp';

/** A port that a service publishes. */
export interface PortSpec {
  readonly name?: string;
  /** Default: tcp. */
  readonly protocol?: PortProtocol;
  readonly targetPort: number;
  /** Absent or 0: chosen from the dynamic range (ingress), or by the node (host). */
  readonly publishedPort?: number;
  /** Default: ingress. */
  readonly publishMode?: 'ingress' | 'host';
}

/** How connections are distributed over the backends of a VIP. */
export type BalancingAlgorithm =
  'round-robin' | 'weighted-round-robin' | 'least-connections' | 'source-hash' | 'maglev';

/** Weight of a part of the backends. */
export interface EndpointWeight {
  /** Tasks made from this generation of the service. */
  readonly specVersion?: number;
  /** Tasks whose labels hold this pair. */
  readonly label?: { readonly key: string; readonly value: string };
  /** 0 drains. */
  readonly weight: number;
}

/** How a service is reached. */
export interface EndpointSpec {
  /** Default: vip. */
  readonly mode?: 'vip' | 'dnsrr';
  readonly ports?: readonly PortSpec[];
  readonly weights?: readonly EndpointWeight[];
  /** Default: round-robin. */
  readonly algorithm?: BalancingAlgorithm;
  /** Connections of one client go to one backend for this long after the last. */
  readonly affinity?: { readonly type: 'client-ip'; readonly timeoutMs: number };
  /** Only backends on the node that took the connection. Default: false. */
  readonly isLocalOnly?: boolean;
  /** The weight of a new backend rises from 1 to its own within this time. Default: 0. */
  readonly slowStartMs?: number;
}

/** What a user declares about a service. Its name and labels are in `meta`. */
export interface ServiceSpec {
  /** Default: replicated, 1 replica. */
  readonly mode?: ServiceMode;
  readonly task: TaskTemplate;
  readonly update?: UpdateConfig;
  readonly rollback?: UpdateConfig;
  readonly endpoint?: EndpointSpec;
  /** Deprecated in Docker: networks of the service rather than of the template. */
  readonly networks?: readonly NetworkAttachmentSpec[];
}

/** A published port with the number it got. */
export interface AllocatedPort {
  readonly name: string;
  readonly protocol: PortProtocol;
  readonly targetPort: number;
  /** 0 for a host-mode port that each node chooses. */
  readonly publishedPort: number;
  readonly publishMode: 'ingress' | 'host';
}

/** The virtual address of a service in a network. `address` is in CIDR form: `10.0.1.2/24`. */
export interface VirtualAddress {
  readonly networkId: NetworkId;
  readonly address: string;
}

/** What the allocator gave a service. */
export interface ServiceEndpoint {
  /** Generation of the service that this allocation answers. */
  readonly observedGeneration: number;
  readonly mode: 'vip' | 'dnsrr';
  readonly ports: readonly AllocatedPort[];
  readonly virtualAddresses: readonly VirtualAddress[];
  /**
   * Ingress ports that the service gave up and that tables may still route to it: no other service
   * gets them before every node has let go of them. Absent: none.
   */
  readonly heldPorts?: readonly AllocatedPort[];
}

/** State of a rolling update. Final states are final (defect 11). */
export type UpdateState =
  | 'updating'
  | 'paused'
  | 'completed'
  | 'rollback-started'
  | 'rollback-paused'
  | 'rollback-completed';

/** Progress of a rolling update; everything a decision needs, so that it survives a crash. */
export interface UpdateStatus {
  readonly state: UpdateState;
  readonly startedAt: Timestamp;
  readonly completedAt?: Timestamp;
  readonly message: string;
  /** Generation that the update goes to. */
  readonly specVersion: number;
  /** Dirty slots when it began: the denominator of the failure ratio. */
  readonly dirtySlots: number;
  /** Tasks of this update that failed, oldest first; at most `dirtySlots` + 1 are kept. */
  readonly failedTasks: readonly TaskId[];
  /** When the last slot was finished; monitoring ends `monitorMs` later. */
  readonly drainedQueueAt?: Timestamp;
  /** Why it does not advance, when it does not. */
  readonly blocked?: string;
}

/** Iteration of a job: rises when the template changes, and every iteration runs from the start. */
export interface JobStatus {
  readonly iteration: number;
  readonly startedAt: Timestamp;
  readonly completed?: number;
}

/** Failures of a service's tasks on one node, for the scheduler's fault memory. */
export interface NodeFaults {
  readonly nodeId: string;
  readonly specVersion: number;
  /** Times of the newest failures, oldest first, at most ten. */
  readonly times: readonly Timestamp[];
}

/** An earlier declaration, for rollback. */
export interface SpecRevision {
  readonly specVersion: number;
  readonly spec: ServiceSpec;
  /** Who had set what of it. */
  readonly managers?: FieldManagers;
}

/** What is known about a service. Who writes which field: docs/semantics.md. */
export interface ServiceStatus {
  /** Generation that the orchestrator has fully acted on. */
  readonly observedGeneration: number;
  readonly endpoint?: ServiceEndpoint;
  readonly update?: UpdateStatus;
  readonly job?: JobStatus;
  /** Tasks created so far; makes the ids of new slots unique and plans on stale views conflict. */
  readonly createdTasks: number;
  /** At most 32 nodes, least recently failed first. */
  readonly faults?: readonly NodeFaults[];
  /** Newest first, at most ten. */
  readonly history?: readonly SpecRevision[];
  readonly conditions?: readonly Condition[];
}

/** A service: a template for tasks, how many of them, and how they are reached. */
export type Service = StoredObject<ServiceSpec, ServiceStatus>;

/** Token of {@link Service}. */
export const Service = defineKind<ServiceSpec, ServiceStatus>({
  name: 'Service',
  indexes: {
    network: ({ spec, status }) => [
      ...new Set([
        ...(spec.task.networks ?? []).map((network) => network.target),
        ...(spec.networks ?? []).map((network) => network.target),
        ...(status.endpoint?.virtualAddresses ?? []).map((vip) => vip.networkId),
      ]),
    ],
    secret: ({ spec }) => [
      ...new Set(
        (spec.task.container?.secrets ?? []).flatMap((use) => [use.secretId, use.secretName]),
      ),
    ],
    config: ({ spec }) => [
      ...new Set(
        (spec.task.container?.configs ?? []).flatMap((use) => [use.configId, use.configName]),
      ),
    ],
    mode: ({ spec }) => spec.mode?.type ?? 'replicated',
    owner: ownerIndex,
    publishedPort: ({ status }) =>
      status.endpoint?.ports
        .filter((port) => port.publishedPort > 0)
        .map((port) => `${port.protocol}/${port.publishedPort}`),
  },
  specIndexes: ['secret', 'config', 'mode'],
  initialStatus: Object.freeze({ observedGeneration: 0, createdTasks: 0 }),
});

/** Services that name the network (by id or name) or have a VIP in it. */
export function servicesByNetwork(target: string): IndexSelector<ServiceSpec, ServiceStatus> {
  return byIndex(Service, 'network', target);
}
