/**
 * What a table means for a packet, said without any renderer: the reference that the texts of all
 * of them are held to.
 */
import { ipText, isIpv6 } from '../table/ip.js';
import { addressOf } from '../table/ipv4.js';
import { portKey, type TableContent, type VipTable } from '../table/node-tables.js';
import type { PacketProtocol } from '../interpreter/packet.js';

/** A new connection, as far as tables are concerned. */
export interface TablePacket {
  /** A task of the node in a network, or somebody who asks the node itself. */
  readonly from: { readonly networkId: string } | 'outside';
  readonly destination: string;
  /** 0 for icmp. */
  readonly destinationPort: number;
  readonly protocol: PacketProtocol;
}

/**
 * Who may get a packet. `elsewhere`: the address or port is none of the table's. `balancer`: the
 * balancer itself answers. `refused`: nobody takes connections. `backends`: one of these, which
 * hears it on `port`.
 */
export type ExpectedBackends =
  | { readonly type: 'elsewhere' | 'balancer' | 'refused' }
  | {
      readonly type: 'backends';
      readonly taskIds: readonly string[];
      readonly port: number;
      readonly vip: VipTable;
    };

/**
 * The backends that the first packet of a connection may be given to. Cost: O(backends).
 */
export function expectedBackends(tables: TableContent, packet: TablePacket): ExpectedBackends {
  const destination = ipText(packet.destination);
  if (packet.from !== 'outside') {
    const vip = tables.networks.get(packet.from.networkId)?.vips.get(destination);
    if (vip === undefined) return { type: 'elsewhere' };
    if (packet.protocol === 'icmp') return { type: 'balancer' };
    return serving(vip, packet.destinationPort);
  }
  const { protocol } = packet;
  if (protocol === 'icmp') return { type: 'elsewhere' };
  const key = { protocol, publishedPort: packet.destinationPort };
  const port = tables.host.ingressPorts.get(portKey(key));
  if (port === undefined) return { type: 'elsewhere' };
  const virtual = [port.virtualAddress, port.virtualAddress6].find(
    (address) => address !== undefined && isIpv6(address) === isIpv6(destination),
  );
  const vip = tables.networks.get(port.networkId)?.vips.get(addressOf(virtual ?? ''));
  if (vip === undefined) return { type: 'refused' };
  const published = vip.ports === 'all' ? undefined : vip.ports.find((one) => isSame(one, key));
  return serving(vip, published?.targetPort ?? packet.destinationPort);
}

function serving(vip: VipTable, port: number): ExpectedBackends {
  const taskIds = vip.backends.filter(({ weight }) => weight > 0).map(({ taskId }) => taskId);
  return taskIds.length === 0
    ? { type: 'refused' }
    : { type: 'backends', taskIds: taskIds.sort(), port, vip };
}

function isSame(
  a: { readonly protocol: string; readonly publishedPort: number },
  b: { readonly protocol: string; readonly publishedPort: number },
): boolean {
  return a.protocol === b.protocol && a.publishedPort === b.publishedPort;
}
