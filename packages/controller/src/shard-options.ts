/**
 * What a member of a group of shards is built from, and who follows it.
 */
import type { Revision } from '@skep/api';
import type { Expectation } from '@skep/store';
import type { LeaderElectorOptions } from './elector-options.js';

/** Settings of a `ShardMember`. All members of a group need the same. */
export interface ShardMemberOptions extends Omit<
  LeaderElectorOptions,
  'leaseName' | 'onStarted' | 'onStopped'
> {
  /** Name of the group. Default: `shards`. */
  readonly name?: string;
  /**
   * Number of shards, at most 1,024; kept in the store, so that a member with another number is
   * refused. More: work is spread more evenly; each is a lease. Default: 64.
   */
  readonly shards?: number;
}

/** Who works on the keys of shards. */
export interface ShardFollower {
  /**
   * The shards are ours. Views from `revision` on hold all that earlier owners wrote about their
   * keys; passes must not begin on older ones. It must not throw.
   */
  acquired(shards: readonly number[], revision: Revision): void;
  /** They are no longer: begin no pass. Resolves when none is under way any more. */
  released(shards: readonly number[]): Promise<void>;
}

/** Which keys are ours; what the runtime needs of a `ShardMember`. */
export interface Sharding {
  /** The shard of a key. */
  shardOf(key: string): number;
  /** What a commit about keys of the shard expects; undefined when they are not ours to work on. */
  fenceOf(shard: number): readonly Expectation[] | undefined;
  /** Told of what is ours, at once of what is already. */
  follow(follower: ShardFollower): { leave(): void };
}
