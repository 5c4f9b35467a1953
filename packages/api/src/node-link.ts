/**
 * The words between manager and node: assignments go down, reports and acknowledgements come up.
 *
 * An assignment is a set of items, each with a kind and a key. It is sent whole once, then as
 * differences, so both sides do work in proportion to what changed.
 *
 * **Source:** SwarmKit design/orchestrators.md and api/dispatcher.proto; endpoint tables in the
 * assignment, and their acknowledgement, are ours.
 */
import type { EndpointSliceSpec } from './endpoint-slice.js';
import type { NetworkId, NodeId, Revision, ServiceId, TaskId, Timestamp } from './meta.js';
import type { NodeAvailability, NodeDescription, NodeRole } from './node.js';
import type { NodeAnswer, NodeNotice, NodeQuestion } from './node-question.js';
import type { GenericResource } from './resources.js';
import type { AllocatedPort, BalancingAlgorithm, EndpointSpec, TaskTemplate } from './service.js';
import type { ContainerStatus, TaskNetwork } from './task.js';
import type { DesiredTaskState, TaskState } from './task-state.js';

/** A task as its node has to know it. */
export interface AssignedTask {
  readonly id: TaskId;
  /** `vote.1.x9k2…` */
  readonly name: string;
  readonly serviceId?: ServiceId;
  readonly serviceName: string;
  readonly serviceLabels: Readonly<Record<string, string>>;
  readonly slot: number;
  readonly desiredState: DesiredTaskState;
  readonly template: TaskTemplate;
  readonly networks: readonly TaskNetwork[];
  /** Ports of the service as allocated. */
  readonly ports: readonly AllocatedPort[];
  readonly genericResources: readonly GenericResource[];
  readonly volumes: readonly { readonly volumeId: string; readonly target: string }[];
  /** No table routes to the task any more: it may be stopped at once. */
  readonly isDrained: boolean;
  /** Stop without `isDrained` at this time all the same. */
  readonly stopBy?: Timestamp;
  /** What the manager knows, so that an agent that starts afresh can go on. */
  readonly knownState: TaskState;
}

/** A network as a node has to build it. */
export interface AssignedNetwork {
  readonly id: NetworkId;
  readonly name: string;
  readonly driver: string;
  readonly isIngress: boolean;
  readonly isInternal: boolean;
  readonly isEncrypted: boolean;
  readonly mtu?: number;
  readonly subnets: readonly {
    readonly subnet: string;
    readonly gateway: string;
    readonly vxlanId: number;
  }[];
  /** This node's load-balancer address in the network, CIDR form; absent until allocated. */
  readonly loadBalancerAddress?: string;
  /** That of the other family, IPv6, with dual stack. */
  readonly loadBalancerAddress6?: string;
}

/**
 * A service as seen in one network: what its name and its VIP mean there. Key: `SERVICE/NETWORK`.
 */
export interface AssignedService {
  readonly serviceId: ServiceId;
  readonly serviceName: string;
  readonly networkId: NetworkId;
  /** Creation revision: the order in which nodes hand out firewall marks. */
  readonly order: number;
  /** CIDR form; absent for dnsrr. */
  readonly virtualAddress?: string;
  /** That of the other family, IPv6, with dual stack. */
  readonly virtualAddress6?: string;
  readonly aliases: readonly string[];
  /** Ingress ports; only in the ingress network. */
  readonly ports: readonly AllocatedPort[];
  readonly algorithm: BalancingAlgorithm;
  readonly affinity?: NonNullable<EndpointSpec['affinity']>;
  readonly isLocalOnly: boolean;
}

/** Backends of a service in a network, in slices. Key: the slice's id. */
export interface AssignedSlice extends EndpointSliceSpec {
  readonly id: string;
  /** Version of the slice; the table of this node is at least that new once it is acknowledged. */
  readonly revision: Revision;
}

/**
 * An endpoint of a network on another node: one FDB and one neighbour entry. Key:
 * `NETWORK/ADDRESS`.
 */
export interface AssignedPeer {
  readonly networkId: NetworkId;
  /** Without prefix length. The MAC address follows from it, unless it is given. */
  readonly address: string;
  /** For an IPv6 address of an endpoint with both families: its MAC address follows from IPv4. */
  readonly macAddress?: string;
  /** It is the load balancer of that node, and no task. Absent: a task, or not said. */
  readonly isBalancer?: true;
  readonly nodeId: NodeId;
  /** Address of that node in the underlay: the VXLAN tunnel end point. */
  readonly tunnelAddress: string;
}

/** Content of a secret or config. Key: its id. */
export interface AssignedFile {
  readonly id: string;
  readonly name: string;
  /** Base64. */
  readonly data: string;
  readonly templating?: string;
}

/** What the node has to know about itself. Key: its id. */
export interface AssignedNode {
  readonly id: NodeId;
  readonly name: string;
  readonly role: NodeRole;
  readonly availability: NodeAvailability;
  readonly dnsTtlMs: number;
  readonly dataPathPort: number;
}

/** The values of each kind of item. */
export interface AssignmentItems {
  readonly node: AssignedNode;
  readonly task: AssignedTask;
  readonly secret: AssignedFile;
  readonly config: AssignedFile;
  readonly network: AssignedNetwork;
  readonly service: AssignedService;
  readonly slice: AssignedSlice;
  readonly peer: AssignedPeer;
}

/** Kinds of items, in the order in which they are applied: dependencies before tasks. */
export const ASSIGNMENT_KINDS = Object.freeze([
  'node',
  'network',
  'secret',
  'config',
  'peer',
  'service',
  'slice',
  'task',
] as const);

/** A kind of item. */
export type AssignmentKind = keyof AssignmentItems;

/** One item of an assignment. */
export type AssignmentItem = {
  [K in AssignmentKind]: {
    readonly kind: K;
    readonly key: string;
    readonly value: AssignmentItems[K];
  };
}[AssignmentKind];

/** Name of an item that is no longer assigned. */
export interface AssignmentRemoval {
  readonly kind: AssignmentKind;
  readonly key: string;
}

/** What a node has to have, whole or as the difference to what it had. */
export interface Assignment {
  readonly type: 'complete' | 'incremental';
  /** Store revision that the node has reached when it has applied this. */
  readonly revision: Revision;
  /**
   * For `incremental`: the revision this is the difference to. A gap means: open the link again.
   */
  readonly appliesTo?: Revision;
  /** Ordered by {@link ASSIGNMENT_KINDS}, then by key. */
  readonly upserts: readonly AssignmentItem[];
  readonly removals: readonly AssignmentRemoval[];
}

/** What a node observed of a task. Reports of lower states than the known one are ignored. */
export interface TaskReport {
  readonly taskId: TaskId;
  readonly state: TaskState;
  readonly timestamp: Timestamp;
  readonly message: string;
  readonly error?: string;
  readonly container?: ContainerStatus;
  readonly hostPorts?: readonly AllocatedPort[];
}

/** The node's kernel holds the tables of this revision. A watermark: it never goes back. */
export interface TableAck {
  readonly appliedRevision: Revision;
}

/** What a node says when it comes. */
export interface NodeHello {
  readonly nodeId: NodeId;
  /** Address in the underlay. */
  readonly address: string;
  readonly description: NodeDescription;
}

/** Answer to a heartbeat. */
export interface HeartbeatReply {
  /** When the next one is due, in ms from now. */
  readonly periodMs: number;
}

/** What a node listens to during a session. All may be called at any time until `closed`. */
export interface NodeLinkHandlers {
  assignment(assignment: Assignment): void;
  /** The session is over; open another, after a pause that grows from 100 ms to 8 s. */
  closed(reason: string): void;
  /**
   * Answers a question. Returns at once; the answer is produced as it is read, so a reader that is
   * slow holds the node's own reading up and nothing is kept for it. It is over when `signal`
   * fires, or when the reader returns the iterator. What the iteration throws is the asker's to
   * see. A node without it answers nothing (`unimplemented`).
   */
  ask?(question: NodeQuestion, signal: AbortSignal): AsyncIterable<NodeAnswer>;
}

/** An open session. Calls reject with `failed-precondition` once it is over. */
export interface NodeSession {
  readonly sessionId: string;
  readonly heartbeatPeriodMs: number;
  heartbeat(): Promise<HeartbeatReply>;
  /** At most 1024 reports a call. */
  report(reports: readonly TaskReport[]): Promise<void>;
  acknowledge(ack: TableAck): Promise<void>;
  describe(description: NodeDescription): Promise<void>;
  /**
   * Tells what is worth an event about the node: at most `NOTICES_MAX` a call. Best effort: a
   * manager that hears too much from a node drops the rest. Absent in a manager that takes none.
   */
  tell?(notices: readonly NodeNotice[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * How a node reaches a manager: in process, over a unix socket, later over mTLS.
 * @throws not-found for an unknown node; unavailable when it registers too often (3 in 8 s), or
 * when
 * another manager leads: `details.leader` is its name then, if that is known.
 */
export interface NodeLink {
  open(hello: NodeHello, handlers: NodeLinkHandlers): Promise<NodeSession>;
}
