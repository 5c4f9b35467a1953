/**
 * Values of nft by type, each in one form only, so that equal values are equal texts.
 */
import { ipText, isIpv6, ipRange, isInIpRange } from '../../table/ip.js';

/** Types of values that our texts use. */
export type ValueType =
  | 'ipv4_addr'
  | 'ipv6_addr'
  | 'inet_proto'
  | 'inet_service'
  | 'ether_addr'
  | 'mark'
  | 'integer'
  | 'ifname'
  | 'name';

/** Types that may be named in a declaration. */
export const DECLARED_TYPES: readonly ValueType[] = [
  'ipv4_addr',
  'ipv6_addr',
  'inet_proto',
  'inet_service',
  'ether_addr',
  'mark',
];

/** Names that protocols go by. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  '6': 'tcp',
  '17': 'udp',
  '132': 'sctp',
  '1': 'icmp',
  '58': 'ipv6-icmp',
  icmpv6: 'ipv6-icmp',
};

/** Names of a value list: what a word may be; undefined: anything. */
const NAMES = /^[a-z][a-z0-9_-]*$/;

/** The one form of a value of a type; undefined when the text is none. */
export function canonical(type: ValueType, text: string): string | undefined {
  switch (type) {
    case 'ipv4_addr':
      return isAddress(text, 4) ? text : undefined;
    case 'ipv6_addr':
      return isAddress(text, 6) ? ipText(text) : undefined;
    case 'inet_proto': {
      const name = PROTOCOLS[text] ?? text;
      return NAMES.test(name) ? name : undefined;
    }
    case 'inet_service':
      return wholeNumber(text, 65_535);
    case 'mark':
    case 'integer':
      return wholeNumber(text, 0xffff_ffff);
    case 'ether_addr':
      return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text) ? text.toLowerCase() : undefined;
    case 'ifname':
      return text.replace(/^"(.*)"$/, '$1');
    case 'name':
      return NAMES.test(text) ? text : undefined;
  }
}

function wholeNumber(text: string, max: number): string | undefined {
  const value = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : Number.NaN;
  return value >= 0 && value <= max ? String(value) : undefined;
}

function isAddress(text: string, family: 4 | 6): boolean {
  if (text.includes('/') || isIpv6(text) !== (family === 6)) return false;
  try {
    ipRange(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether values of a type are in what stands on the right of a comparison. */
export type Membership = (value: string) => boolean;

/** The values that a word stands for: one, or a range of addresses; undefined for neither. */
export function membership(type: ValueType, text: string): Membership | undefined {
  if ((type === 'ipv4_addr' || type === 'ipv6_addr') && text.includes('/')) {
    try {
      const range = ipRange(text);
      return (value) => isInIpRange(value, range);
    } catch {
      return undefined;
    }
  }
  const only = canonical(type, text);
  return only === undefined ? undefined : (value) => value === only;
}
