/**
 * Chains and rules of the node's own namespace, laid out as Docker does it.
 *
 * **Source:** moby daemon/libnetwork service_linux (DOCKER-INGRESS), drivers/bridge (DOCKER).
 */
import type { AllocatedPort } from '@skep/api';
import { endpointText, familyOf, hostPrefix, ipRangeText, isIpv6 } from '../table/ip.js';
import { addressOf } from '../table/ipv4.js';
import { balancerAddress } from '../table/network-table.js';
import {
  portKey,
  type HostTable,
  type IngressPort,
  type NetworkHeader,
  type TaskSandbox,
} from '../table/node-tables.js';
import {
  ADDITION,
  REMOVAL,
  filterTool,
  rule,
  type FilterTable,
  type Item,
} from '../render/item.js';
import { HOST_NAMESPACE, sandboxNamespace } from '../render/rendered.js';
import { markTarget } from './balancer-items.js';

type HostHeader = Omit<HostTable, 'ingressPorts'>;

const CHAINS: readonly (readonly [FilterTable, string])[] = [
  ['nat', 'DOCKER'],
  ['nat', 'DOCKER-INGRESS'],
  ['filter', 'DOCKER'],
  ['filter', 'DOCKER-INGRESS'],
  ['filter', 'DOCKER-USER'],
];

/** Rules that stand before those of the ports, in their order. */
function baseRules(bridge: string, subnet: string): readonly (readonly [FilterTable, string])[] {
  const loopback = isIpv6(subnet) ? '::1/128' : '127.0.0.0/8';
  return [
    ['nat', 'PREROUTING -m addrtype --dst-type LOCAL -j DOCKER-INGRESS'],
    ['nat', 'PREROUTING -m addrtype --dst-type LOCAL -j DOCKER'],
    ['nat', 'OUTPUT -m addrtype --dst-type LOCAL -j DOCKER-INGRESS'],
    ['nat', `OUTPUT ! -d ${loopback} -m addrtype --dst-type LOCAL -j DOCKER`],
    ['nat', `POSTROUTING -o ${bridge} -m addrtype --src-type LOCAL -j MASQUERADE`],
    ['nat', `POSTROUTING -s ${subnet} ! -o ${bridge} -j MASQUERADE`],
    ['nat', `DOCKER -i ${bridge} -j RETURN`],
    ['filter', 'FORWARD -j DOCKER-USER'],
    ['filter', 'FORWARD -j DOCKER-INGRESS'],
    ['filter', `FORWARD -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`],
    ['filter', `FORWARD -o ${bridge} -j DOCKER`],
    ['filter', `FORWARD -i ${bridge} ! -o ${bridge} -j ACCEPT`],
    ['filter', `FORWARD -i ${bridge} -o ${bridge} -j DROP`],
    ['filter', 'DOCKER-USER -j RETURN'],
  ];
}

/** Rules of `DOCKER-INGRESS` that stand after those of the ports. */
const LAST_RULES: readonly (readonly [FilterTable, string])[] = [
  ['nat', 'DOCKER-INGRESS -j RETURN'],
  ['filter', 'DOCKER-INGRESS -j RETURN'],
];

/** Chains, jumps, masquerading: what stays as long as the node has a gateway bridge. */
export function hostRuleItems(host: HostHeader): readonly Item[] {
  const { address, address6 } = host.gatewayBridge;
  return [
    ...familyRuleItems(host, address),
    ...(address6 === undefined ? [] : familyRuleItems(host, address6)),
  ];
}

function familyRuleItems(host: HostHeader, address: string): readonly Item[] {
  const { name } = host.gatewayBridge;
  const family = familyOf(address);
  const fixed = (
    [table, text]: readonly [FilterTable, string],
    addition: number = ADDITION.rule,
  ): Item => {
    const space = text.indexOf(' ');
    return rule({
      namespace: HOST_NAMESPACE,
      family,
      table,
      chain: text.slice(0, space),
      rule: text.slice(space + 1),
      addition,
      removal: REMOVAL.segment,
    });
  };
  return [
    ...CHAINS.map(([table, chain]): Item => ({
      namespace: HOST_NAMESPACE,
      tool: filterTool(family),
      table,
      key: `${table}/${chain}`,
      addition: ADDITION.segment,
      removal: REMOVAL.namespace,
      // Declaring a chain that is there empties it.
      add: [`:${chain} - [0:0]`],
      remove: [`-F ${chain}`, `-X ${chain}`],
    })),
    ...baseRules(name, ipRangeText(address)).map((text) => fixed(text)),
    ...LAST_RULES.map((text) => fixed(text, ADDITION.hostRule + 1)),
  ];
}

/** A published port: from the host to the ingress sandbox, and there to its mark. */
export function ingressPortItems(
  host: HostHeader,
  network: NetworkHeader | undefined,
  port: IngressPort,
): readonly Item[] {
  if (network === undefined) return [];
  return [port.virtualAddress, port.virtualAddress6].flatMap((vip) => {
    if (vip === undefined) return [];
    const family = familyOf(vip);
    const leg = family === 4 ? network.gatewayLeg : network.gatewayLeg6;
    if (balancerAddress(network, family) === undefined || leg === undefined) return [];
    return familyPortItems(host, network, { port, leg: addressOf(leg) });
  });
}

function familyPortItems(
  host: HostHeader,
  network: NetworkHeader,
  { port, leg }: { readonly port: IngressPort; readonly leg: string },
): readonly Item[] {
  const { protocol, publishedPort, mark } = port;
  const family = familyOf(leg);
  const match = `-p ${protocol} -m ${protocol} --dport ${publishedPort}`;
  const key = portKey(port);
  const common = {
    namespace: HOST_NAMESPACE,
    family,
    chain: 'DOCKER-INGRESS',
    addition: ADDITION.hostRule,
    removal: REMOVAL.hostRule,
    isFirst: true,
  } as const;
  const replies =
    `-p ${protocol} -m state --state RELATED,ESTABLISHED -m ${protocol} ` +
    `--sport ${publishedPort} -j ACCEPT`;
  return [
    rule({
      namespace: sandboxNamespace(host.namespacePrefix, network),
      family,
      table: 'mangle',
      chain: 'PREROUTING',
      rule: `${match} ${markTarget(mark)}`,
      key,
      addition: ADDITION.mark,
      removal: REMOVAL.mark,
    }),
    rule({
      ...common,
      table: 'nat',
      rule: `${match} -j DNAT --to-destination ${endpointText(leg, publishedPort)}`,
      key,
    }),
    rule({ ...common, table: 'filter', rule: `${match} -j ACCEPT`, key }),
    rule({ ...common, table: 'filter', rule: replies, key: `${key}/replies` }),
  ];
}

/** Ports that a task has on the node itself. */
export function hostPortItems(host: HostHeader, task: TaskSandbox): readonly Item[] {
  const { gateway } = task;
  if (gateway === undefined) return [];
  const own = [gateway.address, gateway.address6].flatMap((address) =>
    address === undefined ? [] : [addressOf(address)],
  );
  return task.hostPorts.flatMap((port) =>
    own.flatMap((address) => hostPortRules(host.gatewayBridge.name, address, port)),
  );
}

function hostPortRules(bridge: string, address: string, port: AllocatedPort): readonly Item[] {
  const { protocol, publishedPort, targetPort } = port;
  const match = (number: number): string => `-p ${protocol} -m ${protocol} --dport ${number}`;
  const common = {
    namespace: HOST_NAMESPACE,
    family: familyOf(address),
    addition: ADDITION.hostRule,
    removal: REMOVAL.hostRule,
  } as const;
  const own = `${address}/${hostPrefix(address)}`;
  const key = `host/${portKey(port)}/${address}`;
  return [
    rule({
      ...common,
      table: 'nat',
      chain: 'POSTROUTING',
      rule: `-s ${own} -d ${own} ${match(targetPort)} -j MASQUERADE`,
      key,
    }),
    rule({
      ...common,
      table: 'nat',
      chain: 'DOCKER',
      rule:
        `! -i ${bridge} ${match(publishedPort)} -j DNAT ` +
        `--to-destination ${endpointText(address, targetPort)}`,
      key,
    }),
    rule({
      ...common,
      table: 'filter',
      chain: 'DOCKER',
      rule: `-d ${own} ! -i ${bridge} -o ${bridge} ${match(targetPort)} -j ACCEPT`,
      key,
    }),
  ];
}
