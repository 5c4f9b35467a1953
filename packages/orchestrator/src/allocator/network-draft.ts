/**
 * A network as a pass will leave it.
 */
import {
  withMeta,
  withStatus,
  type Network,
  type NetworkStatus,
  type QuarantinedAddress,
  type StoredObject,
} from '@skep/api';

/** Most addresses in quarantine at a time; beyond them the oldest are freed early. */
export const QUARANTINE_MAX = 4096;

/** Until when an address is held of which tables may still know: no time, a fact is waited for. */
export const HELD = Number.MAX_SAFE_INTEGER;

/** Collects what becomes of one network in one pass. */
export class NetworkDraft {
  readonly network: Network;
  /** By time, those that are held last. */
  quarantine: readonly QuarantinedAddress[];
  /** Fields of the status that are set outright. */
  status: Partial<NetworkStatus> = {};
  finalizers: readonly string[] | undefined;
  /** Addresses in {@link quarantine}, once anybody asked. */
  #addresses: Set<string> | undefined;

  constructor(network: Network) {
    this.network = network;
    this.quarantine = network.status.quarantine;
  }

  /** Adds an address unless it is there; gives what takes it back. */
  addQuarantine(entry: QuarantinedAddress): () => void {
    this.#addresses ??= new Set(this.quarantine.map(({ address }) => address));
    const addresses = this.#addresses;
    const before = this.quarantine;
    if (addresses.has(entry.address)) return () => undefined;
    addresses.add(entry.address);
    const kept = before.length < QUARANTINE_MAX ? before : dropOldest(before);
    this.quarantine = insert(kept, entry);
    return () => {
      this.quarantine = before;
      addresses.delete(entry.address);
    };
  }

  /**
   * The network as it should be written, undefined when nothing about it changed.
   * `lastAddresses`: where the search for free addresses goes on, for each subnet.
   */
  result(lastAddresses: readonly string[]): StoredObject | undefined {
    const { network } = this;
    const subnets = this.status.subnets ?? network.status.subnets;
    const moved = subnets.map((subnet, at) => {
      const lastAddress = this.status.subnets === undefined ? lastAddresses[at] : undefined;
      return lastAddress === undefined || lastAddress === subnet.lastAddress
        ? subnet
        : { ...subnet, lastAddress };
    });
    const isMoved = moved.some((subnet, at) => subnet !== network.status.subnets[at]);
    const status: NetworkStatus = {
      ...network.status,
      ...this.status,
      ...(isMoved ? { subnets: moved } : {}),
      quarantine: this.quarantine,
    };
    const isSame =
      this.finalizers === undefined &&
      !isMoved &&
      (Object.keys(status) as (keyof NetworkStatus)[]).every(
        (field) => status[field] === network.status[field],
      );
    if (isSame) return undefined;
    const next = withStatus(network, status);
    return this.finalizers === undefined ? next : withMeta(next, { finalizers: this.finalizers });
  }
}

function insert(
  quarantine: readonly QuarantinedAddress[],
  entry: QuarantinedAddress,
): readonly QuarantinedAddress[] {
  // From the end: most entries belong there, or before the few that are held.
  const at = quarantine.findLastIndex(({ until }) => until <= entry.until) + 1;
  return [...quarantine.slice(0, at), entry, ...quarantine.slice(at)];
}

/** Drops the first that is not held: what is held may be in tables. */
function dropOldest(quarantine: readonly QuarantinedAddress[]): readonly QuarantinedAddress[] {
  const oldest = quarantine.findIndex(({ removedIn }) => removedIn === undefined);
  return oldest < 0
    ? quarantine
    : [...quarantine.slice(0, oldest), ...quarantine.slice(oldest + 1)];
}
