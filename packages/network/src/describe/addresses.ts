/**
 * Addresses of both families of one thing, as people read them.
 */
import { addressOf } from '../table/ipv4.js';

/** Without prefix lengths, IPv4 first as given; empty when there is none. */
export function plainAddresses(...addresses: readonly (string | undefined)[]): readonly string[] {
  return addresses.flatMap((address) => (address === undefined ? [] : [addressOf(address)]));
}

/** The same in one cell; undefined when there is none. */
export function addressesText(...addresses: readonly (string | undefined)[]): string | undefined {
  const plain = plainAddresses(...addresses);
  return plain.length === 0 ? undefined : plain.join(' ');
}
