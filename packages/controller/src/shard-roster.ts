/**
 * Which members of a group are there, as seen from one of them.
 */
import { compareText, Lease, type Timestamp } from '@skep/api';
import type { View } from '@skep/store';
import { LeaseObservation } from './lease-claim.js';
import type { ShardLeases } from './shard-plan.js';

/** Leases of members that have been away for so long may be deleted. */
const FORGET_MS = 3_600_000;

/** Judges members by the time at which a change of their leases was seen here. */
export class ShardRoster {
  readonly #leases: ShardLeases;
  readonly #identity: string;
  readonly #seen = new Map<string, LeaseObservation>();
  #live: readonly string[];

  constructor(leases: ShardLeases, identity: string) {
    this.#leases = leases;
    this.#identity = identity;
    this.#live = [identity];
  }

  /** Members that were there at the last look, this one among them, by name. */
  get live(): readonly string[] {
    return this.#live;
  }

  /** Looks at all leases of members; gives the time at which the next of them may be gone. */
  look(view: View, now: Timestamp): Timestamp {
    const live = [this.#identity];
    const known = new Set<string>();
    let nextAt = Infinity;
    for (const lease of view.list(Lease)) {
      const member = this.#leases.memberOf(lease);
      if (member === undefined || member === this.#identity) continue;
      known.add(member);
      const observation = this.#seen.get(member) ?? new LeaseObservation();
      this.#seen.set(member, observation);
      observation.see(lease, now);
      const goneAt = observation.freeAt(lease, this.#identity);
      if (goneAt <= now) continue;
      live.push(member);
      nextAt = Math.min(nextAt, goneAt);
    }
    for (const member of this.#seen.keys()) if (!known.has(member)) this.#seen.delete(member);
    this.#live = live.sort(compareText);
    return nextAt;
  }

  /** Members that have been away for an hour and have no shard any more, by name. */
  forgotten(holders: ReadonlySet<string>, now: Timestamp): readonly string[] {
    return [...this.#seen]
      .filter(([member, { seenAt }]) => seenAt + FORGET_MS <= now && !holders.has(member))
      .map(([member]) => member)
      .filter((member) => !this.#live.includes(member))
      .sort(compareText);
  }
}
