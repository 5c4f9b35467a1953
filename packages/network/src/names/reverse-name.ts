/**
 * Names of addresses: `4.9.0.10.in-addr.arpa`, and the long form of IPv6.
 *
 * **Source:** RFC 1035 section 3.5, RFC 3596 section 2.5.
 */
import ipaddr from 'ipaddr.js';
import { isIpv4 } from '../table/ipv4.js';

const IPV4_SUFFIX = '.in-addr.arpa';
const IPV6_SUFFIX = '.ip6.arpa';

/** The address that a reverse name stands for; undefined when it is none. Lower case is assumed. */
export function reverseAddress(name: string): string | undefined {
  if (name.endsWith(IPV4_SUFFIX)) {
    const address = name.slice(0, -IPV4_SUFFIX.length).split('.').reverse().join('.');
    return isIpv4(address) && !address.includes('/') ? address : undefined;
  }
  if (!name.endsWith(IPV6_SUFFIX)) return undefined;
  const digits = name.slice(0, -IPV6_SUFFIX.length).split('.').reverse();
  if (digits.length !== 32 || digits.some((digit) => !/^[0-9a-f]$/.test(digit))) return undefined;
  const groups = digits.join('').match(/.{4}/g) ?? [];
  return ipaddr.parse(groups.join(':')).toString();
}

/** The reverse name of an address; undefined for text that is no address. */
export function reverseName(address: string): string | undefined {
  if (isIpv4(address)) return `${address.split('.').reverse().join('.')}${IPV4_SUFFIX}`;
  if (!ipaddr.IPv6.isValid(address)) return undefined;
  const digits = ipaddr.IPv6.parse(address)
    .toByteArray()
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
  return `${[...digits].reverse().join('.')}${IPV6_SUFFIX}`;
}
