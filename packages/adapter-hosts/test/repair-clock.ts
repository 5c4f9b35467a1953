/**
 * A clock whose wait for the next look at a node's tables can be cut short: so that tests of what
 * agents put right do not last half a minute each.
 */
import type { Clock, Timer } from '@skep/api';

type Options = Parameters<Clock['schedule']>[2];

/** Label of the timer, as the agent gives it. */
const REPAIR = 'table repair';

/** See the module comment. */
export class RepairClock implements Clock {
  readonly #inner: Clock;
  readonly #waiting = new Map<Timer, () => void>();

  constructor(inner: Clock) {
    this.#inner = inner;
  }

  now(): number {
    return this.#inner.now();
  }

  defer(run: () => void): void {
    this.#inner.defer(run);
  }

  schedule(at: number, run: () => void, options?: Options): Timer {
    if (options?.label !== REPAIR) return this.#inner.schedule(at, run, options);
    const inner = this.#inner.schedule(at, () => this.#fire(timer), options);
    const timer: Timer = {
      cancel: () => {
        inner.cancel();
        this.#waiting.delete(timer);
      },
    };
    this.#waiting.set(timer, run);
    return timer;
  }

  /** The period is over for all agents with this clock. */
  passRepairPeriod(): void {
    for (const timer of [...this.#waiting.keys()]) this.#fire(timer);
  }

  #fire(timer: Timer): void {
    const run = this.#waiting.get(timer);
    timer.cancel();
    run?.();
  }
}
