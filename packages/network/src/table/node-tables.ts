/**
 * The tables of a node in typed form: everything that its kernel has to hold so that names and
 * published ports lead to running tasks. Renderers turn them into text; nothing else decides.
 *
 * **Source:** moby daemon/libnetwork (service_linux, drivers/overlay) for what there is; the one
 * declarative form, from which differences are computed, is ours.
 */
import type {
  AllocatedPort,
  BalancingAlgorithm,
  EndpointSpec,
  NetworkId,
  NodeId,
  PortProtocol,
  Revision,
  ServiceId,
  TaskId,
} from '@skep/api';
import type { SliceIndex } from './slice-index.js';
import type { SortedMap } from './sorted-map.js';

/** A port as it is published in the mesh, and where it leads in the task. */
export interface PublishedPort {
  readonly protocol: PortProtocol;
  readonly publishedPort: number;
  readonly targetPort: number;
}

/** A task that connections to a VIP are given to. */
export interface TableBackend {
  /** Of the VIP's family, without prefix length. */
  readonly address: string;
  /** 0: it keeps the connections it has and gets no new ones. */
  readonly weight: number;
  readonly taskId: TaskId;
  /** `vote.1.x9k2…` */
  readonly taskName: string;
  readonly nodeId: NodeId;
}

/**
 * What a virtual address means on this node. A service with addresses of both families has two of
 * these, each with the backends' addresses of its family.
 */
export interface VipTable {
  /** Without prefix length. */
  readonly address: string;
  /**
   * Firewall mark that leads from the address, or the published port, to the backends. The same
   * number for both families of a service.
   */
  readonly mark: number;
  /** The services that claim the address, oldest first; more than one only in transitions. */
  readonly services: readonly { readonly serviceId: ServiceId; readonly serviceName: string }[];
  /** Inside an overlay a VIP takes every port and protocol; in the ingress network these. */
  readonly ports: 'all' | readonly PublishedPort[];
  /** By address; never empty. */
  readonly backends: readonly TableBackend[];
  readonly algorithm: BalancingAlgorithm;
  readonly affinity?: NonNullable<EndpointSpec['affinity']>;
  /** Only backends of this node were let in; absent: all are. */
  readonly isLocalOnly?: true;
}

/** An endpoint on another node. */
export interface TablePeer {
  /** Of either family; an endpoint with both is two peers with one MAC address. */
  readonly address: string;
  readonly macAddress: string;
  readonly nodeId: NodeId;
  /** Underlay address of that node. */
  readonly tunnelAddress: string;
  /** It is that node's load balancer; absent: a task, or not said. */
  readonly isBalancer?: true;
}

/** A range of a network, and the segment it is on: bridge `br0`, `br1`…, VXLAN port `vxlan0`… */
export interface TableSubnet {
  readonly subnet: string;
  readonly gateway: string;
  readonly vxlanId: number;
  /** Number of the segment. The n-th ranges of both families are one segment. */
  readonly segment: number;
}

/** A network on this node, without the parts that grow with the cluster. */
export interface NetworkHeader {
  readonly id: NetworkId;
  readonly name: string;
  readonly isIngress: boolean;
  readonly isInternal: boolean;
  readonly isEncrypted: boolean;
  /** Bytes a packet may have inside the tunnel. */
  readonly mtu: number;
  /** UDP port of VXLAN. */
  readonly dataPathPort: number;
  readonly subnets: readonly TableSubnet[];
  /** IPv4 address of this node's load-balancer sandbox, CIDR form; absent until allocated. */
  readonly loadBalancerAddress?: string;
  /** Its IPv6 address, CIDR form. */
  readonly loadBalancerAddress6?: string;
  /** The sandbox's leg on the gateway bridge, CIDR form; only in the ingress network. */
  readonly gatewayLeg?: string;
  /** The leg's IPv6 address, CIDR form; only with a gateway bridge that has one. */
  readonly gatewayLeg6?: string;
  /** Kernel settings of the load-balancer sandbox. */
  readonly sysctls: Readonly<Record<string, string>>;
}

/** A network on this node. */
export interface NetworkTable extends NetworkHeader {
  /** By virtual address. */
  readonly vips: SortedMap<VipTable>;
  /** By address. */
  readonly peers: SortedMap<TablePeer>;
}

/** A published port on this node: from the host to the ingress sandbox, there to a mark. */
export interface IngressPort {
  readonly protocol: PortProtocol;
  readonly publishedPort: number;
  readonly networkId: NetworkId;
  /** IPv4, or IPv6 when there is no other. */
  readonly virtualAddress: string;
  /** IPv6, when there are both. */
  readonly virtualAddress6?: string;
  readonly mark: number;
}

/** A task's place in an overlay network. */
export interface SandboxEndpoint {
  readonly networkId: NetworkId;
  /** Interface inside the task's namespace: `eth0`. */
  readonly interfaceName: string;
  /** CIDR form; IPv4, or IPv6 when there is no other. */
  readonly address: string;
  /** CIDR form; IPv6, when there are both. */
  readonly address6?: string;
  readonly macAddress: string;
  /** Port of the network's bridge that it is plugged into: `veth1`. */
  readonly bridgePort: string;
  /** Number of the network's segment that it is on. */
  readonly subnetIndex: number;
  readonly isIngress: boolean;
}

/** The network namespace of a task on this node. */
export interface TaskSandbox {
  readonly taskId: TaskId;
  readonly taskName: string;
  /** Ingress first, then as the task names its networks. */
  readonly endpoints: readonly SandboxEndpoint[];
  /** Leg on the gateway bridge: the way out. Absent when all networks are internal. */
  readonly gateway?: {
    readonly interfaceName: string;
    /** CIDR form. */
    readonly address: string;
    /** CIDR form; only with a gateway bridge that has IPv6. */
    readonly address6?: string;
  };
  /** Published port → the port the task listens on, done in the task's own namespace. */
  readonly redirects: readonly PublishedPort[];
  /** Ports bound on the node itself. */
  readonly hostPorts: readonly AllocatedPort[];
}

/** What the node's own namespace has to hold. */
export interface HostTable {
  /** Put before the name of every namespace; '' unless several nodes share a machine. */
  readonly namespacePrefix: string;
  readonly underlayAddress: string;
  readonly gatewayBridge: GatewayBridge;
  /** By `PROTOCOL/PORT`. */
  readonly ingressPorts: SortedMap<IngressPort>;
  readonly sysctls: Readonly<Record<string, string>>;
}

/** The bridge that gives tasks a way out and the ingress sandbox a way in. */
export interface GatewayBridge {
  readonly name: string;
  /** Address of the host on it, CIDR form: `172.18.0.1/16`. */
  readonly address: string;
  /**
   * IPv6 address of the host on it, CIDR form: `fd00:18::1/64`. Legs have the offset within the
   * range that they have in IPv4. Absent: no IPv6 to the outside, and none from it.
   */
  readonly address6?: string;
}

/** Who claims what: lets a change be applied without looking at everything. Not part of a table. */
export interface TableIndex {
  readonly slices: SliceIndex;
  /** Key of a service → `NETWORK/VIP` of its virtual addresses, IPv4 first. */
  readonly serviceVips: SortedMap<readonly string[]>;
  /** `NETWORK/VIP` → keys of the services that claim it, oldest first. */
  readonly vipServices: SortedMap<readonly string[]>;
  /** Key of a service → `PROTOCOL/PORT` of its published ports. */
  readonly servicePorts: SortedMap<readonly string[]>;
  /** `PROTOCOL/PORT` → keys of the services that claim it, oldest first. */
  readonly portServices: SortedMap<readonly string[]>;
}

/** What a node has to hold at one revision: what is compared, rendered and described. */
export interface TableContent {
  readonly revision: Revision;
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly host: HostTable;
  /** By network id. */
  readonly networks: SortedMap<NetworkTable>;
  /** By task id. */
  readonly tasks: SortedMap<TaskSandbox>;
}

/** All tables of a node at one revision, with what is needed to make the next from a change. */
export interface NodeTables extends TableContent {
  readonly index: TableIndex;
}

/** Key of a service in a network, as in an assignment. */
export function serviceKey(serviceId: ServiceId, networkId: NetworkId): string {
  return `${serviceId}/${networkId}`;
}

/** Key of a published port: `tcp/8080`. */
export function portKey(port: Pick<PublishedPort, 'protocol' | 'publishedPort'>): string {
  return `${port.protocol}/${port.publishedPort}`;
}

/** The port that {@link portKey} made the key of. */
export function portOfKey(key: string): Pick<PublishedPort, 'protocol' | 'publishedPort'> {
  const slash = key.indexOf('/');
  return {
    protocol: key.slice(0, slash) as PublishedPort['protocol'],
    publishedPort: Number(key.slice(slash + 1)),
  };
}
