/**
 * Addresses as numbers: IPv4 as an unsigned 32-bit number, IPv6 as a bigint.
 *
 * IPv6 text goes through ipaddr.js; IPv4 text is read here, because the allocator reads millions.
 */
import ipaddr from 'ipaddr.js';

/** Width of an address: 32 for IPv4, 128 for IPv6. */
export type AddressBits = 32 | 128;

/** An address of either family. */
export interface IpAddress {
  readonly bits: AddressBits;
  readonly value: bigint;
}

/**
 * Reads an IPv4 address in its usual form: four decimal parts, no leading zeros.
 * Undefined for anything else.
 */
export function parseIpv4(text: string): number | undefined {
  let value = 0;
  let part = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      if (part < 0 || dots === 3) return undefined;
      value = value * 256 + part;
      part = -1;
      dots += 1;
      continue;
    }
    const digit = code - 48;
    if (digit < 0 || digit > 9 || part === 0) return undefined;
    part = part < 0 ? digit : part * 10 + digit;
    if (part > 255) return undefined;
  }
  return dots === 3 && part >= 0 ? value * 256 + part : undefined;
}

/** Writes an unsigned 32-bit number as an IPv4 address. */
export function formatIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** Reads an IPv4 or IPv6 address without prefix length or zone. Undefined for anything else. */
export function parseIp(text: string): IpAddress | undefined {
  if (!text.includes(':')) {
    const value = parseIpv4(text);
    return value === undefined ? undefined : { bits: 32, value: BigInt(value) };
  }
  if (text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined;
  let value = 0n;
  for (const part of ipaddr.IPv6.parse(text).parts) value = (value << 16n) | BigInt(part);
  return { bits: 128, value };
}

/** Writes an address; IPv6 in the canonical form of RFC 5952. */
export function formatIp(address: IpAddress): string {
  if (address.bits === 32) return formatIpv4(Number(address.value));
  const parts: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) {
    parts.push(Number((address.value >> shift) & 0xffffn));
  }
  return new ipaddr.IPv6(parts).toRFC5952String();
}

/** The address without the prefix length of its CIDR form: `10.0.1.3/24` gives `10.0.1.3`. */
export function withoutPrefix(cidr: string): string {
  const slash = cidr.indexOf('/');
  return slash < 0 ? cidr : cidr.slice(0, slash);
}
