/**
 * Address ranges in CIDR form, as numbers.
 */
import { compareText } from '@skep/api';
import { formatIp, parseIp, type AddressBits, type IpAddress } from './ip-address.js';

/** An address range: the bits of `value` beyond `length` are zero. */
export interface IpPrefix extends IpAddress {
  /** How many leading bits all addresses of the range share. */
  readonly length: number;
}

/**
 * Reads `10.0.9.0/24` or `fd00::/64`. Host bits may be set; they are masked off.
 * Undefined for anything else.
 */
export function parsePrefix(text: string): IpPrefix | undefined {
  const written = parseInterface(text);
  return written === undefined ? undefined : prefixOf(written.address, written.length);
}

/**
 * Reads an address with a prefix length and keeps its host bits: `172.17.0.0/12`.
 * Undefined for anything else.
 */
export function parseInterface(
  text: string,
): { readonly address: IpAddress; readonly length: number } | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const lengthText = text.slice(slash + 1);
  const address = parseIp(text.slice(0, slash));
  if (address === undefined || !/^(0|[1-9]\d{0,2})$/.test(lengthText)) return undefined;
  const length = Number(lengthText);
  return length > address.bits ? undefined : { address, length };
}

/** The range of `length` leading bits that the address lies in. */
export function prefixOf(address: IpAddress, length: number): IpPrefix {
  const shift = BigInt(address.bits - length);
  return { bits: address.bits, value: (address.value >> shift) << shift, length };
}

/** Writes a range in CIDR form. */
export function formatPrefix(prefix: IpPrefix): string {
  return `${formatIp(prefix)}/${prefix.length}`;
}

/** How many addresses a range has. */
export function prefixSize(prefix: {
  readonly bits: AddressBits;
  readonly length: number;
}): bigint {
  return 1n << BigInt(prefix.bits - prefix.length);
}

/** The last address of a range. */
export function lastOf(prefix: IpPrefix): bigint {
  return prefix.value + prefixSize(prefix) - 1n;
}

/** Whether the range holds the address. False for another family. */
export function holdsAddress(prefix: IpPrefix, address: IpAddress): boolean {
  return (
    prefix.bits === address.bits && address.value >= prefix.value && address.value <= lastOf(prefix)
  );
}

/** Whether the outer range holds the whole inner one. */
export function holdsPrefix(outer: IpPrefix, inner: IpPrefix): boolean {
  return outer.length <= inner.length && holdsAddress(outer, inner);
}

/** Whether two ranges share an address. */
export function arePrefixesOverlapping(a: IpPrefix, b: IpPrefix): boolean {
  return holdsPrefix(a, b) || holdsPrefix(b, a);
}

/** Order of ranges: IPv4 first, then by first address, then the larger range first. */
export function comparePrefixes(a: IpPrefix, b: IpPrefix): number {
  if (a.bits !== b.bits) return a.bits - b.bits;
  if (a.value !== b.value) return a.value < b.value ? -1 : 1;
  return a.length - b.length;
}

/** Order of address texts: IPv4 first, then numerically; what is no address comes last, by text. */
export function compareAddresses(a: string, b: string): number {
  const left = parseIp(a);
  const right = parseIp(b);
  if (left === undefined || right === undefined) {
    return Number(left === undefined) - Number(right === undefined) || compareText(a, b);
  }
  if (left.bits !== right.bits) return left.bits - right.bits;
  return left.value === right.value ? 0 : left.value < right.value ? -1 : 1;
}
