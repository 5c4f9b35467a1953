/**
 * The segments of a node as `ip` and `bridge` commands: bridges, VXLAN ports, the links of
 * sandboxes
 * and tasks, neighbours. The same under every balancer.
 *
 * **Source:** moby daemon/libnetwork drivers/overlay and osl: a namespace per network with a bridge
 * and a VXLAN port, one veth per endpoint, static neighbours and forwarding entries.
 */
import { ipRangeText, isIpv6, macOf } from '../table/ip.js';
import { addressOf, ipv4Hex } from '../table/ipv4.js';
import { hasSandboxAddress } from '../table/network-table.js';
import type {
  HostTable,
  NetworkHeader,
  SandboxEndpoint,
  TablePeer,
  TableSubnet,
  TaskSandbox,
} from '../table/node-tables.js';
import { bridgeSysctls, TASK_SYSCTLS } from '../table/sysctls.js';
import { segmentOf } from '../table/task-sandbox.js';
import { ADDITION, REMOVAL, sysctlItems, type Item } from './item.js';
import {
  HOST_NAMESPACE,
  bridgeNamespace,
  sandboxNamespace,
  taskNamespace,
  type NamespaceReference,
  type Tool,
} from './rendered.js';

type HostHeader = Omit<HostTable, 'ingressPorts'>;

/** Interface options of the tunnel, as the kernel prints them for Docker's. */
const TUNNEL_OPTIONS =
  'proxy l2miss l3miss ttl auto ageing 300 udpcsum noudp6zerocsumtx noudp6zerocsumrx';

function ip(
  namespace: NamespaceReference,
  key: string,
  parts: Pick<Item, 'addition' | 'removal' | 'add' | 'remove'> & Partial<Item>,
): Item {
  return { namespace, tool: 'ip', key, ...parts };
}

function namespaceItem(namespace: NamespaceReference): readonly Item[] {
  const { name } = namespace;
  return [
    ip(HOST_NAMESPACE, `netns/${name}`, {
      addition: ADDITION.namespace,
      removal: REMOVAL.namespace,
      add: [`netns add ${name}`],
      remove: [`netns delete ${name}`],
      creates: name,
    }),
    ip(namespace, 'lo', {
      addition: ADDITION.segment,
      removal: REMOVAL.segment,
      add: ['link set lo up'],
      remove: [],
    }),
  ];
}

/**
 * The gateway bridge and the host's settings. The bridge has a MAC address of its own: left to the
 * kernel it is that of one of its ports, and changes when tasks come and go; then whoever answers
 * by way of the host sends into the void until it looks for its neighbour again, some seconds
 * later.
 *
 * **Source:** moby libnetwork/drivers/bridge/setup_device.go, for the same reason.
 */
export function hostSegmentItems(host: HostHeader): readonly Item[] {
  const { name, address, address6 } = host.gatewayBridge;
  return [
    ip(HOST_NAMESPACE, `bridge/${name}`, {
      addition: ADDITION.segment,
      removal: REMOVAL.segment,
      add: [
        `link add ${name} type bridge`,
        `link set ${name} address ${macOf(addressOf(address))}`,
        `addr add ${address} dev ${name}`,
        ...(address6 === undefined ? [] : [addAddress(address6, name)]),
        `link set ${name} up`,
      ],
      remove: [`link delete ${name}`],
    }),
    ...sysctlItems(HOST_NAMESPACE, host.sysctls),
  ];
}

/** An address on an interface. There is nobody to ask whether an IPv6 address is taken. */
function addAddress(address: string, device: string): string {
  return `addr add ${address} dev ${device}${isIpv6(address) ? ' nodad' : ''}`;
}

/** Ranges of a network by segment. */
function segmentsOf(network: NetworkHeader): ReadonlyMap<number, readonly TableSubnet[]> {
  const segments = new Map<number, TableSubnet[]>();
  for (const subnet of network.subnets) {
    const list = segments.get(subnet.segment);
    if (list === undefined) segments.set(subnet.segment, [subnet]);
    else list.push(subnet);
  }
  return segments;
}

/** Bridges and VXLAN ports of a network, and its load-balancer sandbox with all its links. */
export function networkItems(host: HostHeader, network: NetworkHeader): readonly Item[] {
  const bridge = bridgeNamespace(host.namespacePrefix, network.id);
  const items: Item[] = [...namespaceItem(bridge)];
  for (const [index, subnets] of segmentsOf(network)) {
    const gateways = subnets.map(
      ({ subnet, gateway }) => `${addressOf(gateway)}${subnet.slice(subnet.indexOf('/'))}`,
    );
    items.push(
      ip(HOST_NAMESPACE, `vxlan/${bridge.name}/${index}`, {
        addition: ADDITION.tunnel,
        removal: REMOVAL.segment,
        add: [
          `link add vxlan${index} netns ${bridge.name} type vxlan id ${subnets[0]?.vxlanId} ` +
            `srcport 0 0 dstport ${network.dataPathPort} ${TUNNEL_OPTIONS}`,
        ],
        // Removed from where it is: see the bridge.
        remove: [],
      }),
      ip(bridge, `bridge/${index}`, {
        addition: ADDITION.segment,
        removal: REMOVAL.segment,
        // The kernel takes its time to clear a namespace, and till then the VXLAN id is taken.
        isCut: true,
        add: [
          `link add br${index} type bridge`,
          ...gateways.map((gateway) => addAddress(gateway, `br${index}`)),
          `link set br${index} up`,
          `link set vxlan${index} master br${index} up`,
        ],
        remove: [`link delete vxlan${index}`, `link delete br${index}`],
      }),
    );
  }
  items.push(...sysctlItems(bridge, bridgeSysctls(network.subnets.map(({ subnet }) => subnet))));
  items.push(...sandboxItems(host, network));
  return items;
}

function sandboxItems(host: HostHeader, network: NetworkHeader): readonly Item[] {
  const { loadBalancerAddress, loadBalancerAddress6, gatewayLeg, gatewayLeg6 } = network;
  const own = loadBalancerAddress ?? loadBalancerAddress6;
  if (own === undefined || !hasSandboxAddress(network)) return [];
  const sandbox = sandboxNamespace(host.namespacePrefix, network);
  const endpoint: SandboxEndpoint = {
    networkId: network.id,
    interfaceName: 'eth0',
    address: own,
    ...(own === loadBalancerAddress6 || loadBalancerAddress6 === undefined
      ? {}
      : { address6: loadBalancerAddress6 }),
    macAddress: macOf(addressOf(own)),
    bridgePort: 'veth0',
    subnetIndex: segmentOf(network.subnets, own),
    isIngress: network.isIngress,
  };
  return [
    ...namespaceItem(sandbox),
    ...endpointItems(host, network, { namespace: sandbox, endpoint }),
    ...(gatewayLeg === undefined
      ? []
      : legItems(host, {
          namespace: sandbox,
          interfaceName: 'eth1',
          address: gatewayLeg,
          ...(gatewayLeg6 === undefined ? {} : { address6: gatewayLeg6 }),
        })),
    ...sysctlItems(sandbox, network.sysctls),
  ];
}

/** An endpoint: a veth from the network's bridge into a namespace, and its address there. */
function endpointItems(
  host: HostHeader,
  network: NetworkHeader,
  place: { readonly namespace: NamespaceReference; readonly endpoint: SandboxEndpoint },
): readonly Item[] {
  const { namespace, endpoint } = place;
  const { interfaceName, address, address6, macAddress, bridgePort, subnetIndex } = endpoint;
  const bridge = bridgeNamespace(host.namespacePrefix, network.id);
  const { mtu } = network;
  const addresses = address6 === undefined ? [address] : [address, address6];
  const routes = network.subnets.flatMap(({ subnet, segment }) => {
    const isMeant = addresses.some((own) => isIpv6(own) === isIpv6(subnet));
    const gateway = gatewayOf(network, subnetIndex, isIpv6(subnet));
    if (segment === subnetIndex || gateway === undefined || !isMeant) return [];
    return [`route replace ${ipRangeText(subnet)} via ${gateway} dev ${interfaceName}`];
  });
  return [
    ip(bridge, `port/${bridgePort}`, {
      addition: ADDITION.link,
      removal: REMOVAL.link,
      isCut: true,
      add: [
        `link add ${bridgePort} mtu ${mtu} type veth peer name ${interfaceName} ` +
          `mtu ${mtu} address ${macAddress} netns ${namespace.name}`,
        `link set ${bridgePort} master br${subnetIndex} up`,
      ],
      remove: [`link delete ${bridgePort}`],
    }),
    ip(namespace, `link/${interfaceName}`, {
      addition: ADDITION.address,
      removal: REMOVAL.segment,
      add: [
        ...addresses.map((own) => addAddress(own, interfaceName)),
        `link set ${interfaceName} up`,
        ...routes,
      ],
      // Address and routes go with the link.
      remove: [],
    }),
  ];
}

/** Gateway of a segment in a family, without prefix length. */
function gatewayOf(network: NetworkHeader, segment: number, isV6: boolean): string | undefined {
  const found = network.subnets.find(
    (other) => other.segment === segment && isIpv6(other.subnet) === isV6,
  );
  return found === undefined ? undefined : addressOf(found.gateway);
}

/** A leg on the gateway bridge: a veth from the host into a namespace, and the default route. */
function legItems(
  host: HostHeader,
  leg: {
    readonly namespace: NamespaceReference;
    readonly interfaceName: string;
    readonly address: string;
    readonly address6?: string;
  },
): readonly Item[] {
  const { namespace, interfaceName, address, address6 } = leg;
  const { name, address: gateway, address6: gateway6 } = host.gatewayBridge;
  // At most 15 characters are allowed, and the address is what tells legs apart.
  const port = `gw${ipv4Hex(addressOf(address))}`;
  return [
    ip(HOST_NAMESPACE, `leg/${port}`, {
      addition: ADDITION.link,
      removal: REMOVAL.link,
      isCut: true,
      add: [
        // As for endpoints: who knew the last holder of the address knows this one.
        `link add ${port} type veth peer name ${interfaceName} ` +
          `address ${macOf(addressOf(address))} netns ${namespace.name}`,
        `link set ${port} master ${name} up`,
      ],
      remove: [`link delete ${port}`],
    }),
    ip(namespace, `link/${interfaceName}`, {
      addition: ADDITION.address,
      removal: REMOVAL.segment,
      add: [
        addAddress(address, interfaceName),
        ...(address6 === undefined ? [] : [addAddress(address6, interfaceName)]),
        `link set ${interfaceName} up`,
        `route replace default via ${addressOf(gateway)} dev ${interfaceName}`,
        ...(address6 === undefined || gateway6 === undefined
          ? []
          : [`route replace default via ${addressOf(gateway6)} dev ${interfaceName}`]),
      ],
      remove: [],
    }),
  ];
}

/** An endpoint on another node: its neighbour entry and the way through the tunnel. */
export function peerItems(
  host: HostHeader,
  network: NetworkHeader,
  peer: TablePeer,
): readonly Item[] {
  const namespace = bridgeNamespace(host.namespacePrefix, network.id);
  const device = `vxlan${segmentOf(network.subnets, peer.address)}`;
  const neighbour = new NeighbourItem(namespace, device, peer);
  // An endpoint of both families has one entry: that of the address that its MAC follows from.
  if (macOf(peer.address) !== peer.macAddress) return [neighbour];
  return [neighbour, new ForwardingItem(namespace, device, peer)];
}

/**
 * There may be a peer for every task of a network, so what a whole text does not need of its items
 * is made when it is asked for.
 */
abstract class PeerItem implements Item {
  readonly namespace: NamespaceReference;
  readonly addition = ADDITION.peer;
  readonly removal = REMOVAL.peer;
  protected readonly device: string;
  protected readonly peer: TablePeer;

  constructor(namespace: NamespaceReference, device: string, peer: TablePeer) {
    this.namespace = namespace;
    this.device = device;
    this.peer = peer;
  }

  abstract get tool(): Tool;
  abstract get key(): string;
  abstract get add(): readonly string[];
  abstract get remove(): readonly string[];

  /** It is added as `replace`. */
  get replace(): readonly string[] {
    return this.add;
  }
}

class NeighbourItem extends PeerItem {
  readonly tool = 'ip';

  get key(): string {
    return `neigh/${this.peer.address}`;
  }

  get add(): readonly string[] {
    const { address, macAddress } = this.peer;
    return [`neigh replace ${address} lladdr ${macAddress} dev ${this.device} nud permanent`];
  }

  get remove(): readonly string[] {
    return [`neigh delete ${this.peer.address} dev ${this.device}`];
  }
}

class ForwardingItem extends PeerItem {
  readonly tool = 'bridge';

  get key(): string {
    return `fdb/${this.peer.address}`;
  }

  get add(): readonly string[] {
    return [`fdb replace ${this.place} permanent`];
  }

  get remove(): readonly string[] {
    return [`fdb delete ${this.place}`];
  }

  private get place(): string {
    const { macAddress, tunnelAddress } = this.peer;
    return `${macAddress} dev ${this.device} dst ${tunnelAddress} self`;
  }
}

/** A task's namespace with its links. */
export function taskSegmentItems(
  host: HostHeader,
  networks: (id: string) => NetworkHeader | undefined,
  task: TaskSandbox,
): readonly Item[] {
  const namespace = taskNamespace(host.namespacePrefix, task.taskId);
  const items: Item[] = [...namespaceItem(namespace), ...sysctlItems(namespace, TASK_SYSCTLS)];
  for (const endpoint of task.endpoints) {
    const network = networks(endpoint.networkId);
    if (network !== undefined) {
      items.push(...endpointItems(host, network, { namespace, endpoint }));
    }
  }
  if (task.gateway !== undefined) items.push(...legItems(host, { namespace, ...task.gateway }));
  return items;
}
