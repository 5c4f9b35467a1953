/**
 * Nodes: machines that run tasks.
 *
 * **Source:** SwarmKit api/objects.proto (Node), design/nomenclature.md.
 */
import { defineKind } from './kind.js';
import type { Condition, Labels, NetworkId, Revision, StoredObject } from './meta.js';
import type { NodeResources, Platform } from './resources.js';
import type { Taint } from './service-placement.js';

/** Role of a node. */
export type NodeRole = 'worker' | 'manager';
/** Whether a node takes new tasks (active), keeps those it has (pause), or loses them (drain). */
export type NodeAvailability = 'active' | 'pause' | 'drain';
/** Whether the node is in contact. Only the dispatcher writes it. */
export type NodeState = 'unknown' | 'down' | 'ready' | 'disconnected';

/** A plugin of the engine: `Volume/local`, `Network/overlay`, `Log/json-file`. */
export interface EnginePlugin {
  readonly type: string;
  readonly name: string;
}

/** What a node says about itself. */
export interface NodeDescription {
  readonly hostname: string;
  readonly platform: Platform;
  readonly resources: NodeResources;
  readonly engine: {
    readonly version: string;
    readonly labels: Labels;
    /** Absent: the node says nothing about plugins, and no plugin filter applies. */
    readonly plugins?: readonly EnginePlugin[];
  };
  /** Topology for cluster volumes: segment name → value. */
  readonly topology?: Labels;
  /** Images that the node has, for policies that like to go where an image is. */
  readonly images?: readonly NodeImage[];
}

/** An image on a node. */
export interface NodeImage {
  /** Every name by which a task may ask for it: `nginx:1.27`, `nginx@sha256:…`. */
  readonly names: readonly string[];
  readonly sizeBytes: number;
}

/** What is wanted of a node. Its labels (`node.labels.x`) are `meta.labels`. */
export interface NodeSpec {
  readonly role: NodeRole;
  readonly availability: NodeAvailability;
  /**
   * What keeps tasks away that do not tolerate it. Only policies with a taint filter look at it.
   */
  readonly taints?: readonly Taint[];
  /** For a simulated host: what it says about itself where that differs from the default. */
  readonly description?: Partial<NodeDescription>;
}

/** The node's own address in a network: that of its load-balancer sandbox, in CIDR form. */
export interface NodeNetwork {
  readonly networkId: NetworkId;
  readonly address: string;
}

/** What is known about a node. */
export interface NodeStatus {
  readonly state: NodeState;
  readonly message: string;
  /** Address of the node in the underlay, as the manager saw it. */
  readonly address: string;
  readonly description?: NodeDescription;
  /** Load-balancer addresses, written by the allocator; sorted by network id. */
  readonly networks?: readonly NodeNetwork[];
  /** What the node's kernel holds, written by the dispatcher from the node's acknowledgements. */
  readonly tables?: { readonly appliedRevision: Revision };
  /** When a node that is not in contact was last heard of; its tasks are orphaned 24 h later. */
  readonly downSince?: number;
  readonly manager?: { readonly isLeader: boolean; readonly address: string };
  readonly conditions?: readonly Condition[];
}

/** A node. */
export type Node = StoredObject<NodeSpec, NodeStatus>;

/** Token of {@link Node}. Names of nodes (hostnames) need not be unique, as in Swarm. */
export const Node = defineKind<NodeSpec, NodeStatus>({
  name: 'Node',
  hasUniqueName: false,
  indexes: {
    network: ({ status }) => status.networks?.map((network) => network.networkId),
  },
  initialStatus: Object.freeze({ state: 'unknown', message: '', address: '' } as const),
});

/** Host name as constraints see it: what the node says, else its name. */
export function hostnameOf(node: Node): string {
  return node.status.description?.hostname ?? node.meta.name;
}
