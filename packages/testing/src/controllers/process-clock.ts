/**
 * The clock of one process: deferred calls wait to be taken one by one, and all that a process
 * still had to do dies with it.
 */
import type { Clock, Random, Timer, TimerOptions, Timestamp } from '@skep/api';
import type { VirtualClock } from '@skep/api/virtual';

interface Call {
  readonly owner: ProcessClock;
  readonly run: () => void;
}

/** Deferred calls of all processes, in the order in which they were asked for, or a random one. */
export class CallQueue {
  readonly #random: Random | undefined;
  #calls: Call[] = [];

  constructor(random?: Random) {
    this.#random = random;
  }

  get isEmpty(): boolean {
    return this.#calls.length === 0;
  }

  push(call: Call): void {
    this.#calls.push(call);
  }

  /** The next call. Cost: O(calls), which are at most one for each controller. */
  take(): (() => void) | undefined {
    const at = this.#random?.int(this.#calls.length) ?? 0;
    return this.#calls.splice(at, 1)[0]?.run;
  }

  /** Forgets the calls of a process. */
  drop(owner: ProcessClock): void {
    this.#calls = this.#calls.filter((call) => call.owner !== owner);
  }
}

/** Virtual time as one process sees it. */
export class ProcessClock implements Clock {
  readonly #virtual: VirtualClock;
  readonly #calls: CallQueue;
  readonly #timers = new Set<Timer>();
  #isDead = false;

  constructor(virtual: VirtualClock, calls: CallQueue) {
    this.#virtual = virtual;
    this.#calls = calls;
  }

  now(): Timestamp {
    return this.#virtual.now();
  }

  defer(run: () => void): void {
    if (!this.#isDead) this.#calls.push({ owner: this, run });
  }

  schedule(at: Timestamp, run: () => void, options?: TimerOptions): Timer {
    if (this.#isDead) return { cancel: () => undefined };
    const timer = this.#virtual.schedule(
      at,
      () => {
        this.#timers.delete(timer);
        run();
      },
      options,
    );
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        timer.cancel();
      },
    };
  }

  /** Nothing that was asked for happens any more. */
  kill(): void {
    this.#isDead = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#calls.drop(this);
  }
}
