/**
 * The tables by which IPVS gives clients to backends: source hashing and Maglev, to the entry.
 *
 * **Source:** Linux net/netfilter/ipvs/ip_vs_sh.c, ip_vs_mh.c; include/linux/hash.h (hash_32);
 * lib/siphash.c (hsiphash of one word on 64-bit machines, which is SipHash-1-3).
 */
import { parseIp } from '../ipam/ip-address.js';
import type { DestinationConfig } from './namespace-config.js';

/** CONFIG_IP_VS_SH_TAB_BITS as distributions set it. */
const SH_BITS = 8;
const SH_SIZE = 1 << SH_BITS;
/** The prime that CONFIG_IP_VS_MH_TAB_INDEX=12 chooses, as distributions set it. */
const MH_SIZE = 4093;
const MH_BITS = 6;
const GOLDEN_RATIO = 0x61c8_8647;

type Choice = DestinationConfig | undefined;

/** An entry of a table, or without an answer there the next that takes connections. */
interface Search {
  /** Number of the entry for a client's hash and an offset. */
  readonly entry: (offset: number) => number;
  readonly size: number;
  /** Whether others answer for a backend that takes none: `sh-fallback`, `mh-fallback`. */
  readonly falls: boolean;
}

/** Entries of a table: backends, or nobody. */
export type LookupTable = readonly Choice[];

/** The table of a scheduler, `sh` or `mh`, for a list of backends. Cost: O(table). */
export function lookupTable(
  scheduler: string,
  destinations: readonly DestinationConfig[],
): LookupTable {
  return scheduler === 'sh' ? sourceTable(destinations) : maglevLookup(destinations);
}

/** The backend of a client under the scheduler `sh`. */
export function bySourceHash(
  table: LookupTable,
  client: { readonly address: string; readonly port: number },
  falls: boolean,
): Choice {
  const hash = Math.imul((client.port + folded(client.address)) | 0, GOLDEN_RATIO) >>> 0;
  const first = hash >>> (32 - SH_BITS);
  return search(table, {
    entry: (offset) => (offset + first) & (SH_SIZE - 1),
    size: SH_SIZE,
    falls,
  });
}

/** The backend of a client under the scheduler `mh`. */
export function byMaglev(
  table: LookupTable,
  client: { readonly address: string; readonly port: number },
  falls: boolean,
): Choice {
  if (table.length === 0) return undefined;
  const value = client.port + folded(client.address);
  return search(table, {
    entry: (offset) => sipHash((offset + value) >>> 0, FIRST_KEY) % MH_SIZE,
    size: MH_SIZE,
    falls,
  });
}

/** The kernel's search: the client's own entry, and then round the table from there. */
function search(table: LookupTable, { entry, size, falls }: Search): Choice {
  const first = entry(0);
  const own = table[first];
  if (own === undefined || own.weight > 0) return own;
  if (!falls) return undefined;
  for (let offset = 0; offset < size; offset += 1) {
    const other = table[entry((offset + first) % size)];
    if (other === undefined) return undefined;
    if (other.weight > 0) return other;
  }
  return undefined;
}

/** Buckets go round the backends, as many in turn as the weight says; at least one. */
function sourceTable(destinations: readonly DestinationConfig[]): LookupTable {
  const table: Choice[] = [];
  let at = 0;
  let turn = 0;
  for (let i = 0; i < SH_SIZE; i += 1) {
    const destination = destinations[at % destinations.length];
    table.push(destination);
    turn += 1;
    if (destination !== undefined && turn >= destination.weight) {
      at = (at + 1) % destinations.length;
      turn = 0;
    }
  }
  return table;
}

function maglevLookup(destinations: readonly DestinationConfig[]): LookupTable {
  const weights = destinations.map(({ lastWeight }) => lastWeight).filter((weight) => weight > 0);
  if (weights.length === 0) return [];
  const divisor = weights.reduce(greatestDivisor);
  const heaviest = Math.trunc(Math.max(...weights) / divisor);
  const shift = Math.max(0, 32 - Math.clz32(heaviest) - MH_BITS);
  const setups = destinations.map((destination) => {
    const value = (destination.port + folded(destination.address)) >>> 0;
    const weight = destination.lastWeight;
    return {
      destination,
      next: sipHash(value, FIRST_KEY) % MH_SIZE,
      skip: (sipHash(value, SECOND_KEY) % (MH_SIZE - 1)) + 1,
      turns: Math.trunc(weight / divisor) >>> shift || Number(weight !== 0),
    };
  });
  const table: Choice[] = Array.from({ length: MH_SIZE }, () => undefined);
  for (let filled = 0; ;) {
    for (const setup of setups) {
      for (let turn = 0; turn < setup.turns; turn += 1) {
        while (table[setup.next] !== undefined) setup.next = (setup.next + setup.skip) % MH_SIZE;
        table[setup.next] = setup.destination;
        filled += 1;
        if (filled === MH_SIZE) return table;
      }
    }
  }
}

/** The greatest number that divides both. */
export function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** An IPv4 address as a number; the four words of an IPv6 address mixed. */
function folded(address: string): number {
  const parsed = parseIp(address);
  if (parsed === undefined) return 0;
  let rest = parsed.value;
  let mixed = 0;
  for (let word = 0; word < parsed.bits / 32; word += 1) {
    mixed ^= Number(rest & 0xffff_ffffn);
    rest >>= 32n;
  }
  return mixed >>> 0;
}

const FIRST_KEY = 2_654_435_761n;
const SECOND_KEY = 2_654_446_892n;
const WORD = 0xffff_ffff_ffff_ffffn;

/** SipHash-1-3 of one 32-bit word; both halves of the key are the same. */
function sipHash(word: number, key: bigint): number {
  let v0 = 0x736f_6d65_7073_6575n ^ key;
  let v1 = 0x646f_7261_6e64_6f6dn ^ key;
  let v2 = 0x6c79_6765_6e65_7261n ^ key;
  let v3 = 0x7465_6462_7974_6573n ^ key;
  const block = (4n << 56n) | BigInt(word);
  const round = (): void => {
    v0 = (v0 + v1) & WORD;
    v1 = rotate(v1, 13n) ^ v0;
    v0 = rotate(v0, 32n);
    v2 = (v2 + v3) & WORD;
    v3 = rotate(v3, 16n) ^ v2;
    v0 = (v0 + v3) & WORD;
    v3 = rotate(v3, 21n) ^ v0;
    v2 = (v2 + v1) & WORD;
    v1 = rotate(v1, 17n) ^ v2;
    v2 = rotate(v2, 32n);
  };
  v3 ^= block;
  round();
  v0 ^= block;
  v2 ^= 0xffn;
  for (let i = 0; i < 3; i += 1) round();
  return Number((v0 ^ v1 ^ v2 ^ v3) & 0xffff_ffffn);
}

function rotate(value: bigint, by: bigint): bigint {
  return ((value << by) | (value >> (64n - by))) & WORD;
}
