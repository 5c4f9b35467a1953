/**
 * Keys of one controller that shares its work with other members of a group.
 */
import type { Clock, Revision } from '@skep/api';
import type { Expectation } from '@skep/store';
import { settlesBefore } from './deadline.js';
import type { Sharding, ShardFollower } from './shard-options.js';

/** What {@link ShardKeys} are built from. */
export interface ShardKeysParts {
  readonly sharding: Sharding;
  readonly clock: Clock;
  /** What of a key decides its shard. */
  readonly shardKey: (key: string) => string;
  /** Revision up to which the controller has been told of commits. */
  readonly reached: () => Revision;
  /** Shards came: their keys have to be listed. */
  readonly came: (isOf: (key: string) => boolean) => void;
  /** Shards went: their keys are to be forgotten. */
  readonly went: (isOf: (key: string) => boolean) => void;
  /** Longest wait for passes over keys of shards that are handed over. */
  readonly stopTimeoutMs: number;
}

interface Pass {
  readonly shard: number;
  readonly fence: readonly Expectation[];
}

/** Knows which keys are ours, and which passes are under way over them. */
export class ShardKeys implements ShardFollower {
  readonly #parts: ShardKeysParts;
  readonly #active = new Set<number>();
  /** Shards that are ours, and the revision that has to be reached before. */
  readonly #coming = new Map<number, Revision>();
  readonly #passes = new Map<string, Pass>();
  /** Told whenever a pass ends. */
  readonly #waiting = new Set<() => void>();
  #membership: { leave(): void } | undefined;

  constructor(parts: ShardKeysParts) {
    this.#parts = parts;
  }

  /** Begins to follow. */
  join(): void {
    this.#membership = this.#parts.sharding.follow(this);
  }

  /** Follows no more. */
  leave(): void {
    this.#membership?.leave();
    this.#active.clear();
    this.#coming.clear();
  }

  /** Whether the key may have a pass here. */
  isOurs(key: string): boolean {
    return this.#active.has(this.#shardOf(key));
  }

  /** Notes that a pass begins, with the fence that holds now; false: it must not. */
  begin(key: string): boolean {
    const shard = this.#shardOf(key);
    const fence = this.#active.has(shard) ? this.#parts.sharding.fenceOf(shard) : undefined;
    if (fence === undefined) return false;
    this.#passes.set(key, { shard, fence });
    return true;
  }

  /** Notes that the pass has ended; harmless when there is none. */
  end(key: string): void {
    if (this.#passes.delete(key)) for (const tell of this.#waiting) tell();
  }

  /** What a commit of the passes over these keys expects: the fence of when they began. */
  readonly fenceOf = (keys: readonly string[]): readonly Expectation[] =>
    keys.flatMap((key) => this.#passes.get(key)?.fence ?? []);

  /** The controller was told of commits up to this revision. */
  reached(revision: Revision): void {
    if (this.#coming.size === 0) return;
    const shards = [...this.#coming].flatMap(([shard, from]) => (from <= revision ? [shard] : []));
    this.#activate(shards);
  }

  acquired(shards: readonly number[], revision: Revision): void {
    for (const shard of shards) this.#coming.set(shard, revision);
    this.reached(this.#parts.reached());
  }

  async released(shards: readonly number[]): Promise<void> {
    const isOf = this.#isOf(new Set(shards));
    for (const shard of shards) {
      this.#active.delete(shard);
      this.#coming.delete(shard);
    }
    this.#parts.went(isOf);
    const { clock, stopTimeoutMs } = this.#parts;
    const gone = new Set(shards);
    await settlesBefore(this.#passesEnd(gone), clock, stopTimeoutMs);
    // What a pass wanted to be looked at later, somebody else looks at.
    this.#parts.went(isOf);
  }

  #activate(shards: readonly number[]): void {
    if (shards.length === 0) return;
    for (const shard of shards) {
      this.#coming.delete(shard);
      this.#active.add(shard);
    }
    this.#parts.came(this.#isOf(new Set(shards)));
  }

  async #passesEnd(shards: ReadonlySet<number>): Promise<void> {
    const isUnderWay = (): boolean =>
      [...this.#passes.values()].some(({ shard }) => shards.has(shard));
    if (!isUnderWay()) return;
    await new Promise<void>((resolve) => {
      const tell = (): void => {
        if (isUnderWay()) return;
        this.#waiting.delete(tell);
        resolve();
      };
      this.#waiting.add(tell);
    });
  }

  #isOf(shards: ReadonlySet<number>): (key: string) => boolean {
    return (key) => shards.has(this.#shardOf(key));
  }

  #shardOf(key: string): number {
    const { sharding, shardKey } = this.#parts;
    return sharding.shardOf(shardKey(key));
  }
}
