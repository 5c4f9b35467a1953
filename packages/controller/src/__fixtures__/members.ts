/**
 * Members of a group on one log, each with a clock of its own that may be wrong, and an onlooker who
 * judges every write.
 */
import { Lease, seededRandom, withStatus, type Clock, type LeaseSpec, type Timer } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { openStore, sharedMemoryLog, type Store, type View } from '@skep/store';
import { create, update } from '../changes.js';
import { ControllerGroup } from '../controller-group.js';
import { runSharded, ShardMember } from '../shard-member.js';
import { shardOf } from '../shard-map.js';
import type { ShardMemberOptions } from '../shard-options.js';
import { ShardLeases } from '../shard-plan.js';
import { Gate } from './managers.js';
import { Child, Parent, parent } from './world.js';

/** A clock that is off by some time, which may change at any moment. */
export class WrongClock implements Clock {
  offsetMs = 0;
  readonly #inner: Clock;

  constructor(inner: Clock) {
    this.#inner = inner;
  }

  now(): number {
    return this.#inner.now() + this.offsetMs;
  }

  defer(run: () => void): void {
    this.#inner.defer(run);
  }

  schedule(...[at, run, options]: Parameters<Clock['schedule']>): Timer {
    return this.#inner.schedule(at - this.offsetMs, run, options);
  }
}

export interface TestMember {
  readonly name: string;
  readonly gate: Gate;
  readonly clock: WrongClock;
  readonly store: Store;
  readonly member: ShardMember;
  readonly group: ControllerGroup;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface Members {
  readonly clock: VirtualClock;
  readonly onlooker: Store;
  readonly members: readonly TestMember[];
  readonly audit: ShardAudit;
}

/** What an onlooker saw. */
export interface ShardAudit {
  /** Writes about keys by members that did not hold their shards. */
  readonly intruders: string[];
  /** Passes that two members made over one key at the same time. */
  readonly overlaps: string[];
  /** Who wrote about a key, in order, equal ones once. */
  readonly writers: Map<string, string[]>;
  readonly writes: Map<string, number>;
  /** Writes of leases of shards: how many, in how many commits. */
  shardWrites: number;
  shardCommits: number;
}

const KINDS = [Parent, Child, Lease];
export const TICK_MS = 500;
export const SHARDS = 16;

/** To each member its own record of a key: otherwise versions would do the work of the fence. */
const recordId = (key: string, name: string): string => `${key}@${name}`;

/** When a key was worked on last, by whomever. */
export function seenAt(view: View, key: string): number {
  const records = view.list(Parent).filter(({ meta }) => meta.id.startsWith(`${key}@`));
  return Math.max(...records.map(({ status }) => status.seen ?? -Infinity));
}

/** Keys that were not worked on for so long. */
export function neglected({ onlooker, clock }: Members, forMs: number): readonly string[] {
  const view = onlooker.view();
  return view
    .list(Parent)
    .map(({ meta }) => meta.id)
    .filter((id) => !id.includes('@') && seenAt(view, id) < clock.now() - forMs);
}

/** Members whose loop writes to every key each half second, in passes that take up to 100 ms. */
export async function members(
  names: readonly string[],
  options: ShardMemberOptions & { readonly seed?: number; readonly keys?: number } = {},
): Promise<Members> {
  const { seed = 1, keys = 40, ...memberOptions } = options;
  const clock = new VirtualClock({ start: 1_000_000_000, turn: manyMicrotasks });
  const random = seededRandom(seed);
  const log = sharedMemoryLog({ clock, deliveryDelayMs: () => random.int(50) });
  const onlooker = await openStore({ clock, kinds: KINDS, backend: log.backend() });
  const audit = auditOf(onlooker);
  const passes = new Map<string, Set<string>>();
  const ids = Array.from({ length: keys }, (_, at) => `key-${at}`);
  const all = ids.flatMap((key) => [key, ...names.map((name) => recordId(key, name))]);
  await onlooker.commit({ actor: 'user', changes: all.map((id) => create(parent(id))) });
  const made: TestMember[] = [];
  for (const name of names) {
    const gate = new Gate(clock);
    const own = new WrongClock(gate.clock());
    const backend = gate.backend(log.backend());
    const store = await openStore({ clock: own, kinds: KINDS, backend });
    const seams = { store, clock: own, random: random.fork(name) };
    const member = new ShardMember(
      { ...seams, identity: name },
      { shards: SHARDS, ...memberOptions },
    );
    const takes = random.fork(`passes of ${name}`);
    const group = new ControllerGroup({ ...seams, sharding: member });
    group.add({
      name: 'ticker',
      actor: `loop ${name}`,
      for: Parent,
      predicate: ({ object }) => !object.meta.id.includes('@'),
      sharding: 'by-key',
      concurrency: 8,
      reconcile: async ({ view, commit }, key) => {
        const object = view.get(Parent, recordId(key, name));
        if (object === undefined) return undefined;
        // By the clock on the wall: the members' own cannot be compared.
        const dueAt = seenAt(view, key) + TICK_MS;
        const waitMs = dueAt - clock.now();
        if (waitMs > 0) return { requeueAt: own.now() + waitMs };
        const busy = passes.get(key) ?? new Set();
        passes.set(key, busy.add(name));
        if (busy.size > 1) audit.overlaps.push(`${key} by ${[...busy].join(' and ')}`);
        await new Promise<void>((resolve) => own.schedule(own.now() + takes.int(100), resolve));
        busy.delete(name);
        await commit([update(withStatus(object, { seen: clock.now() }))]);
        return { requeueAt: own.now() + TICK_MS };
      },
    });
    const runnable = runSharded(member, group);
    const { start, stop } = runnable;
    made.push({ name, gate, clock: own, store, member, group, start: () => start(), stop });
  }
  return { clock, onlooker, members: made, audit };
}

function auditOf(store: Store): ShardAudit {
  const audit: ShardAudit = {
    intruders: [],
    overlaps: [],
    writers: new Map(),
    writes: new Map(),
    shardWrites: 0,
    shardCommits: 0,
  };
  const leases = new ShardLeases('shards', SHARDS);
  const ids = new Map(Array.from({ length: SHARDS }, (_, at) => [leases.shardId(at), at]));
  const holders = new Map<number, LeaseSpec>();
  const commit: Parameters<Store['subscribe']>[0]['commit'] = ({ actor, events, revision }) => {
    const moved = events.filter(({ object }) => ids.has(object.meta.id));
    audit.shardWrites += moved.length;
    audit.shardCommits += moved.length > 0 ? 1 : 0;
    for (const { object } of moved) {
      const shard = ids.get(object.meta.id) ?? -1;
      const spec = object.spec as LeaseSpec;
      const before = holders.get(shard);
      if (spec.holder !== '' && spec.term <= (before?.term ?? 0)) {
        audit.intruders.push(`shard ${shard} was taken in an old term by commit ${revision}`);
      }
      holders.set(shard, spec);
    }
    if (!actor.startsWith('loop ')) return;
    const name = actor.slice('loop '.length);
    for (const { object } of events) {
      const [key = ''] = object.meta.id.split('@');
      const holder = holders.get(shardOf(key, SHARDS))?.holder;
      if (holder !== name) audit.intruders.push(`${name} wrote ${key} of ${holder} in ${revision}`);
      audit.writes.set(key, (audit.writes.get(key) ?? 0) + 1);
      const writers = audit.writers.get(key) ?? [];
      if (writers.at(-1) !== name) writers.push(name);
      audit.writers.set(key, writers);
    }
  };
  store.subscribe({ commit, ended: () => undefined });
  return audit;
}

/** All microtasks that a commit over a shared log takes, and cheaper than a macrotask. */
async function manyMicrotasks(): Promise<void> {
  for (let i = 0; i < 30; i += 1) await Promise.resolve();
}
