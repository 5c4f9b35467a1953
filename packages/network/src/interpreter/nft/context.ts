/**
 * What rules of nft see of a packet, and what they may decide.
 */
import type { Flow } from '../connection-table.js';
import type { Packet } from '../packet.js';

/** A frame on a bridge, as far as rules see and change it. */
export interface NftFrame {
  destinationMac: string | undefined;
  packetType: 'host' | 'otherhost';
}

/** A packet in a hook. */
export interface NftContext {
  readonly packet: Packet;
  readonly inInterface: string;
  readonly outInterface: string;
  readonly flow: Flow | undefined;
  /** `new`, `established`, … */
  readonly state: string;
  readonly isLocal: (address: string) => boolean;
  /** The next 32 random bits of the namespace. */
  readonly random: () => number;
  /** In tables of the family `bridge`. */
  readonly frame?: NftFrame;
}

/** What a packet gets in the end, from the chains of one hook. */
export type NftDecision =
  | { readonly type: 'accept' | 'drop' | 'masquerade' }
  | { readonly type: 'dnat' | 'snat'; readonly address: string; readonly port?: number }
  | { readonly type: 'reject'; readonly answer: string };

/** What a rule decides; `continue` is no decision. */
export type NftVerdict =
  | NftDecision
  | { readonly type: 'return' }
  | { readonly type: 'continue' }
  | { readonly type: 'jump'; readonly chain: string }
  | { readonly type: 'goto'; readonly chain: string };
