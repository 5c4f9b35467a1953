/**
 * IPv4 as plain 32-bit integers: what tables, renderers and the interpreter compute with.
 */
import { SkepError } from '@skep/api';

/** An IPv4 range: its first address and its prefix length. */
export interface Ipv4Range {
  readonly base: number;
  readonly prefix: number;
}

/** The number of an address in dotted form; undefined when it is none. */
export function ipv4Number(text: string): number | undefined {
  let value = 0;
  let part = -1;
  let parts = 0;
  for (let i = 0; i <= text.length; i += 1) {
    const code = i < text.length ? text.charCodeAt(i) : 46;
    if (code === 46) {
      if (part < 0 || part > 255 || parts === 4) return undefined;
      value = value * 256 + part;
      parts += 1;
      part = -1;
    } else if (code >= 48 && code <= 57) {
      part = part < 0 ? code - 48 : part * 10 + code - 48;
    } else {
      return undefined;
    }
  }
  return parts === 4 ? value : undefined;
}

/** Dotted form of a 32-bit number. */
export function ipv4Text(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** Whether the text, with or without a prefix length, is an IPv4 address. */
export function isIpv4(text: string): boolean {
  return ipv4Number(addressOf(text)) !== undefined;
}

/** The address of `10.0.9.6/24`: `10.0.9.6`. Text without a prefix is returned as it is. */
export function addressOf(cidr: string): string {
  const slash = cidr.indexOf('/');
  return slash < 0 ? cidr : cidr.slice(0, slash);
}

/** The prefix length of `10.0.9.6/24`: 24; 32 without one. */
export function prefixOf(cidr: string): number {
  const slash = cidr.indexOf('/');
  return slash < 0 ? 32 : Number(cidr.slice(slash + 1));
}

/**
 * The range of `10.0.9.6/24`: 10.0.9.0, 24.
 * @throws invalid-argument for anything else.
 */
export function ipv4Range(cidr: string): Ipv4Range {
  const address = ipv4Number(addressOf(cidr));
  const prefix = prefixOf(cidr);
  if (address === undefined || !(prefix >= 0 && prefix <= 32)) {
    throw new SkepError('invalid-argument', `not an IPv4 range: ${cidr}`);
  }
  return { base: maskOf(address, prefix), prefix };
}

/** The range in text form, its host bits cleared: `10.0.9.6/24` gives `10.0.9.0/24`. */
export function ipv4RangeText(cidr: string): string {
  const { base, prefix } = ipv4Range(cidr);
  return `${ipv4Text(base)}/${prefix}`;
}

/** Whether the address lies in the range. */
export function isInRange(address: number, range: Ipv4Range): boolean {
  return maskOf(address, range.prefix) === range.base;
}

function maskOf(address: number, prefix: number): number {
  return prefix === 0 ? 0 : ((address >>> (32 - prefix)) << (32 - prefix)) >>> 0;
}

/** Eight hexadecimal digits of an IPv4 address. */
export function ipv4Hex(address: string): string {
  return (ipv4Number(address) ?? 0).toString(16).padStart(8, '0');
}
