/**
 * A member of a group that shares work by key: it holds the leases of its shards, and no other's.
 *
 * **Source:** ours. The parts are known: rendezvous hashing for who should have a shard, a lease
 * with a term for who has it, as in leader election, and a lease of the member for whether it
 * lives.
 */
import { ACTORS, Lease, messageOf, newObject, silentLogger, SkepError } from '@skep/api';
import type { Clock, Logger, Runnable, Timer } from '@skep/api';
import { CHANGES_MAX, type Expectation, type Store, type View } from '@skep/store';
import { settlesBefore } from './deadline.js';
import { electorSettings, type ElectorSettings } from './elector-options.js';
import type { LeaderElectorParts, LeadershipEnd } from './elector-options.js';
import { LeaderElector } from './leader-election.js';
import { checkShards, SHARDS_DEFAULT, shardOf } from './shard-map.js';
import type { Sharding, ShardFollower, ShardMemberOptions } from './shard-options.js';
import { planShards, ShardLeases, type ShardPlan } from './shard-plan.js';
import { ShardRoster } from './shard-roster.js';
import { ShardWriter } from './shard-writer.js';

/** Label of a group's lease: how many shards it has. */
export const SHARDS_LABEL = 'skep.shards';
/** Attempts to let go of shards in the end; what is left runs out with the member's lease. */
const LET_GO_ATTEMPTS = 3;

interface Held {
  readonly term: number;
  readonly revision: number;
  readonly fence: readonly Expectation[];
}

/**
 * Takes part in a group of members, each of which works on the keys of its shards.
 *
 * - A key belongs to a shard for ever; a shard belongs to the member that `ShardMap` says. The
 *   members are those whose member lease has not run out, judged as leader election judges a lease.
 * - Whoever works on a shard holds its lease; its term rises with every owner. The lease is part of
 *   every commit about its keys, so what a member writes about a key that it does not own any more
 *   is refused: after a pause, under wrong clocks, whatever it believes.
 * - A shard is handed over in order: the old owner ends its passes, lets go, and only then does the
 *   new owner take it, with a view that holds all that was written before. So no two work on one
 * key
 *   at the same time, but for an owner that was given up: it stops by itself at `renewDeadlineMs`,
 *   its shards are taken at `durationMs`.
 * - What it costs: a renewal of one lease for each member every `retryMs`; two writes for each
 * shard
 *   that moves, in commits of up to 200; nothing for the shards that stay.
 *
 * Give it to a `ControllerGroup` as `sharding`, and start it after the group ({@link runSharded}).
 */
export class ShardMember implements Runnable, Sharding {
  readonly identity: string;
  /** How many shards the group has. */
  readonly shards: number;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #settings: ElectorSettings;
  readonly #leases: ShardLeases;
  readonly #roster: ShardRoster;
  readonly #writer: ShardWriter;
  /** Elected without rivals: keeps the member's own lease, and ends what it does when it cannot. */
  readonly #membership: LeaderElector;
  readonly #followers = new Set<ShardFollower>();
  readonly #held = new Map<number, Held>();
  readonly #ending = new Map<number, Promise<void>>();
  /** Aborts when the membership ends; undefined between memberships. */
  #signal: AbortSignal | undefined;
  #run: Promise<void> | undefined;
  #isAsked = false;
  #timer: Timer | undefined;
  #watch: { unsubscribe(): void } | undefined;

  /** @throws invalid-argument as `LeaderElector`, and for a number of shards out of 1 to 1,024. */
  constructor(parts: LeaderElectorParts, options: ShardMemberOptions = {}) {
    const { name = 'shards', shards = SHARDS_DEFAULT, ...times } = options;
    this.identity = parts.identity;
    this.shards = checkShards(shards);
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#logger = parts.logger ?? silentLogger;
    this.#settings = electorSettings(parts.identity, times);
    this.#leases = new ShardLeases(name, shards);
    const leaseName = this.#leases.memberName(parts.identity);
    this.#membership = new LeaderElector(parts, { ...times, leaseName });
    this.#roster = new ShardRoster(this.#leases, this.identity);
    this.#writer = new ShardWriter({
      store: this.#store,
      clock: this.#clock,
      identity: this.identity,
      leases: this.#leases,
      durationMs: this.#settings.durationMs,
      fence: this.#membership.fence,
    });
    this.#membership.follow({
      started: (signal) => this.#joined(signal),
      stopped: (end) => this.#left(end),
    });
  }

  /** Shards that are worked on here, in order. */
  get owned(): readonly number[] {
    return [...this.#held.keys()].sort((a, b) => a - b);
  }

  /** Members that were there at the last look, by name. */
  get members(): readonly string[] {
    return this.#roster.live;
  }

  shardOf(key: string): number {
    return shardOf(key, this.shards);
  }

  /** Whether a key is worked on here. */
  owns(key: string): boolean {
    return this.fenceOf(this.shardOf(key)) !== undefined;
  }

  fenceOf(shard: number): readonly Expectation[] | undefined {
    return this.#membership.isLeader ? this.#held.get(shard)?.fence : undefined;
  }

  follow(follower: ShardFollower): { leave(): void } {
    this.#followers.add(follower);
    if (this.#held.size > 0) {
      const revisions = [...this.#held.values()].map(({ revision }) => revision);
      follower.acquired(this.owned, Math.max(...revisions));
    }
    return { leave: () => void this.#followers.delete(follower) };
  }

  /**
   * Becomes a member; does not wait for shards.
   * @throws failed-precondition when the group has another number of shards.
   */
  async start(signal?: AbortSignal): Promise<void> {
    this.#checkGroup(this.#store.view());
    await this.#membership.start(signal);
  }

  /** Ends the passes over its shards, lets go of them, then of its membership. */
  async stop(): Promise<void> {
    await this.#membership.stop();
  }

  async #joined(signal: AbortSignal): Promise<void> {
    await this.#makeGroup();
    if (signal.aborted) return;
    this.#signal = signal;
    this.#look();
  }

  async #left({ isLeaseHeld }: LeadershipEnd): Promise<void> {
    this.#signal = undefined;
    this.#timer?.cancel();
    this.#watch?.unsubscribe();
    this.#watch = undefined;
    const { renewDeadlineMs } = this.#settings;
    if (this.#run !== undefined) await settlesBefore(this.#run, this.#clock, renewDeadlineMs);
    this.#end([...this.#held.keys()]);
    await Promise.all(this.#ending.values());
    if (isLeaseHeld) await settlesBefore(this.#letGoOfAll(), this.#clock, renewDeadlineMs);
  }

  /** The number of shards is written once, by whoever comes first. */
  async #makeGroup(): Promise<void> {
    const { name, groupId, shards } = this.#leases;
    const now = this.#clock.now();
    const spec = { holder: '', term: 0, durationMs: 0, acquiredAt: now, renewedAt: now };
    const labels = { [SHARDS_LABEL]: String(shards) };
    if (!this.#checkGroup(this.#store.view())) {
      const object = newObject(Lease, { id: groupId, name, labels, spec });
      const result = await this.#store.commit({
        actor: ACTORS.elector,
        changes: [{ type: 'create', object }],
      });
      if (!result.ok) await this.#store.waitFor(result.conflict.version);
      this.#checkGroup(this.#store.view());
    }
  }

  /** Whether the group is there. @throws failed-precondition when it is another one. */
  #checkGroup(view: View): boolean {
    const group = view.get(Lease, this.#leases.groupId);
    if (group === undefined) return false;
    const found = group.meta.labels[SHARDS_LABEL];
    if (found === String(this.shards)) return true;
    throw new SkepError(
      'failed-precondition',
      `the group '${this.#leases.name}' has ${found ?? 'no'} shards, not ${this.shards}: ` +
        'stop all its members before its number of shards is changed',
      { details: { group: this.#leases.name, shards: found } },
    );
  }

  /** Asks for a look at the leases; many askers get one. */
  #look(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#clock.defer(() => {
      const signal = this.#signal;
      if (signal === undefined || this.#run !== undefined) {
        // Whoever is at it looks again in the end.
        if (signal === undefined) this.#isAsked = false;
        return;
      }
      this.#isAsked = false;
      this.#run = this.#pass(signal).finally(() => {
        this.#run = undefined;
        if (!this.#isAsked) return;
        this.#isAsked = false;
        this.#look();
      });
    });
  }

  /** Never rejects. */
  async #pass(signal: AbortSignal): Promise<void> {
    let nextAt = this.#clock.now() + this.#settings.durationMs;
    try {
      this.#listen();
      const view = this.#store.view();
      nextAt = Math.min(nextAt, this.#roster.look(view, this.#clock.now()));
      const plan = this.#plan(view);
      this.#end([...plan.lost, ...plan.release]);
      await this.#letGo(plan.letGo);
      if (!signal.aborted) await this.#acquire(plan, signal);
      if (!signal.aborted) await this.#forget();
    } catch (error) {
      nextAt = this.#clock.now() + this.#settings.retryMs;
      this.#logger.warn('shards not looked after', { error: messageOf(error), retryAt: nextAt });
    }
    if (signal.aborted) return;
    this.#timer?.cancel();
    const options = { isPeriodic: true, label: 'look at the shards' };
    this.#timer = this.#clock.schedule(nextAt, () => this.#look(), options);
  }

  #plan(view: View): ShardPlan {
    return planShards({
      identity: this.identity,
      live: new Set(this.members),
      leases: this.#shardLeases(view),
      held: new Map([...this.#held].map(([shard, { term }]) => [shard, term])),
      ending: new Set(this.#ending.keys()),
    });
  }

  #shardLeases(view: View): readonly (Lease | undefined)[] {
    return Array.from({ length: this.shards }, (_, shard) =>
      view.get(Lease, this.#leases.shardId(shard)),
    );
  }

  /** Hears of every change of a lease. */
  #listen(): void {
    if (this.#watch !== undefined) return;
    const ended = (): void => {
      this.#watch = undefined;
      if (this.#signal !== undefined) this.#look();
    };
    const selector = { kinds: [Lease.name] };
    this.#watch = this.#store.subscribe({ commit: () => this.#look(), ended }, { selector });
  }

  /** Stops the work on shards; they may be let go of, or taken again, when it has ended. */
  #end(shards: readonly number[]): void {
    if (shards.length === 0) return;
    const ended = Promise.all(
      [...this.#followers].map((follower) =>
        follower.released(shards).catch((error: unknown) => {
          this.#logger.error('work on shards not ended', { error: messageOf(error) });
        }),
      ),
    ).then(() => {
      for (const shard of shards) this.#ending.delete(shard);
      this.#look();
    });
    for (const shard of shards) {
      this.#held.delete(shard);
      this.#ending.set(shard, ended);
    }
  }

  async #acquire({ acquire }: ShardPlan, signal: AbortSignal): Promise<void> {
    for (let at = 0; at < acquire.length; at += CHANGES_MAX) {
      const shards = acquire.slice(at, at + CHANGES_MAX);
      const taken = await this.#writer.acquire(shards);
      // The leases name this member still; it lets go of them in the end.
      if (signal.aborted) return;
      if (!taken.ok) {
        const { conflict, fence } = taken;
        if (conflict.reason === 'lease') this.#membership.onFenceLost(conflict, fence);
        await this.#store.waitFor(conflict.version);
        this.#look();
        return;
      }
      this.#hold(taken.terms, taken.revision);
      for (const follower of this.#followers) follower.acquired(shards, taken.revision);
    }
  }

  #hold(terms: ReadonlyMap<number, number>, revision: number): void {
    this.#logger.info('shards taken', { identity: this.identity, shards: terms.size });
    for (const [shard, term] of terms) {
      const id = this.#leases.shardId(shard);
      const fence: readonly Expectation[] = [{ type: 'lease', id, holder: this.identity, term }];
      this.#held.set(shard, { term, revision, fence });
    }
  }

  async #letGo(shards: readonly number[]): Promise<void> {
    if (shards.length > 0 && !(await this.#writer.letGo(shards))) this.#look();
  }

  async #letGoOfAll(): Promise<void> {
    const shards = Array.from({ length: this.shards }, (_, shard) => shard);
    for (let attempt = 0; attempt < LET_GO_ATTEMPTS; attempt += 1) {
      if (await this.#writer.letGo(shards)) return;
    }
  }

  /** Leases of members that will not come back would pile up; the first member deletes them. */
  async #forget(): Promise<void> {
    if (this.members[0] !== this.identity) return;
    const leases = this.#shardLeases(this.#store.view());
    const holders = new Set(leases.map((lease) => lease?.spec.holder ?? ''));
    await this.#writer.forget(this.#roster.forgotten(holders, this.#clock.now()));
  }
}

/**
 * A member with what works on its shards, mostly a `ControllerGroup` with the member as `sharding`.
 * The work is there before the first shard comes, and ends after the last one has gone.
 */
export function runSharded(member: ShardMember, work: Runnable): Runnable {
  const stop = async (): Promise<void> => {
    await member.stop();
    await work.stop();
  };
  return {
    start: async (signal) => {
      await work.start();
      await member.start();
      signal?.addEventListener('abort', () => void stop(), { once: true });
      if (signal?.aborted === true) await stop();
    },
    stop,
  };
}
