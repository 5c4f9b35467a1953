/**
 * A small cluster in a few words, and what each of its nodes is assigned: the input of most tests.
 */
import {
  isEqual,
  type AllocatedPort,
  type AssignedNetwork,
  type AssignedPeer,
  type AssignedService,
  type AssignedSlice,
  type AssignedTask,
  type Backend,
  type BackendState,
  type BalancingAlgorithm,
} from '@skep/api';
import type { NetworkChange, NodeNetworkState } from '../state.js';
import { ipText, macOf } from '../table/ip.js';

export interface FixtureNode {
  readonly id: string;
  readonly underlay: string;
}

export interface FixtureNetwork {
  readonly id: string;
  readonly name?: string;
  readonly subnet: string;
  readonly gateway: string;
  readonly vxlanId: number;
  readonly isIngress?: boolean;
  readonly isInternal?: boolean;
  /** Node → load-balancer address. */
  readonly balancers: Readonly<Record<string, string>>;
}

export interface FixtureService {
  readonly id: string;
  readonly name?: string;
  readonly order: number;
  /** Network → VIP; '' for dnsrr. */
  readonly vips: Readonly<Record<string, string>>;
  readonly aliases?: readonly string[];
  readonly ports?: readonly AllocatedPort[];
  readonly algorithm?: BalancingAlgorithm;
  readonly affinityMs?: number;
  readonly isLocalOnly?: boolean;
}

export interface FixtureTask {
  readonly id: string;
  readonly service: string;
  readonly node: string;
  readonly slot?: number;
  /** Network → address. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly state?: BackendState;
  readonly weight?: number;
  readonly aliases?: readonly string[];
  readonly dnsOptions?: readonly string[];
}

/** Which addresses everything in a cluster has. IPv6 ones are made of the IPv4 ones. */
export type FixtureFamilies = 'ipv4' | 'dual' | 'ipv6';

export interface FixtureCluster {
  /** Default: ipv4. */
  readonly families?: FixtureFamilies;
  readonly nodes: readonly FixtureNode[];
  readonly networks: readonly FixtureNetwork[];
  readonly services: readonly FixtureService[];
  readonly tasks: readonly FixtureTask[];
}

/** A published port: `port(8080, 80)`. */
export function port(
  publishedPort: number,
  targetPort: number,
  rest: Partial<AllocatedPort> = {},
): AllocatedPort {
  return {
    name: '',
    protocol: 'tcp',
    publishMode: 'ingress',
    publishedPort,
    targetPort,
    ...rest,
  };
}

const prefix = ({ subnet }: FixtureNetwork): string => subnet.slice(subnet.indexOf('/'));

/** The IPv6 address that goes with an IPv4 one: `10.0.9.2` gives `fd00:10:0:9::2`. */
export function sixOf(address: string): string {
  const [a, b, c, d] = address.split('.').map((part) => Number(part).toString(16));
  return ipText(`fd00:${a}:${b}:${c}::${d}`);
}

const rangeSix = (subnet: string): string => `${sixOf(subnet.split('/')[0] ?? '')}/64`;

/** What a cluster makes of a value per family: the first is the main one, the other if both are. */
function inFamilies<T>(
  cluster: FixtureCluster,
  four: T,
  six: T,
): { readonly first: T; readonly second?: T } {
  const { families = 'ipv4' } = cluster;
  if (families === 'ipv6') return { first: six };
  return families === 'dual' ? { first: four, second: six } : { first: four };
}

/** What a node is assigned. */
export function nodeState(
  cluster: FixtureCluster,
  nodeId: string,
  revision = 1,
): NodeNetworkState {
  return {
    revision,
    node: {
      id: nodeId,
      name: nodeId,
      role: 'worker',
      availability: 'active',
      dnsTtlMs: 5000,
      dataPathPort: 4789,
    },
    networks: new Map(
      cluster.networks.map((network) => [network.id, assignedNetwork(cluster, network, nodeId)]),
    ),
    services: new Map(assignedServices(cluster)),
    slices: new Map(assignedSlices(cluster, revision)),
    peers: new Map(assignedPeers(cluster, nodeId)),
    tasks: new Map(
      cluster.tasks
        .filter((task) => task.node === nodeId)
        .map((task) => [task.id, assignedTask(cluster, task)]),
    ),
  };
}

function assignedNetwork(
  cluster: FixtureCluster,
  network: FixtureNetwork,
  nodeId: string,
): AssignedNetwork {
  const address = network.balancers[nodeId];
  const { subnet, gateway, vxlanId } = network;
  const subnets = inFamilies(
    cluster,
    { subnet, gateway, vxlanId },
    { subnet: rangeSix(subnet), gateway: sixOf(gateway), vxlanId },
  );
  const own =
    address === undefined
      ? undefined
      : inFamilies(cluster, `${address}${prefix(network)}`, `${sixOf(address)}/64`);
  return {
    id: network.id,
    name: network.name ?? network.id,
    driver: 'overlay',
    isIngress: network.isIngress ?? false,
    isInternal: network.isInternal ?? false,
    isEncrypted: false,
    subnets: subnets.second === undefined ? [subnets.first] : [subnets.first, subnets.second],
    ...(own === undefined ? {} : { loadBalancerAddress: own.first }),
    ...(own?.second === undefined ? {} : { loadBalancerAddress6: own.second }),
  };
}

function assignedServices(cluster: FixtureCluster): [string, AssignedService][] {
  return cluster.services.flatMap((service) =>
    Object.entries(service.vips).flatMap(([networkId, vip]): [string, AssignedService][] => {
      const network = cluster.networks.find(({ id }) => id === networkId);
      if (network === undefined) return [];
      const address =
        vip === '' ? {} : inFamilies(cluster, `${vip}${prefix(network)}`, `${sixOf(vip)}/64`);
      const { first, second } = address as { first?: string; second?: string };
      return [
        [
          `${service.id}/${networkId}`,
          {
            serviceId: service.id,
            serviceName: service.name ?? service.id,
            networkId,
            order: service.order,
            ...(first === undefined ? {} : { virtualAddress: first }),
            ...(second === undefined ? {} : { virtualAddress6: second }),
            aliases: service.aliases ?? [],
            ports: network.isIngress === true ? (service.ports ?? []) : [],
            algorithm: service.algorithm ?? 'round-robin',
            ...(service.affinityMs === undefined
              ? {}
              : { affinity: { type: 'client-ip', timeoutMs: service.affinityMs } as const }),
            isLocalOnly: service.isLocalOnly ?? false,
          },
        ],
      ];
    }),
  );
}

const nameOf = (cluster: FixtureCluster, task: FixtureTask): string => {
  const service = cluster.services.find(({ id }) => id === task.service);
  return `${service?.name ?? task.service}.${task.slot ?? 1}.${task.id}`;
};

function assignedSlices(cluster: FixtureCluster, revision: number): [string, AssignedSlice][] {
  return cluster.services.flatMap((service) =>
    Object.keys(service.vips).flatMap((networkId): [string, AssignedSlice][] => {
      const backends = cluster.tasks.flatMap((task): Backend[] => {
        const address = task.addresses[networkId];
        if (task.service !== service.id || address === undefined) return [];
        const { first, second } = inFamilies(cluster, address, sixOf(address));
        return [
          {
            taskId: task.id,
            taskName: nameOf(cluster, task),
            nodeId: task.node,
            address: first,
            ...(second === undefined ? {} : { address6: second }),
            weight: task.weight ?? 1,
            state: task.state ?? 'serving',
            aliases: task.aliases ?? [task.id],
          },
        ];
      });
      // Two slices, so that a service is never in one piece.
      return [0, 1].flatMap((index): [string, AssignedSlice][] => {
        const part = backends.filter((_, at) => at % 2 === index);
        if (part.length === 0) return [];
        const id = `${service.id}.${networkId}.${index}`;
        return [
          [id, { id, revision, serviceId: service.id, networkId, index, backends: part }],
        ];
      });
    }),
  );
}

function assignedPeers(cluster: FixtureCluster, nodeId: string): [string, AssignedPeer][] {
  const peers: [string, AssignedPeer][] = [];
  const add = (networkId: string, address: string, node: string, isBalancer = false): void => {
    const tunnelAddress = cluster.nodes.find(({ id }) => id === node)?.underlay;
    if (node === nodeId || tunnelAddress === undefined) return;
    const { first, second } = inFamilies(cluster, address, sixOf(address));
    const role = isBalancer ? ({ isBalancer } as const) : {};
    const peer = { networkId, nodeId: node, tunnelAddress, ...role };
    peers.push([`${networkId}/${first}`, { ...peer, address: first }]);
    if (second === undefined) return;
    const macAddress = macOf(first);
    peers.push([`${networkId}/${second}`, { ...peer, address: second, macAddress }]);
  };
  for (const { id, balancers } of cluster.networks) {
    for (const [node, address] of Object.entries(balancers)) add(id, address, node, true);
  }
  for (const task of cluster.tasks) {
    for (const [network, address] of Object.entries(task.addresses)) {
      add(network, address, task.node);
    }
  }
  return peers;
}

function assignedTask(cluster: FixtureCluster, task: FixtureTask): AssignedTask {
  const service = cluster.services.find(({ id }) => id === task.service);
  return {
    id: task.id,
    name: nameOf(cluster, task),
    serviceId: task.service,
    serviceName: service?.name ?? task.service,
    serviceLabels: {},
    slot: task.slot ?? 1,
    desiredState: 'running',
    template: {
      container: {
        image: 'test',
        ...(task.dnsOptions === undefined ? {} : { dns: { options: task.dnsOptions } }),
      },
    },
    networks: Object.entries(task.addresses).map(([networkId, address]) => {
      const network = cluster.networks.find(({ id }) => id === networkId);
      const length = network === undefined ? '/24' : prefix(network);
      const { first, second } = inFamilies(
        cluster,
        `${address}${length}`,
        `${sixOf(address)}/64`,
      );
      return {
        networkId,
        addresses: second === undefined ? [first] : [first, second],
        aliases: [],
      };
    }),
    ports: service?.ports ?? [],
    genericResources: [],
    volumes: [],
    isDrained: false,
    knownState: 'running',
  };
}

/** Names of the items in which two states differ. */
export function changeBetween(before: NodeNetworkState, after: NodeNetworkState): NetworkChange {
  const keys = (kind: 'networks' | 'services' | 'slices' | 'peers' | 'tasks'): string[] =>
    [...new Set([...before[kind].keys(), ...after[kind].keys()])]
      .filter((key) => !isEqual(before[kind].get(key), after[kind].get(key)))
      .sort();
  return {
    networks: keys('networks'),
    services: keys('services'),
    slices: keys('slices'),
    peers: keys('peers'),
    tasks: keys('tasks'),
  };
}
