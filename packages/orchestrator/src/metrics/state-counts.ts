/**
 * How many objects are in each of a few states, as the series of one gauge.
 */
import type { Gauge, MetricLabels } from '@skep/api';

/** Counts by state. Moving costs two lookups; the gauge hears of states that changed. */
export class StateCounts {
  readonly #gauge: Gauge;
  readonly #labels = new Map<string, MetricLabels>();
  readonly #counts = new Map<string, number>();
  readonly #changed = new Set<string>();

  constructor(gauge: Gauge, label: string, states: readonly string[]) {
    this.#gauge = gauge;
    for (const state of states) this.#labels.set(state, Object.freeze({ [label]: state }));
    this.clear();
  }

  /** Sets all states to none. */
  clear(): void {
    for (const state of this.#labels.keys()) {
      this.#counts.set(state, 0);
      this.#changed.add(state);
    }
  }

  /** An object came (no `from`), went (no `to`), or went from one state to another. */
  move(from: string | undefined, to: string | undefined): void {
    if (from === to) return;
    if (from !== undefined) this.#add(from, -1);
    if (to !== undefined) this.#add(to, 1);
  }

  /** Tells the gauge what has changed since the last call. */
  tell(): void {
    if (this.#changed.size === 0) return;
    for (const state of this.#changed) {
      this.#gauge.set(this.#counts.get(state) ?? 0, this.#labels.get(state) ?? {});
    }
    this.#changed.clear();
  }

  #add(state: string, difference: number): void {
    if (!this.#labels.has(state)) return;
    this.#counts.set(state, (this.#counts.get(state) ?? 0) + difference);
    this.#changed.add(state);
  }
}
