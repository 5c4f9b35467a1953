/**
 * Which keys of which controllers are looked at again and again.
 */
import type { VirtualClock } from '@skep/api/virtual';
import type { Timestamp } from '@skep/api';
import type { PassResult } from '@skep/controller';
import type { Observable } from 'rxjs';

/** Passes over one key without time passing from which on it is called a livelock. */
export const PASSES_AT_ONCE_MAX = 5_000;

/** Passes over one key from which on it is said to be woken for ever. */
export const PASSES_MAX = 20_000;

interface KeyPasses {
  readonly key: string;
  /** Since the watch began. */
  total: number;
  /** At the moment `at`. */
  atOnce: number;
  at: Timestamp;
}

/**
 * Counts passes from its start to its stop, and interrupts the clock when a key gets more than
 * {@link PASSES_AT_ONCE_MAX} without time passing, or more than {@link PASSES_MAX}: that would
 * never
 * end, or not soon.
 * Cost: memory for one entry a key that had a pass.
 */
export class PassWatch {
  readonly #clock: VirtualClock;
  readonly #byController = new Map<string, Map<string, KeyPasses>>();
  readonly #subscription: { unsubscribe(): void };
  #stuck: string | undefined;

  constructor(clock: VirtualClock, results$: Observable<PassResult>) {
    this.#clock = clock;
    this.#subscription = results$.subscribe(({ controller, key }) => this.#passed(controller, key));
  }

  /** What turns round, in words, once something does. */
  get stuck(): string | undefined {
    return this.#stuck;
  }

  /** The key of a controller that had the most passes; of several, the first one. */
  busiest(controller: string): { readonly key: string; readonly total: number } | undefined {
    let busiest: KeyPasses | undefined;
    for (const passes of this.#byController.get(controller)?.values() ?? []) {
      if (passes.total > (busiest?.total ?? 0)) busiest = passes;
    }
    return busiest;
  }

  /** Counts no more. */
  stop(): void {
    this.#subscription.unsubscribe();
  }

  #passed(controller: string, key: string): void {
    let keys = this.#byController.get(controller);
    if (keys === undefined) this.#byController.set(controller, (keys = new Map()));
    const now = this.#clock.now();
    let passes = keys.get(key);
    if (passes === undefined) keys.set(key, (passes = { key, total: 0, atOnce: 0, at: now }));
    passes.total += 1;
    passes.atOnce = passes.at === now ? passes.atOnce + 1 : 1;
    passes.at = now;
    if (this.#stuck !== undefined) return;
    if (passes.atOnce > PASSES_AT_ONCE_MAX) {
      this.#stuck = `livelock: ${controller} ${key} had ${passes.atOnce} passes and no time passed`;
    } else if (passes.total > PASSES_MAX) {
      this.#stuck = `no rest: ${controller} ${key} had ${passes.total} passes`;
    } else return;
    this.#clock.interrupt();
  }
}
