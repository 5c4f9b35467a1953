/**
 * What a virtual address or a published port comes to in nftables: the key by which packets find
 * it, how a backend is drawn, and who holds which slot.
 */
import { isIpv6 } from '../table/ip.js';
import type { IngressPort, TableContent, VipTable } from '../table/node-tables.js';
import { slotOwners, type Choice } from './slots.js';

/**
 * Up to this many services, all that are asked in turn have a counter of their own; beyond, they
 * draw at random. Larger: exact turns for more, and dearer changes, for each service is a chain:
 * measured, see docs/nftables.md.
 */
export const TURN_SERVICES_MAX = 256;

/** See the module comment. */
export interface NftService {
  readonly family: 4 | 6;
  /** As text of nft: `10.0.1.2`, or `tcp . 8080`. */
  readonly key: string;
  readonly choice: Choice;
  /** Backend of each slot; empty: nobody takes connections, and they are refused. */
  readonly owners: readonly string[];
}

/** Services of a namespace by the sets they stand in. */
export interface NftServiceSets {
  /** `vips` in an overlay, `ports` in the ingress sandbox; with the family's number behind it. */
  readonly draws: 'vips' | 'ports';
  /** What a rule looks services up by, and slots together with the number drawn. */
  readonly selector: Readonly<Record<4 | 6, string>>;
}

/** The two kinds of namespace that balance. */
export const OVERLAY_SETS: NftServiceSets = Object.freeze({
  draws: 'vips',
  selector: Object.freeze({ 4: 'ip daddr', 6: 'ip6 daddr' }),
});

/** See {@link OVERLAY_SETS}. */
export const INGRESS_SETS: NftServiceSets = Object.freeze({
  draws: 'ports',
  selector: Object.freeze({ 4: 'meta l4proto . th dport', 6: 'meta l4proto . th dport' }),
});

/** Whether services of a namespace that has so many take exact turns. */
export function takesTurns(services: number): boolean {
  return services <= TURN_SERVICES_MAX;
}

/** A virtual address of an overlay. */
export function vipService(vip: VipTable, isInTurn: boolean): NftService {
  return balanced(vip, vip.address, isInTurn);
}

/** What a published port leads to, by family; nothing while its service has no backends. */
export function portServices(
  tables: TableContent,
  port: IngressPort | undefined,
  isInTurn: boolean,
): readonly NftService[] {
  if (port === undefined) return [];
  const { vips } = tables.networks.get(port.networkId) ?? {};
  return [port.virtualAddress, port.virtualAddress6].flatMap((address) => {
    const vip = address === undefined ? undefined : vips?.get(address);
    if (vip === undefined) return [];
    return [balanced(vip, `${port.protocol} . ${port.publishedPort}`, isInTurn)];
  });
}

/**
 * Clients are bound by a hash of their address where that is asked for. Least connections cannot
 * be had: such a service is refused when it is declared, and one that was admitted for another
 * dataplane is served in turn.
 */
function balanced(vip: VipTable, key: string, isInTurn: boolean): NftService {
  const isHashed =
    vip.algorithm === 'source-hash' || vip.algorithm === 'maglev' || vip.affinity !== undefined;
  const choice: Choice = isHashed ? 'hash' : isInTurn ? 'turn' : 'random';
  return {
    family: isIpv6(vip.address) ? 6 : 4,
    key,
    choice,
    owners: slotOwners(vip.backends, choice),
  };
}

/**
 * The chain of a service that takes turns: the counter is that of the rule in it. Undefined when
 * there is none.
 */
export function turnChain(service: NftService | undefined): string | undefined {
  if (service?.choice !== 'turn' || service.owners.length === 0) return undefined;
  return `turn${service.family}-${service.key.replace(/ \. /g, '-').replace(/:/g, '_')}`;
}

/**
 * The mark that says how a backend of the service is drawn; undefined when it takes turns, or has
 * nobody to draw. A mark and no verdict: when a map that leads to chains changes, the kernel looks
 * through all of it.
 */
export function drawMark(service: NftService | undefined): string | undefined {
  if (service === undefined || service.choice === 'turn') return undefined;
  const size = service.owners.length;
  if (size === 0) return undefined;
  // With one slot there is nothing to draw.
  return markOfDraw(size === 1 ? 'random' : service.choice, size);
}

/** The mark of a way to draw. */
export function markOfDraw(choice: Choice, size: number): string {
  return `0x${((choice === 'hash' ? 0x10000 : 0) + size).toString(16)}`;
}
