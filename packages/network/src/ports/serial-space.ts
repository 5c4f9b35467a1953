/**
 * Numbers that are given in turn: VXLAN ids, dynamic ports.
 *
 * **Source:** SwarmKit internal/idm, serial mode.
 */
import { SparseBitmap } from '../ipam/sparse-bitmap.js';

/** Bounds of a {@link SerialSpace}, both included. */
export interface SerialRange {
  readonly first: number;
  readonly last: number;
}

/**
 * A set of numbers, of which those in a range are given in turn: the search goes on after the
 * number given last and wraps. Numbers outside the range can be taken one by one.
 * State: the taken numbers and {@link last}. Cost: O(1) in practice (see SparseBitmap).
 */
export class SerialSpace {
  readonly range: SerialRange;
  /** The number given last; undefined when none was, or when it lies outside the range. */
  last: number | undefined;
  readonly #used: SparseBitmap;

  /** `max` is the largest number that can be taken; default: the last of the range. */
  constructor(range: SerialRange, options: { readonly max?: number; readonly last?: number } = {}) {
    this.range = range;
    this.#used = new SparseBitmap(Math.max(options.max ?? range.last, range.last) + 1);
    this.last = options.last;
  }

  /** Takes a number. False when it is taken already. */
  take(number: number): boolean {
    return this.#used.add(number);
  }

  /** Takes the next free number of the range; undefined when all are taken. */
  next(): number | undefined {
    const { first, last } = this.range;
    const from = this.last === undefined ? first : this.last + 1;
    let found = this.#used.nextGap(from < first || from > last ? first : from, last + 1);
    if (found < 0) found = this.#used.nextGap(first, last + 1);
    if (found < 0) return undefined;
    this.#used.add(found);
    this.last = found;
    return found;
  }

  /** Gives a number back. False when it was not taken. */
  release(number: number): boolean {
    return this.#used.delete(number);
  }

  /** Whether the number is taken. */
  has(number: number): boolean {
    return this.#used.has(number);
  }

  /** How many numbers are taken. */
  get taken(): number {
    return this.#used.count;
  }
}
