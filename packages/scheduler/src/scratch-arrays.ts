/**
 * Working memory of scans over all nodes.
 */

import { JointBounds } from './joint-bounds.js';

/** Arrays that are used for one choice, and then for the next: they hold nothing in between. */
export class ScratchArrays {
  mask = new Uint8Array(0);
  /** Bounds of several scores together, of one task at a time. */
  readonly joint = new JointBounds();
  /** The mask, four nodes a word. */
  #words = new Uint32Array(0);
  #values: Float64Array[] = [];
  #bounds: Float64Array[] = [];
  readonly #few: Int32Array[] = [];
  readonly #sums: Float64Array[][] = [];

  /** These arrays, for this many nodes. */
  sized(nodes: number): this {
    if (this.mask.length !== nodes) {
      this.#words = new Uint32Array(Math.ceil(nodes / 4));
      this.mask = new Uint8Array(this.#words.buffer, 0, nodes);
      this.#values = [];
    }
    return this;
  }

  values(at: number): Float64Array {
    let values = this.#values[at];
    if (values === undefined) {
      values = new Float64Array(this.mask.length);
      this.#values[at] = values;
    }
    return values;
  }

  /** An array for that many blocks. */
  bounds(at: number, blocks: number): Float64Array {
    let bounds = this.#bounds[at];
    if (bounds?.length !== blocks) {
      bounds = new Float64Array(blocks);
      this.#bounds[at] = bounds;
    }
    return bounds;
  }

  /** Ordinals of that many nodes. */
  few(nodes: number): Int32Array {
    return (this.#few[nodes] ??= new Int32Array(nodes));
  }

  /** Sums for that many nodes. */
  sums(at: number, nodes: number): Float64Array {
    const arrays = (this.#sums[at] ??= []);
    return (arrays[nodes] ??= new Float64Array(nodes));
  }

  /** How many bytes of the mask are 1. All of them are 0 or 1. */
  countMask(): number {
    const words = this.#words;
    let count = 0;
    for (let start = 0; start < words.length; start += LANE_MAX) {
      const end = Math.min(words.length, start + LANE_MAX);
      // Four counters in one number, none of which overflows.
      let lanes = 0;
      for (let at = start; at < end; at += 1) lanes += words[at] as number;
      count += (lanes & 255) + ((lanes >>> 8) & 255) + ((lanes >>> 16) & 255) + (lanes >>> 24);
    }
    return count;
  }
}

/** Additions of 0 or 1 that a byte takes. */
const LANE_MAX = 255;
