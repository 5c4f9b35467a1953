/**
 * A clock that only moves when told: `@skep/api/virtual`. The base of tests and of the simulator.
 */
import { SkepError } from './errors.js';
import type { Timestamp } from './meta.js';
import type { Clock, Timer, TimerOptions } from './seams.js';

export { seededRandom } from './random.js';

/** A timer that has not run yet. */
export interface PendingTimer {
  readonly at: Timestamp;
  readonly label: string;
  readonly isPeriodic: boolean;
}

interface Entry extends PendingTimer {
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
}

/** Where virtual time starts by default: 2026-01-01T00:00:00Z. */
export const VIRTUAL_EPOCH: Timestamp = Date.UTC(2026, 0, 1);

/**
 * Deferred calls that may follow each other without time passing, before it is called a livelock.
 */
const TURNS_MAX = 1_000_000;

/** Cancelled timers below this number are not worth a sweep. */
const SWEEP_MIN = 1_000;

/** Options of {@link VirtualClock}. */
export interface VirtualClockOptions {
  /** Default: {@link VIRTUAL_EPOCH}. */
  readonly start?: Timestamp;
  /**
   * Lets all promises that are ready run to their end. Default: one turn of the event loop, which
   * is exact as long as nothing does real I/O.
   */
  readonly turn?: () => Promise<void>;
}

/**
 * Virtual time. Deferred calls run in the order in which they were asked for, timers in the order
 * of their times, then of their creation; between any two of them every promise that is ready runs
 * to its end. So a program whose only inputs are this clock and seeded randomness does exactly the
 * same every time.
 */
export class VirtualClock implements Clock {
  #now: Timestamp;
  #order = 0;
  readonly #turn: () => Promise<void>;
  /** Two heaps, so that the soonest timer that is not periodic is found without a search. */
  readonly #timers: Entry[] = [];
  readonly #periodic: Entry[] = [];
  #deferred: (() => void)[] = [];
  #cancelled = 0;
  #isRunning = false;
  #isInterrupted = false;

  constructor(options: VirtualClockOptions = {}) {
    this.#now = options.start ?? VIRTUAL_EPOCH;
    this.#turn = options.turn ?? (() => new Promise((resolve) => setImmediate(resolve)));
  }

  now(): Timestamp {
    return this.#now;
  }

  defer(run: () => void): void {
    this.#deferred.push(run);
  }

  schedule(at: Timestamp, run: () => void, options: TimerOptions = {}): Timer {
    const entry: Entry = {
      at: Math.max(at, this.#now),
      label: options.label ?? '',
      isPeriodic: options.isPeriodic ?? false,
      order: (this.#order += 1),
      run,
      isCancelled: false,
    };
    push(entry.isPeriodic ? this.#periodic : this.#timers, entry);
    return {
      cancel: () => {
        if (entry.isCancelled) return;
        entry.isCancelled = true;
        this.#cancelled += 1;
        if (this.#cancelled > SWEEP_MIN) this.#sweep();
      },
    };
  }

  /** Timers that have not run, soonest first. Cost: O(n log n). */
  pending(): readonly PendingTimer[] {
    return [...this.#timers, ...this.#periodic].filter((timer) => !timer.isCancelled).sort(compare);
  }

  /** The soonest timer that is not periodic. Cost: O(log n). */
  nextTimer(): PendingTimer | undefined {
    return peek(this.#timers);
  }

  /** Runs everything that is due now: deferred calls, and timers up to this moment. */
  async flush(): Promise<void> {
    await this.advanceTo(this.#now);
  }

  /** Moves time forward by `ms`, running what becomes due on the way. */
  async advance(ms: number): Promise<void> {
    await this.advanceTo(this.#now + ms);
  }

  /**
   * Moves time forward to `until`, running what becomes due on the way.
   * @throws aborted when a million calls follow each other without time passing: a livelock;
   * invalid-argument for a time that never comes, as periodic timers would run for ever.
   */
  async advanceTo(until: Timestamp): Promise<void> {
    if (!Number.isFinite(until)) {
      throw new SkepError('invalid-argument', `time cannot move to ${until}: give a finite number`);
    }
    if (this.#isRunning) {
      throw new SkepError('failed-precondition', 'the virtual clock is being advanced already');
    }
    this.#isRunning = true;
    try {
      await this.#run(until);
    } finally {
      this.#isRunning = false;
    }
  }

  /**
   * Ends the move of time that is under way, where it is: whoever waits for it goes on. Nothing
   * happens when there is none. For watchdogs: what is due stays due.
   */
  interrupt(): void {
    this.#isInterrupted = this.#isRunning;
  }

  async #run(until: Timestamp): Promise<void> {
    let turns = 0;
    this.#isInterrupted = false;
    for (;;) {
      await this.#turn();
      if (this.#isInterrupted) return;
      if (this.#deferred.length > 0) {
        const batch = this.#deferred;
        this.#deferred = [];
        for (const run of batch) run();
        turns += batch.length;
        if (turns > TURNS_MAX) throw livelock(this.#now);
        continue;
      }
      const timer = this.#takeTimer(until);
      if (timer === undefined) break;
      if (timer.at > this.#now) turns = 0;
      this.#now = timer.at;
      timer.run();
      turns += 1;
      if (turns > TURNS_MAX) throw livelock(this.#now);
    }
    this.#now = Math.max(this.#now, until);
  }

  /**
   * Drops cancelled timers once they are the larger part: otherwise they stay until they are due.
   */
  #sweep(): void {
    const heaps = [this.#timers, this.#periodic];
    if (this.#cancelled * 2 < this.#timers.length + this.#periodic.length) return;
    this.#cancelled = 0;
    for (const heap of heaps) {
      const left = heap.filter((entry) => !entry.isCancelled).sort(compare);
      heap.length = 0;
      // A sorted array is a heap.
      for (const entry of left) heap.push(entry);
    }
  }

  #takeTimer(until: Timestamp): Entry | undefined {
    const one = peek(this.#timers);
    const other = peek(this.#periodic);
    const isOne = one !== undefined && (other === undefined || compare(one, other) < 0);
    const first = isOne ? one : other;
    if (first === undefined || first.at > until) return undefined;
    pop(isOne ? this.#timers : this.#periodic);
    return first;
  }
}

function livelock(now: Timestamp): SkepError {
  return new SkepError('aborted', `livelock: a million calls at virtual time ${now}`);
}

function compare(a: Entry, b: Entry): number {
  return a.at - b.at || a.order - b.order;
}

/** The first entry that was not cancelled; those before it are dropped. */
function peek(heap: Entry[]): Entry | undefined {
  while (heap[0]?.isCancelled === true) pop(heap);
  return heap[0];
}

function push(heap: Entry[], entry: Entry): void {
  let at = heap.push(entry) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || compare(above, entry) <= 0) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    const left = heap[child];
    const right = heap[child + 1];
    if (left === undefined) break;
    if (right !== undefined && compare(right, left) < 0) child += 1;
    const smaller = heap[child];
    if (smaller === undefined || compare(last, smaller) <= 0) break;
    heap[at] = smaller;
    at = child;
  }
  heap[at] = last;
}
