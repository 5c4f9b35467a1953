/**
 * The addresses of one subnet: which are taken, and which comes next.
 *
 * **Source:** libnetwork ipams/defaultipam, serial mode: *next fit*. The search goes on after the
 * address given last and wraps, so that a freed address is not given again at once.
 */
import { SkepError } from '@skep/api';
import { formatIp, formatIpv4, parseIp, parseIpv4, withoutPrefix } from './ip-address.js';
import {
  formatPrefix,
  holdsAddress,
  holdsPrefix,
  parsePrefix,
  prefixSize,
  type IpPrefix,
} from './ip-prefix.js';
import { SparseBitmap } from './sparse-bitmap.js';

/** What a subnet is made from. */
export interface AddressSpaceOptions {
  /** CIDR form; host bits are masked off. */
  readonly subnet: string;
  /** Default: the first address of the range that addresses come from. */
  readonly gateway?: string;
  /** Part of the subnet that {@link AddressSpace.next} draws from. Default: all of it. */
  readonly ipRange?: string;
  /** Addresses that are never given: auxiliary addresses of a network. */
  readonly reserved?: readonly string[];
  /** The address given last. Default: none, so that the search starts at the beginning. */
  readonly lastAddress?: string;
}

/** Outcome of asking for a certain address. */
export type TakeResult = 'taken' | 'in-use' | 'reserved' | 'outside';

/** Subnets larger than this many addresses give dynamic addresses from their beginning only. */
const WINDOW_BITS = 48;

/**
 * The addresses of one subnet, IPv4 or IPv6.
 *
 * The first address is never given, nor the last of an IPv4 subnet, except in subnets of one or two
 * addresses. The gateway and the auxiliary addresses are reserved.
 *
 * The set of taken addresses plus {@link lastAddress} is all its state: a space that is built again
 * from these two gives the same addresses from then on.
 * Cost: O(log n) for each operation, near exhaustion too; memory in proportion to the blocks of
 * 1024 addresses that are neither empty nor full.
 */
export class AddressSpace {
  readonly prefix: IpPrefix;
  /** The subnet in CIDR form. */
  readonly subnet: string;
  /** Plain form. */
  readonly gateway: string;
  readonly ipRange: string | undefined;
  readonly #suffix: string;
  readonly #base4: number | undefined;
  readonly #size: number;
  readonly #used: SparseBitmap;
  /** Taken addresses beyond the window of a very large subnet, by value. */
  readonly #far = new Set<bigint>();
  readonly #reserved = new Set<number>();
  /** First ordinal that is given, and the one after the last. */
  readonly #first: number;
  readonly #end: number;
  #given = 0;
  #last: number;

  /** @throws invalid-argument when the parts do not fit together; `details.reason` says which. */
  constructor(options: AddressSpaceOptions) {
    const prefix = parsePrefix(options.subnet);
    if (prefix === undefined) {
      throw invalid('subnet', `subnet '${options.subnet}' is not a range such as 10.0.9.0/24`);
    }
    this.prefix = prefix;
    this.subnet = formatPrefix(prefix);
    this.#suffix = `/${prefix.length}`;
    this.#base4 = prefix.bits === 32 ? Number(prefix.value) : undefined;
    const hostBits = prefix.bits - prefix.length;
    this.#size = 2 ** Math.min(hostBits, WINDOW_BITS);
    this.#used = new SparseBitmap(this.#size);
    [this.#first, this.#end] = this.#rangeOf(options.ipRange);
    this.ipRange = options.ipRange;
    if (hostBits > 1) this.#reserve(0);
    if (hostBits > 1 && prefix.bits === 32) this.#reserve(this.#size - 1);
    for (const address of options.reserved ?? []) {
      this.#reserve(this.#ordinalIn('auxiliary address', address));
    }
    const gateway =
      options.gateway === undefined
        ? this.#used.nextGap(this.#first, this.#end)
        : this.#ordinalIn('gateway', options.gateway);
    if (gateway < 0) throw invalid('ip-range', `subnet ${this.subnet} has no room for a gateway`);
    this.#reserve(gateway);
    this.gateway = this.#format(gateway);
    this.#last = options.gateway === undefined ? gateway : this.#first - 1;
    if (options.lastAddress !== undefined) this.lastAddress = options.lastAddress;
  }

  /**
   * Takes the next free address after the one given last; undefined when all are taken.
   * Plain form; {@link withPrefix} makes it the form that interfaces use.
   */
  next(): string | undefined {
    if (this.available === 0) return undefined;
    let ordinal = this.#used.nextGap(Math.max(this.#last + 1, this.#first), this.#end);
    if (ordinal < 0) ordinal = this.#used.nextGap(this.#first, this.#end);
    if (ordinal < 0) return undefined;
    this.#add(ordinal);
    this.#last = ordinal;
    return this.#format(ordinal);
  }

  /** Takes a certain address of the subnet. The order of {@link next} does not change. */
  take(address: string): TakeResult {
    const ordinal = this.#ordinal(address);
    if (ordinal === undefined) return 'outside';
    if (typeof ordinal === 'bigint') {
      if (this.#far.has(ordinal)) return 'in-use';
      this.#far.add(ordinal);
      return 'taken';
    }
    if (this.#reserved.has(ordinal)) return 'reserved';
    return this.#add(ordinal) ? 'taken' : 'in-use';
  }

  /** Gives an address back. False when it was not taken, is reserved or lies elsewhere. */
  release(address: string): boolean {
    const ordinal = this.#ordinal(address);
    if (ordinal === undefined) return false;
    if (typeof ordinal === 'bigint') return this.#far.delete(ordinal);
    if (this.#reserved.has(ordinal) || !this.#used.delete(ordinal)) return false;
    if (this.#isDynamic(ordinal)) this.#given -= 1;
    return true;
  }

  /** Whether the address is taken or reserved. False for addresses of other subnets. */
  has(address: string): boolean {
    const ordinal = this.#ordinal(address);
    if (ordinal === undefined) return false;
    return typeof ordinal === 'bigint' ? this.#far.has(ordinal) : this.#used.has(ordinal);
  }

  /** Whether the address lies in the subnet. */
  holds(address: string): boolean {
    return this.#ordinal(address) !== undefined;
  }

  /** CIDR form of an address of the subnet: `10.0.9.3` gives `10.0.9.3/24`. */
  withPrefix(address: string): string {
    return withoutPrefix(address) + this.#suffix;
  }

  /** Addresses taken, reserved ones not counted. */
  get taken(): number {
    return this.#used.count - this.#reserved.size + this.#far.size;
  }

  /** Addresses that {@link next} can still give. */
  get available(): number {
    return this.#end - this.#first - this.#given;
  }

  /** The address given last; the subnet's first address when none was. */
  get lastAddress(): string {
    return this.#format(Math.max(this.#last, 0));
  }

  /** Sets where the search goes on. An address outside the range starts it at the beginning. */
  set lastAddress(address: string) {
    const ordinal = this.#ordinal(address);
    this.#last =
      typeof ordinal === 'number' && this.#isDynamic(ordinal) ? ordinal : this.#first - 1;
  }

  #add(ordinal: number): boolean {
    if (!this.#used.add(ordinal)) return false;
    if (this.#isDynamic(ordinal)) this.#given += 1;
    return true;
  }

  #reserve(ordinal: number): void {
    this.#reserved.add(ordinal);
    this.#add(ordinal);
  }

  #isDynamic(ordinal: number): boolean {
    return ordinal >= this.#first && ordinal < this.#end;
  }

  #rangeOf(ipRange: string | undefined): [number, number] {
    if (ipRange === undefined) return [0, this.#size];
    const range = parsePrefix(ipRange);
    if (range === undefined || !holdsPrefix(this.prefix, range)) {
      throw invalid('ip-range', `range '${ipRange}' does not lie in subnet ${this.subnet}`);
    }
    const first = range.value - this.prefix.value;
    if (first >= BigInt(this.#size)) {
      throw invalid('ip-range', `range '${ipRange}' starts beyond 2^${WINDOW_BITS} addresses`);
    }
    return [Number(first), Math.min(Number(first + prefixSize(range)), this.#size)];
  }

  #ordinalIn(what: string, address: string): number {
    const ordinal = this.#ordinal(address);
    if (typeof ordinal === 'number') return ordinal;
    const reason = what === 'gateway' ? 'gateway' : 'reserved';
    throw invalid(reason, `${what} '${address}' does not lie in subnet ${this.subnet}`);
  }

  /** Place of the address in the subnet; a bigint value beyond the window. */
  #ordinal(address: string): number | bigint | undefined {
    const plain = withoutPrefix(address);
    if (this.#base4 !== undefined) {
      const value = parseIpv4(plain);
      if (value === undefined) return undefined;
      const ordinal = value - this.#base4;
      return ordinal >= 0 && ordinal < this.#size ? ordinal : undefined;
    }
    const parsed = parseIp(plain);
    if (parsed === undefined || !holdsAddress(this.prefix, parsed)) return undefined;
    const offset = parsed.value - this.prefix.value;
    return offset < BigInt(this.#size) ? Number(offset) : parsed.value;
  }

  #format(ordinal: number): string {
    return this.#base4 === undefined
      ? formatIp({ bits: 128, value: this.prefix.value + BigInt(ordinal) })
      : formatIpv4(this.#base4 + ordinal);
  }
}

function invalid(reason: string, message: string): SkepError {
  return new SkepError('invalid-argument', message, { details: { reason } });
}
