/**
 * Working memory of scans over all nodes.
 */

/** Arrays that are used for one choice, and then for the next: they hold nothing in between. */
export class ScratchArrays {
  mask = new Uint8Array(0);
  #values: Float64Array[] = [];

  /** These arrays, for this many nodes. */
  sized(nodes: number): this {
    if (this.mask.length !== nodes) {
      this.mask = new Uint8Array(nodes);
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
}
