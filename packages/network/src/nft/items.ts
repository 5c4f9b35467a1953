/**
 * What the renderer `nftables` needs besides rules: addresses, routes, kernel settings.
 *
 * **Source:** ip-route(8), ip-rule(8), Linux Documentation/networking/ip-sysctl.
 */
import { addressOf } from '../table/ipv4.js';
import { hasSandboxAddress } from '../table/network-table.js';
import { isIpv6 } from '../table/ip.js';
import { omit } from '../table/omit.js';
import type {
  HostTable,
  NetworkHeader,
  NetworkTable,
  TaskSandbox,
  VipTable,
} from '../table/node-tables.js';
import { ADDITION, REMOVAL, sysctlItems, type Item } from '../render/item.js';
import { bridgeNamespace, taskNamespace } from '../render/rendered.js';
import { networkItems, taskSegmentItems } from '../render/segment-items.js';
import { segmentOf } from '../table/task-sandbox.js';
import { balancerMac } from './structure.js';

type HostHeader = Omit<HostTable, 'ingressPorts'>;

/** Rules of policy routing stand before the main table's. */
const RULE_PREFERENCE = 100;

/** A network's segments; in an overlay its bridges take the place of a sandbox. */
export function networkSegmentItems(host: HostHeader, network: NetworkHeader): readonly Item[] {
  const sysctls = Object.fromEntries(
    Object.entries(network.sysctls).filter(([key]) => !key.startsWith('net.ipv4.vs.')),
  );
  if (network.isIngress) return networkItems(host, { ...network, sysctls });
  return [
    ...networkItems(host, omit(network, 'loadBalancerAddress', 'loadBalancerAddress6')),
    ...balancerItems(host, network),
  ];
}

/** The node's own address in an overlay, on the bridges of the network. */
function balancerItems(host: HostHeader, network: NetworkHeader): readonly Item[] {
  if (!hasSandboxAddress(network)) return [];
  const namespace = bridgeNamespace(host.namespacePrefix, network.id);
  const segments = [...new Set(network.subnets.map(({ segment }) => segment))];
  const own = [network.loadBalancerAddress, network.loadBalancerAddress6].flatMap((address) =>
    address === undefined
      ? []
      : [{ address, segment: segmentOfAddress(network, address), isV6: isIpv6(address) }],
  );
  const settings = Object.fromEntries([
    // Frames that are lifted would otherwise be seen twice.
    ['net.bridge.bridge-nf-call-iptables', '0'],
    ['net.bridge.bridge-nf-call-ip6tables', '0'],
    // Clients and backends are on one segment, and must not find out.
    ['net.ipv4.conf.all.send_redirects', '0'],
    ...segments.map((segment) => [`net.ipv4.conf.br${segment}.send_redirects`, '0']),
  ]) as Readonly<Record<string, string>>;
  return [
    {
      namespace,
      tool: 'ip',
      key: 'balancer',
      addition: ADDITION.address,
      removal: REMOVAL.mark,
      add: [
        ...segments.map((segment) => `link set br${segment} address ${balancerMac(network)}`),
        ...own.map(
          ({ address, segment, isV6 }) =>
            `addr add ${address} dev br${segment}${isV6 ? ' nodad' : ''}`,
        ),
      ],
      remove: own.map(({ address, segment }) => `addr del ${address} dev br${segment}`),
    },
    ...sysctlItems(namespace, settings),
  ];
}

/**
 * A virtual address: local to the bridge, so that it is answered for and packets to it enter the
 * IP layer. A route and no address, for adding the ten-thousandth address takes the kernel
 * thousands of times as long as adding the first.
 */
export function vipItems(host: HostHeader, network: NetworkTable, vip: VipTable): readonly Item[] {
  if (network.isIngress || !hasSandboxAddress(network)) return [];
  const namespace = bridgeNamespace(host.namespacePrefix, network.id);
  const { address } = vip;
  const segment = segmentOfAddress(network, address);
  const device = `vxlan${segment}`;
  const neighbour = `neigh replace ${address} lladdr ${balancerMac(network)} dev ${device}`;
  const common = { namespace, tool: 'ip', addition: ADDITION.mark, removal: REMOVAL.mark } as const;
  return [
    {
      ...common,
      key: `vip/${address}`,
      add: [`route replace local ${address} dev br${segment}`],
      remove: [`route delete local ${address} dev br${segment}`],
    },
    // In IPv6 nobody answers for a mere route, so the tunnel's port does, as for distant tasks.
    ...(isIpv6(address)
      ? [
          {
            ...common,
            key: `vip-neighbour/${address}`,
            add: [`${neighbour} nud permanent`],
            replace: [`${neighbour} nud permanent`],
            remove: [`neigh delete ${address} dev ${device}`],
          },
        ]
      : []),
  ];
}

/** Number of the segment that an address of the network is on. */
function segmentOfAddress(network: NetworkHeader, address: string): number {
  return segmentOf(network.subnets, address);
}

/** The sandbox of the ingress network on a node: where answers to the mesh go back to. */
export interface IngressBalancer {
  /** Without prefix length. */
  readonly address: string;
  readonly macAddress: string;
}

/**
 * Firewall mark, and number of the routing table, that stand for a balancer: the last four bytes of
 * its MAC address, so usually its IPv4 address. Small numbers are moved away from 0, which is no
 * mark, and from the tables that the system has.
 */
export function balancerMark({ macAddress }: Pick<IngressBalancer, 'macAddress'>): number {
  const number = Number.parseInt(macAddress.replace(/:/g, '').slice(-8), 16);
  return number < 4096 ? number + 0x8000_0000 : number;
}

/** Connection tracking knows so many zones besides the one of all others. */
const ZONES = 65_535;

/**
 * Zone of connection tracking for what comes through a balancer: the last bytes of its address, so
 * different for the nodes of a network that is no larger than a /16.
 */
export function balancerZone(balancer: Pick<IngressBalancer, 'macAddress'>): number {
  return (balancerMark(balancer) % ZONES) + 1;
}

/** A mark as text. */
export function markText(mark: number): string {
  return `0x${mark.toString(16).padStart(8, '0')}`;
}

/** The ingress sandboxes of all nodes, this one's first. Cost: O(peers of the ingress network). */
export function ingressBalancers(network: NetworkTable | undefined): readonly IngressBalancer[] {
  if (network === undefined) return [];
  const own = [network.loadBalancerAddress, network.loadBalancerAddress6].flatMap((address) =>
    address === undefined
      ? []
      : [{ address: addressOf(address), macAddress: balancerMac(network) }],
  );
  const others = network.peers
    .values()
    .filter(({ isBalancer }) => isBalancer === true)
    .map(({ address, macAddress }) => ({ address, macAddress }));
  return [...own, ...others];
}

/** A task's namespace with its links. */
export function taskItems(
  host: HostHeader,
  networks: (id: string) => NetworkHeader | undefined,
  task: TaskSandbox,
): readonly Item[] {
  const ingress = task.endpoints.find(({ isIngress }) => isIngress);
  const namespace = taskNamespace(host.namespacePrefix, task.taskId);
  const setting =
    ingress === undefined ? {} : { [`net.ipv4.conf.${ingress.interfaceName}.rp_filter`]: '0' };
  return [...taskSegmentItems(host, networks, task), ...sysctlItems(namespace, setting)];
}

/** The way back to one ingress sandbox: what has its mark goes there. */
export function returnItems(
  host: HostHeader,
  task: TaskSandbox,
  balancer: IngressBalancer,
): readonly Item[] {
  const ingress = task.endpoints.find(({ isIngress }) => isIngress);
  if (ingress === undefined || task.redirects.length === 0) return [];
  const namespace = taskNamespace(host.namespacePrefix, task.taskId);
  const mark = balancerMark(balancer);
  const { address } = balancer;
  const rule = `pref ${RULE_PREFERENCE} fwmark ${markText(mark)} lookup ${mark}`;
  const route = `default via ${address} dev ${ingress.interfaceName} table ${mark}`;
  return [
    {
      namespace,
      tool: isIpv6(address) ? 'ip6' : 'ip',
      key: `return/${address}`,
      addition: ADDITION.peer,
      removal: REMOVAL.peer,
      add: [`route replace ${route}`, `rule add ${rule}`],
      remove: [`rule delete ${rule}`, `route delete ${route}`],
    },
  ];
}
