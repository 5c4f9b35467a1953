/**
 * The addresses of a cluster whose nodes are namespaces: a /24 of 10.90.0.0/16 for each cluster on
 * the machine, its first address the machine's own, those of the nodes from .11 on.
 */
import { SkepError } from '@skep/api';
import { arePrefixesOverlapping, parsePrefix } from '@skep/network';

/** Nodes of one cluster, at most: .11 to .250. */
export const NODES_MAX = 240;

const FIRST_NODE = 11;

/**
 * The first /24 that overlaps nothing in use.
 * @param inUse - subnets in CIDR form; texts that are none are passed over.
 * @throws resource-exhausted when there is none.
 */
export function freeSubnet(inUse: readonly string[]): string {
  const taken = inUse.flatMap((text) => parsePrefix(text) ?? []);
  for (let number = 0; number < 256; number += 1) {
    const subnet = `10.90.${number}.0/24`;
    const prefix = parsePrefix(subnet);
    if (prefix === undefined) break;
    if (taken.every((other) => !arePrefixesOverlapping(prefix, other))) return subnet;
  }
  const text =
    'no /24 of 10.90.0.0/16 is free on this machine for the nodes of a cluster: ip route tells ' +
    'what has them';
  throw new SkepError('resource-exhausted', text);
}

/** The machine's address in the subnet, CIDR form. */
export function machineAddress(subnet: string): string {
  return `${hostPart(subnet)}.1/24`;
}

/** Address of the node of this number, from 1, without prefix length. */
export function nodeAddress(subnet: string, number: number): string {
  return `${hostPart(subnet)}.${FIRST_NODE + number - 1}`;
}

function hostPart(subnet: string): string {
  return subnet.split('.').slice(0, 3).join('.');
}

/**
 * Subnets that this machine has a way to, from what `ip -j route` lists; a default route is none.
 */
export function routedSubnets(
  listing: string,
  isOurs: (interfaceName: string) => boolean,
): readonly string[] {
  const routes = JSON.parse(listing === '' ? '[]' : listing) as readonly {
    readonly dst?: string;
    readonly dev?: string;
  }[];
  return routes.flatMap(({ dst = 'default', dev = '' }) => {
    if (dst === 'default' || isOurs(dev)) return [];
    return [dst.includes('/') ? dst : `${dst}/32`];
  });
}
