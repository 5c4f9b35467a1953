/**
 * The map of a node: what an operator draws on a whiteboard.
 */
import { compareBy, compareText } from '@skep/api';
import { compareAddresses, ipRangeText } from '../table/ip.js';
import { addressOf } from '../table/ipv4.js';
import type { NetworkTable, TableContent, TaskSandbox } from '../table/node-tables.js';
import { addressesText } from './addresses.js';
import { textTable } from './text-table.js';

/** How things are called for people. */
export interface Names {
  /** Default: the id itself. */
  readonly nodeName?: (nodeId: string) => string;
}

/** Networks beside each other; more are drawn below. */
const COLUMNS_MAX = 5;
/** Characters of a task's id that are shown. */
const ID_LENGTH = 8;

/** Networks of a node, ingress first, then by name. */
export function orderedNetworks(tables: TableContent): readonly NetworkTable[] {
  return [...tables.networks.values()].sort(
    compareBy(
      (a, b) => Number(b.isIngress) - Number(a.isIngress),
      (a, b) => compareText(a.name, b.name),
      (a, b) => compareText(a.id, b.id),
    ),
  );
}

/** `vote.2.p9x8k2…` with the id cut short, as people read it. */
export function shortTaskName(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? name : name.slice(0, dot + 1 + ID_LENGTH);
}

/**
 * The sandboxes of a node (host, load balancer of each network, tasks) against its networks and the
 * gateway bridge, with every address; then VIPs, VXLAN ids, and who is reached through which
 * tunnel.
 * Several lines, each ended by a line feed.
 */
export function renderNodeMap(tables: TableContent, names: Names = {}): string {
  const networks = orderedNetworks(tables);
  const { host, nodeName } = tables;
  const lines = [`${nodeName}  ${host.underlayAddress}`];
  const columns = Math.max(1, Math.ceil(networks.length / COLUMNS_MAX));
  for (let part = 0; part < columns; part += 1) {
    const shown = networks.slice(part * COLUMNS_MAX, (part + 1) * COLUMNS_MAX);
    lines.push('', ...textTable(matrix(tables, shown), { indent: 2, gap: 3 }));
  }
  const tunnels = tunnelLines(networks, names);
  if (tunnels.length > 0) lines.push('', '  through the tunnel', ...tunnels);
  return `${lines.join('\n')}\n`;
}

function matrix(
  tables: TableContent,
  networks: readonly NetworkTable[],
): readonly (readonly string[])[] {
  const { gatewayBridge } = tables.host;
  const row = (
    title: string,
    cell: (network: NetworkTable) => string | undefined,
    gateway?: string,
  ): readonly string[] => [
    title,
    ...networks.map((network) => cell(network) ?? '-'),
    gateway ?? '-',
  ];
  const rows = [
    row('', ({ name }) => name, gatewayBridge.name),
    row(
      'range',
      subnetsOf,
      [gatewayBridge.address, gatewayBridge.address6]
        .flatMap((address) => (address === undefined ? [] : [ipRangeText(address)]))
        .join(' '),
    ),
    row('VXLAN id', ({ subnets }) =>
      [...new Set(subnets.map(({ vxlanId }) => String(vxlanId)))].join(' '),
    ),
    row(
      'bridge',
      ({ subnets }) => subnets.map(({ gateway }) => addressOf(gateway)).join(' '),
      addressesText(gatewayBridge.address, gatewayBridge.address6),
    ),
  ];
  for (const network of networks) {
    const own = addressesText(network.loadBalancerAddress, network.loadBalancerAddress6);
    if (own === undefined) continue;
    const title = network.isIngress ? 'ingress sandbox' : `balancer of ${network.name}`;
    const leg = addressesText(network.gatewayLeg, network.gatewayLeg6);
    rows.push(row(title, ({ id }) => (id === network.id ? own : undefined), leg));
  }
  for (const task of orderedTasks(tables)) {
    const leg = addressesText(task.gateway?.address, task.gateway?.address6);
    rows.push(
      row(
        `task ${shortTaskName(task.taskName)}`,
        ({ id }) => {
          const endpoint = task.endpoints.find(({ networkId }) => networkId === id);
          return addressesText(endpoint?.address, endpoint?.address6);
        },
        leg,
      ),
    );
  }
  for (const service of servicesOf(networks)) {
    rows.push(row(`VIP of ${service}`, (network) => vipOf(network, service)));
  }
  return rows;
}

function subnetsOf({ subnets }: NetworkTable): string {
  return subnets.map(({ subnet }) => subnet).join(' ');
}

/** By address on the gateway bridge: the order in which they came. */
function orderedTasks(tables: TableContent): readonly TaskSandbox[] {
  return [...tables.tasks.values()].sort(
    compareBy(
      (a, b) =>
        compareAddresses(addressOf(a.gateway?.address ?? ''), addressOf(b.gateway?.address ?? '')),
      (a, b) => compareText(a.taskName, b.taskName),
    ),
  );
}

function servicesOf(networks: readonly NetworkTable[]): readonly string[] {
  const names = networks.flatMap(({ vips }) =>
    vips.values().flatMap(({ services }) => services.map(({ serviceName }) => serviceName)),
  );
  return [...new Set(names)].sort(compareText);
}

function vipOf(network: NetworkTable, service: string): string | undefined {
  const vips = network.vips
    .values()
    .filter(({ services }) => services.some(({ serviceName }) => serviceName === service))
    .map(({ address }) => address)
    .sort(compareAddresses);
  return addressesText(...vips);
}

function tunnelLines(
  networks: readonly NetworkTable[],
  { nodeName = (id: string): string => id }: Names,
): readonly string[] {
  const rows = new Map<string, string[]>();
  for (const network of networks) {
    const byNode = new Map<string, string[]>();
    for (const { address, nodeId, tunnelAddress } of network.peers.values()) {
      const key = `${nodeName(nodeId)}\n${tunnelAddress}`;
      byNode.set(key, [...(byNode.get(key) ?? []), address]);
    }
    for (const [key, addresses] of byNode) {
      const list = addresses.sort(compareAddresses).join(' ');
      rows.set(key, [...(rows.get(key) ?? []), `${network.name}: ${list}`]);
    }
  }
  return textTable(
    [...rows]
      .sort(([a], [b]) => compareText(a, b))
      .flatMap(([key, parts]) => {
        const [node = '', address = ''] = key.split('\n');
        return parts.map((part, at) => (at === 0 ? [node, address, part] : ['', '', part]));
      }),
    { indent: 4 },
  );
}
