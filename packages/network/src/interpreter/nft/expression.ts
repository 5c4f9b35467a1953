/**
 * What rules of nft look at: fields of the packet, of its connection, drawn numbers.
 *
 * **Source:** nft(8), "Payload expressions", "Meta expressions", "Conntrack expressions", "Numgen
 * expression", "Hash expressions", "FIB expressions"; Linux net/netfilter/nft_numgen.c, nft_hash.c.
 */
import { parseIp } from '../../ipam/ip-address.js';
import { isIpv6 } from '../../table/ip.js';
import type { NftContext } from './context.js';
import { jhash, scaled } from './jhash.js';
import type { TokenReader } from './lexer.js';
import { DECLARED_TYPES, type ValueType } from './value.js';

/** Reads a value off a packet; undefined when the packet has no such thing. */
export type Read = (context: NftContext) => string | undefined;

/** A part of an expression. Each use of a rule makes its own reader: counters are the rule's. */
export interface Part {
  readonly type: ValueType;
  /** What it was written as; '' for drawn numbers. */
  readonly words: string;
  readonly make: () => Read;
}

/** Parts joined by ` . `; usually one. */
export type Expression = readonly Part[];

const part = (type: ValueType, read: Read): Part => ({ type, words: '', make: () => read });

const ofFamily =
  (family: 4 | 6, read: Read): Read =>
  (context) =>
    isIpv6(context.packet.destination) === (family === 6) ? read(context) : undefined;

const ofTransport =
  (read: Read): Read =>
  (context) =>
    context.packet.protocol === 'icmp' ? undefined : read(context);

/** Expressions that are so many words and no more. */
const FIXED: Readonly<Record<string, Part>> = {
  'ip saddr': part(
    'ipv4_addr',
    ofFamily(4, ({ packet }) => packet.source),
  ),
  'ip daddr': part(
    'ipv4_addr',
    ofFamily(4, ({ packet }) => packet.destination),
  ),
  'ip6 saddr': part(
    'ipv6_addr',
    ofFamily(6, ({ packet }) => packet.source),
  ),
  'ip6 daddr': part(
    'ipv6_addr',
    ofFamily(6, ({ packet }) => packet.destination),
  ),
  'th dport': part(
    'inet_service',
    ofTransport(({ packet }) => String(packet.destinationPort)),
  ),
  'th sport': part(
    'inet_service',
    ofTransport(({ packet }) => String(packet.sourcePort)),
  ),
  'ether saddr': part('ether_addr', ({ packet }) => packet.sourceMac),
  'ether daddr': part('ether_addr', ({ frame }) => frame?.destinationMac),
  'meta l4proto': part('inet_proto', protocolOf),
  'meta nfproto': part('name', ({ packet }) => (isIpv6(packet.destination) ? 'ipv6' : 'ipv4')),
  'meta protocol': part('name', ({ packet }) => (isIpv6(packet.destination) ? 'ip6' : 'ip')),
  'meta mark': part('mark', ({ packet }) => String(packet.mark)),
  'meta pkttype': part('name', ({ frame }) => frame?.packetType ?? 'host'),
  'ct mark': part('mark', ({ flow }) => flow && String(flow.connection.mark)),
  'ct zone': part('integer', () => undefined),
  'ct original zone': part('integer', ({ packet: { zone } }) =>
    zone === undefined ? undefined : String(zone),
  ),
  'ct state': part('name', ({ state }) => state),
  'ct direction': part('name', ({ flow }) => flow && (flow.isReply ? 'reply' : 'original')),
  'fib daddr type': part('name', ({ packet, isLocal }) => addressType(isLocal(packet.destination))),
  'fib saddr type': part('name', ({ packet, isLocal }) => addressType(isLocal(packet.source))),
  'icmpv6 type': part('name', () => undefined),
  iifname: part('ifname', ({ inInterface }) => inInterface),
  oifname: part('ifname', ({ outInterface }) => outInterface),
};

function addressType(isLocal: boolean): string {
  return isLocal ? 'local' : 'unicast';
}

function protocolOf({ packet }: NftContext): string {
  if (packet.protocol !== 'icmp') return packet.protocol;
  return isIpv6(packet.destination) ? 'ipv6-icmp' : 'icmp';
}

/** Reads an expression if one begins here; undefined, and nothing taken, when none does. */
export function parseExpression(reader: TokenReader): Expression | undefined {
  const first = parsePart(reader);
  if (first === undefined) return undefined;
  const parts = [first];
  while (reader.skip('.')) {
    const next = parsePart(reader);
    if (next === undefined) throw reader.fault(`unknown expression "${reader.peek()}"`);
    parts.push(next);
  }
  return parts;
}

function parsePart(reader: TokenReader): Part | undefined {
  const words = [reader.peek(), reader.peek(1), reader.peek(2)];
  for (const count of [3, 2, 1]) {
    const found = FIXED[words.slice(0, count).join(' ')];
    if (found === undefined) continue;
    for (let i = 0; i < count; i += 1) reader.next();
    return { ...found, words: words.slice(0, count).join(' ') };
  }
  if (reader.skip('numgen')) return parseNumgen(reader);
  if (reader.skip('jhash')) return parseHash(reader);
  return undefined;
}

function parseModulus(reader: TokenReader): number {
  reader.expect('mod');
  const modulus = Number(reader.next());
  if (!Number.isInteger(modulus) || modulus < 1) throw reader.fault('a modulus is at least 1');
  return modulus;
}

function parseNumgen(reader: TokenReader): Part {
  const mode = reader.next();
  const modulus = parseModulus(reader);
  if (mode === 'random') {
    return part('integer', ({ random }) => String(scaled(random(), modulus)));
  }
  if (mode !== 'inc') throw reader.fault(`unknown way to number: "${mode}"`);
  return {
    type: 'integer',
    words: '',
    make: () => {
      let last = modulus - 1;
      return () => {
        last = (last + 1) % modulus;
        return String(last);
      };
    },
  };
}

function parseHash(reader: TokenReader): Part {
  const hashed = parsePart(reader);
  if (hashed?.type !== 'ipv4_addr' && hashed?.type !== 'ipv6_addr') {
    throw reader.fault('only addresses are hashed here');
  }
  const modulus = parseModulus(reader);
  const seed = reader.skip('seed') ? Number(reader.next()) : Number.NaN;
  // Without a seed the kernel draws one, and nobody knows what comes out.
  if (!Number.isInteger(seed)) throw reader.fault('jhash needs a seed');
  return {
    type: 'integer',
    words: '',
    make: () => {
      const read = hashed.make();
      return (context) => {
        const address = read(context);
        return address === undefined
          ? undefined
          : String(scaled(jhash(addressBytes(address), seed), modulus));
      };
    },
  };
}

function addressBytes(address: string): readonly number[] {
  const parsed = parseIp(address);
  const count = (parsed?.bits ?? 32) / 8;
  const value = parsed?.value ?? 0n;
  return Array.from({ length: count }, (_, at) =>
    Number((value >> BigInt(8 * (count - 1 - at))) & 255n),
  );
}

/** A reader of the whole expression, its parts joined as keys of sets are. */
export function makeRead(expression: Expression): Read {
  const reads = expression.map(({ make }) => make());
  const [only] = reads;
  if (reads.length === 1 && only !== undefined) return only;
  return (context) => {
    const values: string[] = [];
    for (const read of reads) {
      const value = read(context);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values.join(' . ');
  };
}

/** Types named in a declaration: `inet_proto . inet_service`. */
export function parseTypes(reader: TokenReader): readonly ValueType[] {
  const types: ValueType[] = [];
  do {
    const word = reader.next();
    const type = DECLARED_TYPES.find((known) => known === word);
    if (type === undefined) throw reader.fault(`unknown type "${word}"`);
    types.push(type);
  } while (reader.skip('.'));
  return types;
}
