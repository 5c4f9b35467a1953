/**
 * The tables of a node for people: from a published port or a virtual address to the backends.
 */
import { compareBy, compareText } from '@skep/api';
import { schedulerOf } from '../ipvs/balancer-items.js';
import { sandboxNamespace } from '../render/rendered.js';
import { isIpv6 } from '../table/ip.js';
import type { NetworkTable, TableContent, VipTable } from '../table/node-tables.js';
import { addressesText, plainAddresses } from './addresses.js';
import { orderedNetworks, shortTaskName, type Names } from './node-map.js';
import { textTable } from './text-table.js';

/** Options of {@link renderTables}. */
export interface RenderTablesOptions extends Names {
  /** Only this network, by id or name. Default: all. */
  readonly network?: string;
}

/**
 * The host's published ports, then for each network its virtual addresses with mark, scheduler,
 * backends and weights. Several lines, each ended by a line feed.
 */
export function renderTables(tables: TableContent, options: RenderTablesOptions = {}): string {
  const networks = orderedNetworks(tables).filter(
    ({ id, name }) =>
      options.network === undefined || id === options.network || name === options.network,
  );
  const lines = [`${tables.nodeName}  tables of revision ${tables.revision}`];
  lines.push('', ...portLines(tables, networks));
  for (const network of networks) {
    lines.push('', ...networkLines(tables, network, options));
  }
  return `${lines.join('\n')}\n`;
}

const markText = (mark: number): string => `0x${mark.toString(16)}`;

/** `172.18.0.2:8080`, `[fd00:18::2]:8080`. */
function socketText(address: string, port: number): string {
  return `${isIpv6(address) ? `[${address}]` : address}:${port}`;
}

const namesOf = ({ services }: VipTable): string =>
  services.map(({ serviceName }) => serviceName).join(' ');

function portLines(tables: TableContent, networks: readonly NetworkTable[]): readonly string[] {
  const rows = tables.host.ingressPorts
    .values()
    .flatMap(({ protocol, publishedPort, networkId, virtualAddress, mark }) => {
      const network = networks.find(({ id }) => id === networkId);
      const vip = network?.vips.get(virtualAddress);
      if (network === undefined || vip === undefined) return [];
      const legs = plainAddresses(network.gatewayLeg, network.gatewayLeg6);
      return [
        {
          order: publishedPort,
          cells: [
            `${publishedPort}/${protocol}`,
            legs.map((leg) => socketText(leg, publishedPort)).join(' ') || '-',
            markText(mark),
            namesOf(vip),
          ],
        },
      ];
    })
    .sort(
      compareBy(
        (a, b) => a.order - b.order,
        (a, b) => compareText(a.cells[0] ?? '', b.cells[0] ?? ''),
      ),
    )
    .map(({ cells }) => cells);
  const hostRows = tables.tasks.values().flatMap(({ hostPorts, gateway, taskName }) =>
    hostPorts.map(({ publishedPort, protocol, targetPort }) => [
      `${publishedPort}/${protocol}`,
      plainAddresses(gateway?.address, gateway?.address6)
        .map((leg) => socketText(leg, targetPort))
        .join(' ') || '-',
      '-',
      `task ${shortTaskName(taskName)}`,
    ]),
  );
  if (rows.length + hostRows.length === 0) return ['  no published ports'];
  return [
    '  published ports of the host',
    ...textTable([['PORT', 'TO', 'MARK', 'SERVICE'], ...rows, ...hostRows], { indent: 4 }),
  ];
}

function networkLines(
  tables: TableContent,
  network: NetworkTable,
  options: Names,
): readonly string[] {
  const { name } = sandboxNamespace(tables.host.namespacePrefix, network);
  const { loadBalancerAddress, loadBalancerAddress6 } = network;
  const own = addressesText(loadBalancerAddress, loadBalancerAddress6) ?? 'no address yet';
  const title = `  ${network.name} in ${name} (${own})`;
  const vips = [...network.vips.values()].sort((a, b) => a.mark - b.mark);
  if (vips.length === 0) return [title, '    no virtual addresses'];
  const header = [
    'VIP',
    'MARK',
    'SERVICE',
    'PORTS',
    'SCHEDULER',
    'BACKEND',
    'WEIGHT',
    'TASK',
    'NODE',
  ];
  const rows = vips.flatMap((vip) => vipRows(vip, options));
  return [title, ...textTable([header, ...rows], { indent: 4, rightColumns: [6] })];
}

function vipRows(
  vip: VipTable,
  { nodeName = (id: string): string => id }: Names,
): readonly (readonly string[])[] {
  return vip.backends.map(({ address, weight, taskName, nodeId }, index) => {
    const first =
      index > 0
        ? ['', '', '', '', '']
        : [vip.address, markText(vip.mark), namesOf(vip), portsText(vip), schedulerText(vip)];
    const text = weight === 0 ? '0 (drains)' : String(weight);
    return [...first, address, text, shortTaskName(taskName), nodeName(nodeId)];
  });
}

function portsText({ ports }: VipTable): string {
  if (ports === 'all') return 'all';
  return ports
    .map(({ publishedPort, targetPort, protocol }) => `${publishedPort}->${targetPort}/${protocol}`)
    .join(' ');
}

function schedulerText(vip: VipTable): string {
  const [scheduler = ''] = schedulerOf(vip).split(' ');
  return vip.affinity === undefined
    ? scheduler
    : `${scheduler}, a client for ${vip.affinity.timeoutMs / 1000} s`;
}
