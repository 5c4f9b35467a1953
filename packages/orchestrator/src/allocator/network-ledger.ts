/**
 * The addresses of one network, over all its subnets and both families.
 */
import type { AllocatedSubnet, Labels, Network, NetworkId } from '@skep/api';
import { AddressSpace, withoutPrefix, type TakeResult } from '@skep/network';

/** Reserved addresses of a network, whatever subnet they are in. */
export function auxiliaryAddresses(network: Network): readonly string[] {
  const names: readonly Labels[] = (network.spec.ipam?.configs ?? []).map(
    (config) => config.auxiliaryAddresses ?? {},
  );
  return names.flatMap((labels) => Object.values(labels));
}

/**
 * The used addresses of a network.
 *
 * Its subnets form segments: the first of each family together, the second together, and so on;
 * dual-stack networks have as many of either. An allocation takes one address of each family from
 * one segment, the first that has them.
 *
 * Claims are counted: the store may say for a moment that an address belongs to two (an object that
 * gives it up and the quarantine that it goes to are one commit but two events).
 */
export class NetworkLedger {
  readonly networkId: NetworkId;
  /** In the order of `status.subnets`. */
  readonly #spaces: readonly AddressSpace[];
  readonly #segments: readonly (readonly AddressSpace[])[];
  /** Claims beyond the first, by plain address. */
  readonly #extra = new Map<string, number>();

  constructor(network: Network) {
    this.networkId = network.meta.id;
    const auxiliary = auxiliaryAddresses(network);
    this.#spaces = network.status.subnets.map((subnet) => spaceOf(subnet, auxiliary));
    this.#segments = segmentsOf(this.#spaces);
  }

  /** Whether the network has addresses to give at all. */
  get hasSubnets(): boolean {
    return this.#spaces.length > 0;
  }

  /** Notes that the address is somebody's. Addresses of other networks are left alone. */
  claim(address: string): void {
    const space = this.#spaceOf(address);
    if (space === undefined || space.take(address) === 'taken') return;
    const plain = withoutPrefix(address);
    this.#extra.set(plain, (this.#extra.get(plain) ?? 0) + 1);
  }

  /** Takes back a claim. */
  unclaim(address: string): void {
    const plain = withoutPrefix(address);
    const extra = this.#extra.get(plain) ?? 0;
    if (extra > 1) this.#extra.set(plain, extra - 1);
    else if (extra === 1) this.#extra.delete(plain);
    else this.#spaceOf(address)?.release(address);
  }

  /**
   * Takes the next address of each family, IPv4 first, in CIDR form; undefined when no segment has
   * one of each, and then nothing changed.
   */
  allocate(): readonly string[] | undefined {
    for (const segment of this.#segments) {
      const before = segment.map((space) => space.lastAddress);
      const given = segment.map((space) => space.next());
      if (given.every((address) => address !== undefined)) {
        return given.map((address, at) => segment[at]?.withPrefix(address) ?? address);
      }
      for (const [at, space] of segment.entries()) {
        const address = given[at];
        if (address !== undefined) space.release(address);
        space.lastAddress = before[at] ?? '';
      }
    }
    return undefined;
  }

  /** Takes a certain address; gives its CIDR form, or why it cannot be had. */
  take(address: string): { readonly address: string } | Exclude<TakeResult, 'taken'> {
    const space = this.#spaceOf(address);
    if (space === undefined) return 'outside';
    const result = space.take(address);
    return result === 'taken' ? { address: space.withPrefix(address) } : result;
  }

  /** The address given last in each subnet, in their order. */
  get lastAddresses(): readonly string[] {
    return this.#spaces.map((space) => space.lastAddress);
  }

  set lastAddresses(addresses: readonly string[]) {
    for (const [at, space] of this.#spaces.entries()) space.lastAddress = addresses[at] ?? '';
  }

  /** Claimed addresses, each counted once. */
  get taken(): number {
    return this.#spaces.reduce((sum, space) => sum + space.taken, 0);
  }

  #spaceOf(address: string): AddressSpace | undefined {
    return this.#spaces.find((space) => space.holds(address));
  }
}

function spaceOf(subnet: AllocatedSubnet, auxiliary: readonly string[]): AddressSpace {
  const whole = new AddressSpace({ subnet: subnet.subnet });
  return new AddressSpace({
    subnet: subnet.subnet,
    gateway: subnet.gateway,
    ...(subnet.ipRange === undefined ? {} : { ipRange: subnet.ipRange }),
    reserved: auxiliary.filter((address) => whole.holds(address)),
    lastAddress: subnet.lastAddress,
  });
}

function segmentsOf(spaces: readonly AddressSpace[]): readonly (readonly AddressSpace[])[] {
  const families = [
    spaces.filter((space) => space.prefix.bits === 32),
    spaces.filter((space) => space.prefix.bits === 128),
  ].filter((family) => family.length > 0);
  const [first = []] = families;
  return first.map((_, at) =>
    families.flatMap((family) => {
      const space = family[at];
      return space === undefined ? [] : [space];
    }),
  );
}
