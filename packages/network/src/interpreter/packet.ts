/**
 * Packets, and the five values by which a connection is known.
 */
import type { PortProtocol } from '@skep/api';
import { endpointText } from '../table/ip.js';

/** Protocols that packets may have. */
export type PacketProtocol = PortProtocol | 'icmp';

/** What identifies one direction of a connection. For icmp the ports are the identifier and 0. */
export interface Tuple {
  readonly protocol: PacketProtocol;
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

/** A packet on its way; translated in place. */
export interface Packet {
  readonly protocol: PacketProtocol;
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
  /** Firewall mark; lost when the packet leaves its namespace. */
  mark: number;
  /** Zone of connection tracking for the way there; lost like the mark. Absent: that of all. */
  zone?: number | undefined;
  /** MAC address of the interface that sent it last; absent before it has left its namespace. */
  sourceMac?: string | undefined;
}

/** An address and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** The packet's own values. */
export function tupleOf(packet: Packet): Tuple {
  const { protocol, source, sourcePort, destination, destinationPort } = packet;
  return { protocol, source, sourcePort, destination, destinationPort };
}

/** The other direction. */
export function inverse(tuple: Tuple): Tuple {
  return {
    protocol: tuple.protocol,
    source: tuple.destination,
    sourcePort: tuple.destinationPort,
    destination: tuple.source,
    destinationPort: tuple.sourcePort,
  };
}

/** A text that is the same for equal tuples only. */
export function tupleKey(tuple: Tuple): string {
  return (
    `${tuple.protocol} ${tuple.source}:${tuple.sourcePort}` +
    ` ${tuple.destination}:${tuple.destinationPort}`
  );
}

/** For people: `tcp 10.0.9.8:32768 -> 10.0.9.2:80`. */
export function packetText(packet: Tuple): string {
  const { protocol, source, sourcePort, destination, destinationPort } = packet;
  return protocol === 'icmp'
    ? `icmp ${source} -> ${destination}`
    : `${protocol} ${endpointText(source, sourcePort)} -> ` +
        endpointText(destination, destinationPort);
}
