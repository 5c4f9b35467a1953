/**
 * What became of a packet, step by step.
 */
import type { TaskId } from '@skep/api';
import type { BalancedConnection, Balancer } from './balancer.js';
import type { Connection, ConnectionTable } from './connection-table.js';
import type { Endpoint, PacketProtocol } from './packet.js';

/** Where on its way a packet is. */
export type HopHook =
  | 'start'
  | 'prerouting'
  | 'input'
  | 'forward'
  | 'output'
  | 'postrouting'
  | 'route'
  | 'balance'
  | 'bridge'
  | 'tunnel'
  | 'underlay'
  | 'deliver'
  | 'drop';

/** One thing that happened to a packet. */
export interface Hop {
  /** '' outside of all nodes. */
  readonly node: string;
  readonly namespace: string;
  readonly hook: HopHook;
  /** A word or two: `DNAT`, `MARK`, `chosen`, `eth0`. */
  readonly action: string;
  /** For people: the rule, the route, the addresses. */
  readonly text: string;
}

/** Where a packet arrived. */
export interface Delivery extends Endpoint {
  /** '' when it left for an address outside of all nodes. */
  readonly node: string;
  readonly namespace: string;
  /** The task whose namespace it is. */
  readonly taskId?: TaskId;
  readonly protocol: PacketProtocol;
  /** The source as the receiver sees it. */
  readonly seenSource: Endpoint;
}

/** What became of a packet: it was delivered, or dropped for a reason. */
export interface PacketResult {
  readonly delivered?: Delivery;
  readonly dropped?: string;
  /** The sender was told that nobody takes it: a TCP reset, or an ICMP message. */
  readonly isRejected?: true;
  readonly hops: readonly Hop[];
}

/** Connections that a packet went through, so that they can be closed. */
export interface Traces {
  readonly tracked: Map<Connection, ConnectionTable>;
  readonly balanced: Map<BalancedConnection, Balancer>;
}
