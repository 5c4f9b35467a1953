/**
 * Lines and columns of offsets in a text.
 */
import type { Place } from '../complaint.js';

/** Knows where the lines of a text begin. Building costs O(text), a look-up O(log lines). */
export class LinePositions {
  readonly #starts: readonly number[];

  constructor(text: string) {
    const starts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#starts = starts;
  }

  /** The place of an offset, with lines and columns counted from 1. */
  placeOf(path: string, offset: number, field: string): Place {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { path, line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1, field };
  }
}
