/**
 * Connection tracking of a namespace, and the translations that hang on it.
 *
 * **Source:** Linux net/netfilter/nf_conntrack_core, nf_nat_core: a connection is two tuples, the
 * original and that of its replies; translation changes the second, and both directions follow.
 */
import type { ConnectionState } from './filter-rule.js';
import { inverse, tupleKey, tupleOf, type Packet, type Tuple } from './packet.js';

/** Most connections a namespace remembers; beyond, the oldest are forgotten. */
export const CONNECTIONS_MAX = 65_536;

const PORTS = Object.freeze({ first: 1024, last: 65_535 });

/** A connection as a namespace sees it. */
export interface Connection {
  readonly original: Tuple;
  reply: Tuple;
  isSourceTranslated: boolean;
  isDestinationTranslated: boolean;
  /** Whether rules were asked already; they are only asked for the first packet. */
  isSourceDecided: boolean;
  isDestinationDecided: boolean;
  hasReply: boolean;
  isConfirmed: boolean;
  /** Mark of the connection; 0 for none. */
  mark: number;
  /** Where its way there is known; its answers are known in one place, whatever this is. */
  readonly zone: number | undefined;
}

/** A packet's place in a connection. */
export interface Flow {
  readonly connection: Connection;
  readonly isReply: boolean;
}

/** See the module comment. */
export class ConnectionTable {
  private readonly flows = new Map<string, Flow>();
  private readonly max: number;

  /** `max`: how many connections are remembered. */
  constructor(max = CONNECTIONS_MAX) {
    this.max = max;
  }

  /** Connections that are remembered. */
  get size(): number {
    return this.flows.size / 2;
  }

  /** The connection that a packet belongs to; a new one is not remembered until it is confirmed. */
  track(packet: Packet): Flow {
    const tuple = tupleOf(packet);
    const { zone } = packet;
    const reply = this.flows.get(tupleKey(tuple));
    const isOther = zone !== undefined && reply?.isReply === false;
    const known = this.flows.get(zoneKey(tuple, zone)) ?? (isOther ? undefined : reply);
    if (known !== undefined) {
      if (known.isReply) known.connection.hasReply = true;
      return known;
    }
    return {
      isReply: false,
      connection: {
        original: tuple,
        reply: inverse(tuple),
        isSourceTranslated: false,
        isDestinationTranslated: false,
        isSourceDecided: false,
        isDestinationDecided: false,
        hasReply: false,
        isConfirmed: false,
        mark: 0,
        zone,
      },
    };
  }

  /** Remembers the connection of a packet that leaves the namespace or is delivered in it. */
  confirm({ connection }: Flow): void {
    if (connection.isConfirmed) return;
    connection.isConfirmed = true;
    const original = zoneKey(connection.original, connection.zone);
    this.flows.set(original, { connection, isReply: false });
    this.flows.set(tupleKey(connection.reply), { connection, isReply: true });
    while (this.flows.size > 2 * this.max) {
      const oldest = this.flows.values().next().value;
      if (oldest === undefined) break;
      this.close(oldest.connection);
    }
  }

  /** Forgets a connection. */
  close(connection: Connection): void {
    for (const key of [zoneKey(connection.original, connection.zone), tupleKey(connection.reply)]) {
      if (this.flows.get(key)?.connection === connection) this.flows.delete(key);
    }
    connection.isConfirmed = false;
  }

  /** Forgets connections. Cost: O(connections). */
  closeWhere(isMeant: (connection: Connection) => boolean): void {
    for (const { connection } of [...this.flows.values()]) {
      if (isMeant(connection)) this.close(connection);
    }
  }

  /** Gives a new connection another destination, in both directions from now on. */
  translateDestination(
    { connection }: Flow,
    to: { readonly address: string; readonly port?: number },
  ): void {
    const forward = inverse(connection.reply);
    connection.reply = inverse({
      ...forward,
      destination: to.address,
      destinationPort: to.port ?? forward.destinationPort,
    });
    connection.isDestinationTranslated = true;
  }

  /** A new connection whose answers would look like those of one in another zone: another port. */
  keepApart(flow: Flow): void {
    const { connection } = flow;
    if (connection.zone === undefined || !this.flows.has(tupleKey(connection.reply))) return;
    this.translateSource(flow, connection.original.source);
  }

  /** Gives a new connection another source; its port changes only when it is taken. */
  translateSource({ connection }: Flow, address: string): void {
    const forward = inverse(connection.reply);
    let reply = inverse({ ...forward, source: address });
    const size = PORTS.last - PORTS.first + 1;
    for (let tries = 0; tries < size && this.flows.has(tupleKey(reply)); tries += 1) {
      const next = reply.destinationPort + 1;
      reply = { ...reply, destinationPort: next > PORTS.last ? PORTS.first : next };
    }
    connection.reply = reply;
    connection.isSourceTranslated = true;
  }
}

/** A text for a tuple in a zone. */
function zoneKey(tuple: Tuple, zone: number | undefined): string {
  return zone === undefined ? tupleKey(tuple) : `${tupleKey(tuple)} ${zone}`;
}

/** State of the connection, as rules see it. */
export function stateOf(flow: Flow | undefined): ConnectionState {
  if (flow === undefined) return 'UNTRACKED';
  return flow.isReply || flow.connection.hasReply ? 'ESTABLISHED' : 'NEW';
}

/** Changes a packet's destination as its connection says; true when it did. */
export function applyDestination({ connection, isReply }: Flow, packet: Packet): boolean {
  const isTranslated = isReply ? connection.isSourceTranslated : connection.isDestinationTranslated;
  if (!isTranslated) return false;
  const target = inverse(isReply ? connection.original : connection.reply);
  packet.destination = target.destination;
  packet.destinationPort = target.destinationPort;
  return true;
}

/** Changes a packet's source as its connection says; true when it did. */
export function applySource({ connection, isReply }: Flow, packet: Packet): boolean {
  const isTranslated = isReply ? connection.isDestinationTranslated : connection.isSourceTranslated;
  if (!isTranslated) return false;
  const target = inverse(isReply ? connection.original : connection.reply);
  packet.source = target.source;
  packet.sourcePort = target.sourcePort;
  return true;
}
