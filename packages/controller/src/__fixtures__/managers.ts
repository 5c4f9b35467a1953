/**
 * Several managers on one log, each of which can be paused like a process that got no processor.
 */
import { Lease, newObject, seededRandom, withStatus } from '@skep/api';
import type { Clock, LeaseSpec, Runnable, Timer } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { openStore, sharedMemoryLog } from '@skep/store';
import type { Backend, CommitRecord, SharedMemoryLog, Store } from '@skep/store';
import { create, update } from '../changes.js';
import { ControllerGroup } from '../controller-group.js';
import type { LeaderElectorOptions } from '../elector-options.js';
import { LeaderElector } from '../leader-election.js';
import { runWhenLeader } from '../run-when-leader.js';
import { Child, Parent, parent } from './world.js';

/** Holds up all that a process does: its timers, what it hears and what it writes. */
export class Gate {
  isPaused = false;
  /** Pauses at the next write of a loop, between the decision and the log: the worst moment. */
  isPausedOnWrite = false;
  readonly #clock: Clock;
  #held: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  pass(run: () => void): void {
    if (this.isPaused) this.#held.push(run);
    else run();
  }

  /**
   * Lets go of one thing a millisecond, of the latest first if asked to: what woke last may well
   * run first.
   */
  resume(isReversed = false): void {
    this.isPaused = false;
    this.isPausedOnWrite = false;
    const held = this.#held.splice(0);
    const now = this.#clock.now();
    for (const [at, run] of (isReversed ? held.reverse() : held).entries()) {
      this.#clock.schedule(now + at, run);
    }
  }

  clock(): Clock {
    const inner = this.#clock;
    return {
      now: () => inner.now(),
      defer: (run) => inner.defer(() => this.pass(run)),
      schedule: (at, run, options): Timer => {
        let isCancelled = false;
        const fire = (): void => this.pass(() => (isCancelled ? undefined : run()));
        const timer = inner.schedule(at, fire, options);
        return {
          cancel: () => {
            isCancelled = true;
            timer.cancel();
          },
        };
      },
    };
  }

  backend(inner: Backend): Backend {
    const turn = (): Promise<void> => new Promise((resolve) => this.pass(resolve));
    return {
      load: () => inner.load(),
      append: async (record) => {
        if (this.isPausedOnWrite && record.actor.startsWith('loop ')) this.isPaused = true;
        await turn();
        return inner.append(record);
      },
      subscribe: (listener) =>
        inner.subscribe((record: CommitRecord) => this.pass(() => listener(record))),
      compact: (revision, snapshot) => inner.compact(revision, snapshot),
      close: () => inner.close(),
    };
  }
}

export interface TestManager {
  readonly name: string;
  readonly gate: Gate;
  readonly store: Store;
  readonly elector: LeaderElector;
  readonly group: ControllerGroup;
  readonly runnable: Runnable;
}

export interface Managers {
  readonly clock: VirtualClock;
  readonly log: SharedMemoryLog;
  readonly managers: readonly TestManager[];
  readonly audit: Audit;
  leaders(): readonly TestManager[];
}

/** What an onlooker saw: writes of each manager's loop, and those made without the lease. */
export interface Audit {
  readonly writes: Map<string, number>;
  readonly intruders: string[];
  readonly terms: number[];
  lease: LeaseSpec | undefined;
}

const KINDS = [Parent, Child, Lease];
const TICK_MS = 500;

/** Managers whose loops write every half second, for as long as they lead. */
export async function managers(
  names: readonly string[],
  options: LeaderElectorOptions & { readonly seed?: number } = {},
): Promise<Managers> {
  const { seed = 1, ...electorOptions } = options;
  const clock = new VirtualClock({ start: 0, turn: manyMicrotasks });
  const random = seededRandom(seed);
  const log = sharedMemoryLog({ clock, deliveryDelayMs: () => random.int(50) });
  const onlooker = await openStore({ clock, kinds: KINDS, backend: log.backend() });
  const audit = auditOf(onlooker);
  await onlooker.commit({ actor: 'user', changes: names.map((name) => create(parent(name))) });
  const made: TestManager[] = [];
  for (const name of names) {
    const gate = new Gate(clock);
    const own = gate.clock();
    const backend = gate.backend(log.backend());
    const store = await openStore({ clock: own, kinds: KINDS, backend });
    const seams = { store, clock: own, random: random.fork(name) };
    const elector = new LeaderElector({ ...seams, identity: name }, electorOptions);
    const { fence, onFenceLost } = elector;
    const group = new ControllerGroup({ ...seams, fence, onFenceLost });
    group.add({
      name: 'ticker',
      actor: `loop ${name}`,
      for: Parent,
      // To each its own object: otherwise versions would do the work of the fence.
      predicate: ({ object }) => object.meta.id === name,
      plan: (view, key, now) => {
        const object = view.get(Parent, key);
        if (object === undefined) return { changes: [] };
        const seen = object.status.seen ?? -Infinity;
        if (now < seen + TICK_MS) return { changes: [], requeueAt: seen + TICK_MS };
        const changes = [update(withStatus(object, { seen: now }))];
        return { changes, requeueAt: now + TICK_MS };
      },
    });
    made.push({ name, gate, store, elector, group, runnable: runWhenLeader(elector, group) });
  }
  const leaders = (): readonly TestManager[] => made.filter(({ elector }) => elector.isLeader);
  return { clock, log, managers: made, audit, leaders };
}

function auditOf(store: Store): Audit {
  const audit: Audit = { writes: new Map(), intruders: [], terms: [], lease: undefined };
  const commit: Parameters<Store['subscribe']>[0]['commit'] = ({ actor, events, revision }) => {
    for (const { object } of events) {
      if (object.kind !== Lease.name) continue;
      audit.lease = object.spec as LeaseSpec;
      if (audit.lease.term !== audit.terms.at(-1)) audit.terms.push(audit.lease.term);
    }
    if (!actor.startsWith('loop ')) return;
    const name = actor.slice('loop '.length);
    audit.writes.set(name, (audit.writes.get(name) ?? 0) + 1);
    if (audit.lease?.holder !== name) audit.intruders.push(`${name} in commit ${revision}`);
  };
  store.subscribe({ commit, ended: () => undefined });
  return audit;
}

/** All microtasks that a commit over a shared log takes, and cheaper than a macrotask. */
async function manyMicrotasks(): Promise<void> {
  for (let i = 0; i < 30; i += 1) await Promise.resolve();
}

/** A lease as someone else would write it. */
export function foreignLease(id: string, spec: Partial<LeaseSpec>): Lease {
  const full = { holder: 'x', term: 1, durationMs: 15_000, acquiredAt: 0, renewedAt: 0, ...spec };
  return newObject(Lease, { id, name: 'leader', spec: full });
}
