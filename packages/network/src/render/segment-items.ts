/**
 * The segments of a node as `ip` and `bridge` commands: bridges, VXLAN ports, the links of
 * sandboxes
 * and tasks, neighbours. The same under every balancer.
 *
 * **Source:** moby daemon/libnetwork drivers/overlay and osl: a namespace per network with a bridge
 * and a VXLAN port, one veth per endpoint, static neighbours and forwarding entries.
 */
import { addressOf, ipv4Hex, ipv4RangeText, isIpv4, macOf } from '../table/ipv4.js';
import type {
  HostTable,
  NetworkHeader,
  SandboxEndpoint,
  TablePeer,
  TaskSandbox,
} from '../table/node-tables.js';
import { BRIDGE_SYSCTLS, TASK_SYSCTLS } from '../table/sysctls.js';
import { subnetIndexOf } from '../table/task-sandbox.js';
import { ADDITION, REMOVAL, sysctlItems, type Item } from './item.js';
import {
  HOST_NAMESPACE,
  bridgeNamespace,
  sandboxNamespace,
  taskNamespace,
  type NamespaceReference,
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

/** The gateway bridge and the host's settings. */
export function hostSegmentItems(host: HostHeader): readonly Item[] {
  const { name, address } = host.gatewayBridge;
  return [
    ip(HOST_NAMESPACE, `bridge/${name}`, {
      addition: ADDITION.segment,
      removal: REMOVAL.segment,
      add: [
        `link add ${name} type bridge`,
        `addr add ${address} dev ${name}`,
        `link set ${name} up`,
      ],
      remove: [`link delete ${name}`],
    }),
    ...sysctlItems(HOST_NAMESPACE, host.sysctls),
  ];
}

/** Bridges and VXLAN ports of a network, and its load-balancer sandbox with all its links. */
export function networkItems(host: HostHeader, network: NetworkHeader): readonly Item[] {
  const bridge = bridgeNamespace(host.namespacePrefix, network.id);
  const items: Item[] = [...namespaceItem(bridge)];
  for (const [index, { subnet, gateway, vxlanId }] of network.subnets.entries()) {
    if (!isIpv4(subnet)) continue;
    const prefix = subnet.slice(subnet.indexOf('/'));
    items.push(
      ip(HOST_NAMESPACE, `vxlan/${bridge.name}/${index}`, {
        addition: ADDITION.tunnel,
        removal: REMOVAL.segment,
        add: [
          `link add vxlan${index} netns ${bridge.name} type vxlan id ${vxlanId} ` +
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
          `addr add ${addressOf(gateway)}${prefix} dev br${index}`,
          `link set br${index} up`,
          `link set vxlan${index} master br${index} up`,
        ],
        remove: [`link delete vxlan${index}`, `link delete br${index}`],
      }),
    );
  }
  items.push(...sysctlItems(bridge, BRIDGE_SYSCTLS));
  if (network.loadBalancerAddress !== undefined) items.push(...sandboxItems(host, network));
  return items;
}

function sandboxItems(host: HostHeader, network: NetworkHeader): readonly Item[] {
  const { loadBalancerAddress, gatewayLeg } = network;
  if (loadBalancerAddress === undefined) return [];
  const sandbox = sandboxNamespace(host.namespacePrefix, network);
  const endpoint: SandboxEndpoint = {
    networkId: network.id,
    interfaceName: 'eth0',
    address: loadBalancerAddress,
    bridgePort: 'veth0',
    subnetIndex: subnetIndexOf(network.subnets, loadBalancerAddress),
    isIngress: network.isIngress,
  };
  return [
    ...namespaceItem(sandbox),
    ...endpointItems(host, network, { namespace: sandbox, endpoint }),
    ...(gatewayLeg === undefined
      ? []
      : legItems(host, { namespace: sandbox, interfaceName: 'eth1', address: gatewayLeg })),
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
  const { interfaceName, address, bridgePort, subnetIndex } = endpoint;
  const bridge = bridgeNamespace(host.namespacePrefix, network.id);
  const { mtu } = network;
  const gateway = network.subnets[subnetIndex]?.gateway;
  const routes = network.subnets.flatMap(({ subnet }, index) =>
    index === subnetIndex || gateway === undefined || !isIpv4(subnet)
      ? []
      : [`route replace ${ipv4RangeText(subnet)} via ${addressOf(gateway)} dev ${interfaceName}`],
  );
  return [
    ip(bridge, `port/${bridgePort}`, {
      addition: ADDITION.link,
      removal: REMOVAL.link,
      isCut: true,
      add: [
        `link add ${bridgePort} mtu ${mtu} type veth peer name ${interfaceName} ` +
          `mtu ${mtu} address ${macOf(addressOf(address))} netns ${namespace.name}`,
        `link set ${bridgePort} master br${subnetIndex} up`,
      ],
      remove: [`link delete ${bridgePort}`],
    }),
    ip(namespace, `link/${interfaceName}`, {
      addition: ADDITION.address,
      removal: REMOVAL.segment,
      add: [`addr add ${address} dev ${interfaceName}`, `link set ${interfaceName} up`, ...routes],
      // Address and routes go with the link.
      remove: [],
    }),
  ];
}

/** A leg on the gateway bridge: a veth from the host into a namespace, and the default route. */
function legItems(
  host: HostHeader,
  leg: {
    readonly namespace: NamespaceReference;
    readonly interfaceName: string;
    readonly address: string;
  },
): readonly Item[] {
  const { namespace, interfaceName, address } = leg;
  const { name, address: gateway } = host.gatewayBridge;
  // At most 15 characters are allowed, and the address is what tells legs apart.
  const port = `gw${ipv4Hex(addressOf(address))}`;
  return [
    ip(HOST_NAMESPACE, `leg/${port}`, {
      addition: ADDITION.link,
      removal: REMOVAL.link,
      isCut: true,
      add: [
        `link add ${port} type veth peer name ${interfaceName} netns ${namespace.name}`,
        `link set ${port} master ${name} up`,
      ],
      remove: [`link delete ${port}`],
    }),
    ip(namespace, `link/${interfaceName}`, {
      addition: ADDITION.address,
      removal: REMOVAL.segment,
      add: [
        `addr add ${address} dev ${interfaceName}`,
        `link set ${interfaceName} up`,
        `route replace default via ${addressOf(gateway)} dev ${interfaceName}`,
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
  const { address, macAddress, tunnelAddress } = peer;
  const device = `vxlan${subnetIndexOf(network.subnets, address)}`;
  const neighbour = `neigh replace ${address} lladdr ${macAddress} dev ${device} nud permanent`;
  const entry = `fdb replace ${macAddress} dev ${device} dst ${tunnelAddress} self permanent`;
  return [
    {
      namespace,
      tool: 'ip',
      key: `neigh/${address}`,
      addition: ADDITION.peer,
      removal: REMOVAL.peer,
      add: [neighbour],
      replace: [neighbour],
      remove: [`neigh delete ${address} dev ${device}`],
    },
    {
      namespace,
      tool: 'bridge',
      key: `fdb/${address}`,
      addition: ADDITION.peer,
      removal: REMOVAL.peer,
      add: [entry],
      replace: [entry],
      remove: [`fdb delete ${macAddress} dev ${device} dst ${tunnelAddress} self`],
    },
  ];
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
