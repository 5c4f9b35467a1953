/**
 * What one member of a group has to do about the shards, as a pure function of the leases.
 */
import type { Lease } from '@skep/api';
import { leaseId } from './lease-claim.js';
import { ShardMap } from './shard-map.js';

/** Names and ids of the leases of a group. */
export class ShardLeases {
  readonly name: string;
  readonly shards: number;
  /** The lease that says how many shards the group has. */
  readonly groupId: string;
  readonly #ids: readonly string[];

  constructor(name: string, shards: number) {
    this.name = name;
    this.shards = shards;
    this.groupId = leaseId(name);
    this.#ids = Array.from({ length: shards }, (_, shard) => leaseId(this.shardName(shard)));
  }

  shardName(shard: number): string {
    return `${this.name}/shards/${shard}`;
  }

  shardId(shard: number): string {
    return this.#ids[shard] ?? '';
  }

  memberName(member: string): string {
    return `${this.name}/members/${member}`;
  }

  memberId(member: string): string {
    return leaseId(this.memberName(member));
  }

  /** The member whose lease it is; undefined for other leases. */
  memberOf(lease: Lease): string | undefined {
    const prefix = this.memberName('');
    return lease.meta.name.startsWith(prefix) ? lease.meta.name.slice(prefix.length) : undefined;
  }
}

/** What is known when a plan is made. */
export interface ShardSituation {
  readonly identity: string;
  /** Members whose leases have not run out, this one among them. */
  readonly live: ReadonlySet<string>;
  /** The lease of each shard; undefined before the first owner. */
  readonly leases: readonly (Lease | undefined)[];
  /** Shards that are worked on here, with the terms of their leases. */
  readonly held: ReadonlyMap<number, number>;
  /** Shards that were worked on here, and passes over them may still be under way. */
  readonly ending: ReadonlySet<number>;
}

/** What is to be done, each a list of shards in order. */
export interface ShardPlan {
  /** Others have them: stop at once. */
  readonly lost: readonly number[];
  /** They belong to others now: stop, then let go. */
  readonly release: readonly number[];
  /** Nothing of them is worked on here any more, and their leases still name this member. */
  readonly letGo: readonly number[];
  /** They belong to this member and nobody who is there has them. */
  readonly acquire: readonly number[];
}

/**
 * Decides about every shard by its lease and by who is there. Cost: O(shards × members).
 *
 * A shard goes from one that is there to another in three steps, each a commit that the next waits
 * for: the old owner ends its passes and lets go; the lease has no holder; the new owner takes it
 * in
 * a new term. From one that is not there any more it is taken at once.
 */
export function planShards(situation: ShardSituation): ShardPlan {
  const { identity, live, leases, held, ending } = situation;
  const map = new ShardMap(live, leases.length);
  const lost: number[] = [];
  const release: number[] = [];
  const letGo: number[] = [];
  const acquire: number[] = [];
  for (const [shard, lease] of leases.entries()) {
    const holder = lease?.spec.holder ?? '';
    const isWanted = map.ownerOf(shard) === identity;
    const term = held.get(shard);
    if (term !== undefined) {
      if (holder !== identity || lease?.spec.term !== term) lost.push(shard);
      else if (!isWanted) release.push(shard);
    } else if (!ending.has(shard)) {
      const isFree = holder === '' || holder === identity || !live.has(holder);
      if (isWanted && isFree) acquire.push(shard);
      if (!isWanted && holder === identity) letGo.push(shard);
    }
  }
  return { lost, release, letGo, acquire };
}
