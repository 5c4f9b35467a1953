/**
 * Addresses and ranges of either family, as tables, renderers and the interpreter need them.
 *
 * IPv4 stays a plain number: there are many of them, and they are compared all the time.
 */
import { SkepError } from '@skep/api';
import { formatIp, parseIp } from '../ipam/ip-address.js';
import { addressOf, ipv4Number, ipv4Range, ipv4RangeText, isInRange } from './ipv4.js';

/** A range of one family: its first address and its prefix length. */
export type IpRange =
  | { readonly bits: 32; readonly base: number; readonly prefix: number }
  | { readonly bits: 128; readonly base: bigint; readonly prefix: number };

/** Bytes as two hexadecimal digits. */
const HEX: readonly string[] = Object.freeze(
  Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')),
);

/** Whether the text, with or without a prefix length, is an IPv6 address and no IPv4 one. */
export function isIpv6(text: string): boolean {
  return text.includes(':');
}

/** Family of an address or range in text form. */
export function familyOf(text: string): 4 | 6 {
  return isIpv6(text) ? 6 : 4;
}

/** Prefix length of a single address: 32 or 128. */
export function hostPrefix(address: string): 32 | 128 {
  return isIpv6(address) ? 128 : 32;
}

/**
 * The range of `10.0.9.6/24` or `fd00::6/64`, host bits cleared; without a prefix length, the one
 * address.
 * @throws invalid-argument for anything else.
 */
export function ipRange(cidr: string): IpRange {
  if (!isIpv6(cidr)) return { bits: 32, ...ipv4Range(cidr) };
  const slash = cidr.indexOf('/');
  const prefix = slash < 0 ? 128 : Number(cidr.slice(slash + 1));
  const address = parseIp(addressOf(cidr));
  if (address?.bits !== 128 || !(prefix >= 0 && prefix <= 128)) {
    throw new SkepError('invalid-argument', `not an address range: ${cidr}`);
  }
  const shift = BigInt(128 - prefix);
  return { bits: 128, base: (address.value >> shift) << shift, prefix };
}

/** The range in text form, its host bits cleared: `fd00::6/64` gives `fd00::/64`. */
export function ipRangeText(cidr: string): string {
  if (!isIpv6(cidr)) return ipv4RangeText(cidr);
  const { base, prefix } = ipRange(cidr);
  return `${formatIp({ bits: 128, value: BigInt(base) })}/${prefix}`;
}

/** Whether the range holds the address; false for another family and for what is no address. */
export function isInIpRange(address: string, range: IpRange): boolean {
  if (range.bits === 32) {
    const number = ipv4Number(address);
    return number !== undefined && isInRange(number, range);
  }
  const parsed = isIpv6(address) ? parseIp(address) : undefined;
  if (parsed?.bits !== 128) return false;
  const shift = BigInt(128 - range.prefix);
  return (parsed.value >> shift) << shift === range.base;
}

/** The address in its one usual form (RFC 5952 for IPv6); as it is when it is no address. */
export function ipText(address: string): string {
  if (!isIpv6(address)) return address;
  const parsed = parseIp(address);
  return parsed === undefined ? address : formatIp(parsed);
}

/** `10.0.9.8:80`, `[fd00::8]:80`. */
export function endpointText(address: string, port: number): string {
  return isIpv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Orders addresses: IPv4 by number, then IPv6 by number, then what is no address, by text. */
export function compareAddresses(a: string, b: string): number {
  if (a === b) return 0;
  const left = ipv4Number(a);
  const right = ipv4Number(b);
  if (left !== undefined && right !== undefined) return left - right;
  if (left !== undefined) return -1;
  if (right !== undefined) return 1;
  const [six, other] = [parseIp(a)?.value, parseIp(b)?.value];
  if (six !== undefined && other !== undefined) return six === other ? 0 : six < other ? -1 : 1;
  if (six !== undefined) return -1;
  if (other !== undefined) return 1;
  return a < b ? -1 : 1;
}

/**
 * The MAC address of an endpoint, so that every node knows it without asking: 02:42 and the four
 * bytes of its IPv4 address; for an endpoint that has only IPv6, 02:46 and the last four bytes.
 * **Source:** moby daemon/libnetwork (netutils, MAC from IP); the form for IPv6 is ours.
 */
export function macOf(address: string): string {
  const number = isIpv6(address)
    ? Number((parseIp(address)?.value ?? 0n) & 0xffff_ffffn)
    : (ipv4Number(address) ?? 0);
  const head = isIpv6(address) ? '02:46' : '02:42';
  const first = `${HEX[number >>> 24]}:${HEX[(number >>> 16) & 255]}`;
  return `${head}:${first}:${HEX[(number >>> 8) & 255]}:${HEX[number & 255]}`;
}
