/**
 * Which member of a group looks after which keys: a pure function of who is there.
 *
 * **Source:** Thaler and Ravishankar, "Using name-based mappings to increase hit rates" (1998):
 * rendezvous, or highest random weight, hashing. Keys are gathered in a fixed number of shards, so
 * that ownership is a matter of a few leases and not of one for each key.
 */
import { compareText, hash32, hash53, SkepError } from '@skep/api';

/** Shards of a group by default. */
export const SHARDS_DEFAULT = 64;
/** Most shards of a group: each is a lease in the store. */
export const SHARDS_MAX = 1024;

/** A shard that has another owner in a later map. */
export interface ShardMove {
  readonly shard: number;
  /** Undefined: nobody was there. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/**
 * The shards of a group and their owners.
 *
 * - The same members give the same map, whatever the order in which they are named.
 * - A member that comes takes shards from each of the others and moves none between them; one that
 *   goes leaves its shards to all others. So 1/n of the keys move for n members.
 * - Each member has shards ÷ members of them, give or take chance: with 64 shards, one of two
 *   members has 32 ± 4 (standard deviation), one of four 16 ± 3.5. More shards: evener, and as many
 *   more leases.
 *
 * Cost: O(shards × members) once; a look-up is O(1).
 */
export class ShardMap {
  /** How many shards there are. */
  readonly shards: number;
  /** Sorted, each once. */
  readonly members: readonly string[];
  readonly #owners: readonly string[];

  /**
   * @throws invalid-argument for a number of shards out of 1 to 1,024, or a member without name.
   */
  constructor(members: Iterable<string>, shards = SHARDS_DEFAULT) {
    this.shards = checkShards(shards);
    this.members = [...new Set(members)].sort(compareText);
    if (this.members.includes('')) {
      throw new SkepError('invalid-argument', 'a member of a group of shards needs a name');
    }
    this.#owners =
      this.members.length === 0
        ? []
        : Array.from({ length: shards }, (_, shard) => ownerOf(shard, this.members));
  }

  /** Who looks after a shard; undefined when nobody is there. */
  ownerOf(shard: number): string | undefined {
    return this.#owners[shard];
  }

  /** Who looks after a key. */
  ownerOfKey(key: string): string | undefined {
    return this.ownerOf(shardOf(key, this.shards));
  }

  /** Shards of a member, in order. Cost: O(shards). */
  shardsOf(member: string): readonly number[] {
    return this.#owners.flatMap((owner, shard) => (owner === member ? [shard] : []));
  }

  /**
   * What changes hands from this map to the next.
   * @throws invalid-argument when that has another number of shards: every key may move then.
   */
  movesTo(next: ShardMap): readonly ShardMove[] {
    if (next.shards !== this.shards) {
      throw new SkepError(
        'invalid-argument',
        `maps of ${this.shards} and ${next.shards} shards cannot be compared`,
      );
    }
    return Array.from({ length: this.shards }, (_, shard) => ({
      shard,
      from: this.ownerOf(shard),
      to: next.ownerOf(shard),
    })).filter(({ from, to }) => from !== to);
  }
}

/** The shard of a key: the same for every member and for ever. */
export function shardOf(key: string, shards: number): number {
  return hash32(key, KEY_SEED) % shards;
}

/** @throws invalid-argument unless it is a whole number from 1 to 1,024. */
export function checkShards(shards: number): number {
  if (Number.isSafeInteger(shards) && shards >= 1 && shards <= SHARDS_MAX) return shards;
  throw new SkepError(
    'invalid-argument',
    `a group has 1 to ${SHARDS_MAX} shards, as a whole number, not ${shards}`,
    { details: { shards } },
  );
}

/** Apart from other uses of the same hash on the same texts. */
const KEY_SEED = 0x5ba2d;

/** The member with the highest weight for a shard; of equals, the first by name. */
function ownerOf(shard: number, members: readonly string[]): string {
  let best = '';
  let highest = -1;
  for (const member of members) {
    const weight = hash53(`${shard}/${member}`);
    if (weight <= highest) continue;
    highest = weight;
    best = member;
  }
  return best;
}
