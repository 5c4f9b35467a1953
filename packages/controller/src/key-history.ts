/**
 * The keys that were finished last, so that one can still ask why they ran.
 */
import type { QueueEntry } from './queue-entry.js';

/** The newest `max` entries that went idle; older ones are overwritten. */
export class KeyHistory {
  readonly #max: number;
  readonly #entries: QueueEntry[] = [];
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Remembers an entry. Cost: O(1). */
  add(entry: QueueEntry): void {
    this.#entries[this.#next] = entry;
    this.#next = (this.#next + 1) % this.#max;
  }

  /** The newest entry of a key. Cost: O(max). */
  find(key: string): QueueEntry | undefined {
    for (let age = 1; age <= this.#entries.length; age += 1) {
      const entry = this.#entries[(this.#next - age + this.#max) % this.#max];
      if (entry?.key === key) return entry;
    }
    return undefined;
  }
}
