/**
 * Which subnet a network gets when it does not ask for one.
 *
 * **Source:** libnetwork ipams/defaultipam/address_space.go, its rules and its table of cases.
 */
import { SkepError } from '@skep/api';
import {
  arePrefixesOverlapping,
  comparePrefixes,
  formatPrefix,
  holdsPrefix,
  lastOf,
  parseInterface,
  parsePrefix,
  prefixOf,
  prefixSize,
  type IpPrefix,
} from './ip-prefix.js';
import type { AddressBits } from './ip-address.js';

/** A range that subnets are cut from. */
export interface AddressPool {
  /** CIDR form. The cutting starts at the address as written, though host bits be set. */
  readonly base: string;
  /** Prefix length of the subnets. */
  readonly size: number;
}

/** What a subnet is wanted for. */
export interface SubnetRequest {
  /** Default: 32. */
  readonly bits?: AddressBits;
  /** Prefix length. Default: the size of the pool. */
  readonly length?: number;
  /** Ranges to leave alone though nobody was given them. */
  readonly reserved?: readonly IpPrefix[];
}

interface Pool {
  readonly prefix: IpPrefix;
  /** Where the cutting starts: the base with its host bits. */
  readonly start: bigint;
  readonly size: number;
  /** All subnets of the pool's own size below this value are used. */
  hint: bigint;
}

/** Shortest subnet that a network can be cut to: network, broadcast, gateway, one address. */
export const SUBNET_PREFIX_MAX = 29;

/** Prefix length of the IPv6 subnets that are cut. **Source:** RFC 4291 section 2.5.4. */
export const SUBNET6_PREFIX = 64;

/**
 * The pools of a cluster and the ranges that are used.
 *
 * A pool that lies in another one is dropped, the larger stays. Used ranges may overlap one another
 * and may be added several times; each needs as many removals.
 * Cost: O(log n) to add and to remove, plus the move of an array; a choice passes the used ranges
 * of the pool from where the last choice ended.
 */
export class SubnetPool {
  readonly #pools: Pool[];
  /** Used ranges in order, equal ones side by side. */
  readonly #used: IpPrefix[] = [];
  readonly #counts = new Map<string, number>();

  /** @throws invalid-argument (`details.reason`: `invalid-pool`) for a pool that cannot be cut. */
  constructor(pools: readonly AddressPool[]) {
    this.#pools = dropContained(pools.map(readPool));
  }

  /** The pools that are left, in order, for people: `10.0.0.0/8`. */
  get pools(): readonly string[] {
    return this.#pools.map((pool) => formatPrefix(pool.prefix));
  }

  /** Notes that a range is used. */
  add(prefix: IpPrefix): void {
    this.#used.splice(this.#lowerBound(prefix), 0, prefix);
    const key = formatPrefix(prefix);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** Notes that a range is used no more. False when it was not. */
  remove(prefix: IpPrefix): boolean {
    const at = this.#lowerBound(prefix);
    const found = this.#used[at];
    if (found === undefined || comparePrefixes(found, prefix) !== 0) return false;
    this.#used.splice(at, 1);
    const key = formatPrefix(prefix);
    const count = this.#counts.get(key) ?? 0;
    if (count > 1) this.#counts.set(key, count - 1);
    else this.#counts.delete(key);
    for (const pool of this.#pools) {
      if (prefix.bits === pool.prefix.bits && prefix.value < pool.hint) pool.hint = prefix.value;
    }
    return true;
  }

  /** A used range that shares addresses with this one, the largest around it or the first in it. */
  overlapping(prefix: IpPrefix): IpPrefix | undefined {
    for (let length = 0; length <= prefix.length; length += 1) {
      const around = prefixOf(prefix, length);
      if (this.#counts.has(formatPrefix(around))) return around;
    }
    const next = this.#used[this.#lowerBound(prefix)];
    return next !== undefined && holdsPrefix(prefix, next) ? next : undefined;
  }

  /**
   * The first free subnet of the pools, in their order. It is not added.
   * @throws resource-exhausted (`no-more-subnets`) when all are used; invalid-argument
   * (`invalid-pool`) when the wanted length fits into no pool.
   */
  choose(request: SubnetRequest = {}): IpPrefix {
    const bits = request.bits ?? 32;
    const pools = this.#pools.filter((pool) => pool.prefix.bits === bits);
    const fitting = pools.filter((pool) => (request.length ?? pool.size) >= pool.prefix.length);
    if (
      (request.length !== undefined && request.length > bits) ||
      (pools.length > 0 && fitting.length === 0)
    ) {
      throw new SkepError('invalid-argument', `no pool can be cut by /${request.length}`, {
        details: { reason: 'invalid-pool' },
      });
    }
    for (const pool of fitting) {
      const found = this.#firstGap(pool, request);
      if (found !== undefined) return found;
    }
    throw new SkepError('resource-exhausted', exhausted(bits, pools, request.length), {
      details: { reason: 'no-more-subnets' },
    });
  }

  #firstGap(pool: Pool, request: SubnetRequest): IpPrefix | undefined {
    const length = request.length ?? pool.size;
    const { bits } = pool.prefix;
    const reserved = (request.reserved ?? []).filter((prefix) => prefix.bits === bits);
    const isOwnSize = length === pool.size;
    const size = prefixSize({ bits, length });
    const end = lastOf(pool.prefix);
    let at = alignUp(isOwnSize ? maxOf(pool.start, pool.hint) : pool.start, size);
    at = this.#skipUsed({ bits, value: at, length }, size);
    // What is reserved is so for this request alone: the hint stays before it.
    if (isOwnSize && at > pool.hint) pool.hint = at;
    while (at + size - 1n <= end) {
      const candidate = { bits, value: at, length };
      const clash = reserved.find((prefix) => arePrefixesOverlapping(prefix, candidate));
      if (clash === undefined) break;
      const next = alignUp(lastOf(clash) + 1n, size);
      at = this.#skipUsed({ bits, value: next, length }, size);
    }
    return at + size - 1n <= end ? { bits, value: at, length } : undefined;
  }

  /** Moves on from a candidate until no used range overlaps it. */
  #skipUsed(candidate: IpPrefix, size: bigint): bigint {
    let at = candidate.value;
    for (let length = 0; length < candidate.length; length += 1) {
      const around = prefixOf(candidate, length);
      if (!this.#counts.has(formatPrefix(around))) continue;
      at = alignUp(lastOf(around) + 1n, size);
      break;
    }
    const from = { bits: candidate.bits, value: candidate.value, length: 0 };
    for (let i = this.#lowerBound(from); i < this.#used.length; i += 1) {
      const used = this.#used[i];
      if (used === undefined || used.bits !== candidate.bits || used.value > at + size - 1n) break;
      if (lastOf(used) >= at) at = alignUp(lastOf(used) + 1n, size);
    }
    return at;
  }

  #lowerBound(prefix: IpPrefix): number {
    let low = 0;
    let high = this.#used.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const used = this.#used[middle];
      if (used !== undefined && comparePrefixes(used, prefix) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Pools from the settings of a cluster: IPv4 ranges are cut by `subnetPrefix`, IPv6 ranges by /64;
 * a range that is smaller than that is one subnet.
 * @throws invalid-argument for a range that is none, or a prefix length beyond 29.
 */
export function poolsOf(ranges: readonly string[], subnetPrefix: number): readonly AddressPool[] {
  if (!Number.isInteger(subnetPrefix) || subnetPrefix < 1 || subnetPrefix > SUBNET_PREFIX_MAX) {
    throw invalidPool(`subnet prefix ${subnetPrefix} is not between 1 and ${SUBNET_PREFIX_MAX}`);
  }
  return ranges.map((base) => {
    const prefix = parsePrefix(base);
    if (prefix === undefined) throw invalidPool(`pool '${base}' is not a range as 10.0.0.0/8`);
    const size = prefix.bits === 32 ? subnetPrefix : SUBNET6_PREFIX;
    return { base, size: Math.max(size, prefix.length) };
  });
}

function readPool(pool: AddressPool): Pool {
  const written = parseInterface(pool.base);
  if (written === undefined) throw invalidPool(`pool '${pool.base}' is not a range as 10.0.0.0/8`);
  const prefix = prefixOf(written.address, written.length);
  if (pool.size < prefix.length || pool.size > prefix.bits) {
    throw invalidPool(`pool ${pool.base} cannot be cut by /${pool.size}`);
  }
  return { prefix, start: written.address.value, size: pool.size, hint: 0n };
}

/** Drops pools that lie in another; of equal ones the first stays. */
function dropContained(pools: readonly Pool[]): Pool[] {
  return pools.filter((pool, at) =>
    pools.every((other, otherAt) => {
      if (at === otherAt || !holdsPrefix(other.prefix, pool.prefix)) return true;
      return other.prefix.length === pool.prefix.length && otherAt > at;
    }),
  );
}

function alignUp(value: bigint, size: bigint): bigint {
  return ((value + size - 1n) / size) * size;
}

function maxOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function invalidPool(message: string): SkepError {
  return new SkepError('invalid-argument', message, { details: { reason: 'invalid-pool' } });
}

function exhausted(bits: AddressBits, pools: readonly Pool[], length: number | undefined): string {
  if (pools.length === 0) {
    return `no ${bits === 32 ? 'IPv4' : 'IPv6'} pool: add a range to the cluster's addressPools`;
  }
  const sizes = [...new Set(pools.map((pool) => `/${length ?? pool.size}`))].join(' or ');
  const ranges = pools.map((pool) => formatPrefix(pool.prefix)).join(', ');
  return `no free ${sizes} in the address pools ${ranges}`;
}
