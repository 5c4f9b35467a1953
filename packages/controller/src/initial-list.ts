/**
 * The list that comes before the watch: every object there is, told to the sources as `created`.
 */
import type { StoredObject } from '@skep/api';
import type { View } from '@skep/store';
import { listInOrder, oldestFirst, type KeySource } from './key-sources.js';

/**
 * Lists all objects of all sources, as far as the queue has room, and goes on from there later.
 *
 * This is also what makes a full queue harmless: keys that were refused are found again, because a
 * refusal asks for another round, and a round goes on where the last one stopped, so no key waits
 * for ever behind others. Order: by source, then oldest object first.
 */
export class InitialList {
  readonly #sources: readonly KeySource[];
  #source = 0;
  #after: StoredObject | undefined;
  #isPending = false;
  #isAnotherRoundWanted = false;

  constructor(sources: readonly KeySource[]) {
    this.#sources = sources;
  }

  /** Whether some objects may not have been told yet. */
  get isPending(): boolean {
    return this.#isPending;
  }

  /** Another list of the same sources, from the first object. */
  another(): InitialList {
    const list = new InitialList(this.#sources);
    list.restart();
    return list;
  }

  /** Starts from the first object again. */
  restart(): void {
    this.#source = 0;
    this.#after = undefined;
    this.#isPending = true;
    this.#isAnotherRoundWanted = false;
  }

  /** Asks for one more full round: a key was refused somewhere. */
  again(): void {
    if (this.#isPending) this.#isAnotherRoundWanted = true;
    else this.restart();
  }

  /**
   * Tells objects until one is refused or all were told.
   * Cost: O(n log n) for the kinds that are left.
   */
  fill(view: View, tell: (source: KeySource, object: StoredObject) => boolean): void {
    while (this.#isPending) {
      const source = this.#sources[this.#source];
      if (source === undefined) {
        const isDone = !this.#isAnotherRoundWanted;
        this.restart();
        this.#isPending = !isDone;
        continue;
      }
      for (const object of listInOrder(view, source.kind)) {
        if (this.#after !== undefined && oldestFirst(object, this.#after) <= 0) continue;
        if (!tell(source, object)) return;
        this.#after = object;
      }
      this.#source += 1;
      this.#after = undefined;
    }
  }
}
