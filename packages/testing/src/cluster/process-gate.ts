/**
 * A process that can be paused, as one that gets no processor, and killed.
 */
import type { Clock, Timer } from '@skep/api';
import type { Backend } from '@skep/store';

/** How a process goes on after a pause. */
export interface ResumeOptions {
  /**
   * Whether what was held up last comes first: what woke last may well run first. Default: false.
   */
  readonly isReversed?: boolean;
}

/**
 * Holds up all that a process does: its timers, its deferred calls, what it hears of the log, and
 * what it writes, before it is in the log as well as after. Once killed, nothing of it ever
 * happens.
 */
export class ProcessGate {
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  #held: (() => void)[] = [];
  #isPaused = false;
  #isPausingOnWrite = false;
  #isDead = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Nothing happens from now on, until `resume`. */
  pause(): void {
    this.#isPaused = true;
  }

  /** The same at its next write, between the decision and the log: the worst moment. */
  pauseOnWrite(): void {
    this.#isPausingOnWrite = true;
  }

  /** Goes on, with one thing that was held up a millisecond. */
  resume({ isReversed = false }: ResumeOptions = {}): void {
    this.#isPaused = false;
    this.#isPausingOnWrite = false;
    const held = this.#held.splice(0);
    if (isReversed) held.reverse();
    const now = this.#clock.now();
    for (const [at, run] of held.entries())
      this.#at(now + at, run, { label: 'held up by a pause' });
  }

  /** The process is gone. */
  kill(): void {
    this.#isDead = true;
    this.#held = [];
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  /** Runs something of the process: now, or when it goes on. */
  pass(run: () => void): void {
    if (this.#isDead) return;
    if (this.#isPaused) this.#held.push(run);
    else run();
  }

  /** The clock that the process is given. */
  clock(): Clock {
    return {
      now: () => this.#clock.now(),
      defer: (run) => this.#clock.defer(() => this.pass(run)),
      schedule: (at, run, options) => this.#at(at, run, options),
    };
  }

  /** The backend that the process is given. */
  backend(inner: Backend): Backend {
    const turn = (): Promise<void> => new Promise((resolve) => this.pass(resolve));
    return {
      load: () => inner.load(),
      append: async (record) => {
        if (this.#isPausingOnWrite) this.#isPaused = true;
        await turn();
        const outcome = await inner.append(record);
        await turn();
        return outcome;
      },
      subscribe: (listener) => inner.subscribe((record) => this.pass(() => listener(record))),
      compact: (revision, snapshot) => inner.compact(revision, snapshot),
      close: () => inner.close(),
    };
  }

  #at(at: number, run: () => void, options?: Parameters<Clock['schedule']>[2]): Timer {
    if (this.#isDead) return { cancel: () => undefined };
    let isCancelled = false;
    const fire = (): void => {
      this.#timers.delete(timer);
      this.pass(() => {
        if (!isCancelled) run();
      });
    };
    const inner = this.#clock.schedule(at, fire, options);
    const timer: Timer = {
      cancel: () => {
        isCancelled = true;
        this.#timers.delete(timer);
        inner.cancel();
      },
    };
    this.#timers.add(timer);
    return timer;
  }
}
