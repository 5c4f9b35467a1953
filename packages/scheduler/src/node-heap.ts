/**
 * A heap of nodes that can be asked for any node in it, on a snapshot of their rank values.
 *
 * The values are kept in columns and change only when a node is put again. So the heap is
 * consistent while nodes change under it, and nodes may be brought up to date one after the other.
 */
import type { NodeRecord } from './node-info.js';

/**
 * A binary heap over nodes by columns of values, then by their order; the least is on top.
 * It holds ordinals: to find a node's place no node is looked at.
 */
export class NodeHeap {
  /** What counts most; zeros without columns. */
  readonly #first: Float64Array;
  readonly #others: readonly Float64Array[];
  readonly #nodes: NodeRecord[];
  /** Position + 1 by ordinal of the node; 0 when it is not in the heap. */
  readonly #positions: Int32Array;
  /** Ordinals of the nodes by their position. */
  readonly #items: Int32Array;
  #size = 0;

  /** An empty heap for nodes with ordinals below `nodeCount`. */
  constructor(nodeCount: number, columnCount: number) {
    this.#nodes = new Array<NodeRecord>(nodeCount);
    this.#positions = new Int32Array(nodeCount);
    this.#items = new Int32Array(nodeCount);
    this.#first = new Float64Array(nodeCount);
    this.#others = Array.from(
      { length: Math.max(0, columnCount - 1) },
      () => new Float64Array(nodeCount),
    );
  }

  get size(): number {
    return this.#size;
  }

  has({ ordinal }: NodeRecord): boolean {
    return ordinal >= 0 && this.#positions[ordinal] !== 0;
  }

  /** The least node. */
  peek(): NodeRecord | undefined {
    return this.#size === 0 ? undefined : this.#nodes[this.#items[0] as number];
  }

  /** The least node but one. Cost: one comparison. */
  second(): NodeRecord | undefined {
    if (this.#size < 2) return undefined;
    const left = this.#items[1] as number;
    const right = this.#items[2] as number;
    const isRight = this.#size > 2 && this.#isBefore(right, left);
    return this.#nodes[isRight ? right : left];
  }

  /** Adds the node, or finds its new place, with these values. Cost: O(log size). */
  put(node: NodeRecord, values: readonly number[]): void {
    const { ordinal } = node;
    if (values.length > 0) this.#first[ordinal] = values[0] as number;
    for (let c = 1; c < values.length; c += 1) {
      (this.#others[c - 1] as Float64Array)[ordinal] = values[c] as number;
    }
    const position = this.#positions[ordinal] as number;
    if (position === 0) {
      this.#nodes[ordinal] = node;
      this.#size += 1;
      this.#rise(ordinal, this.#size - 1);
    } else if (!this.#rise(ordinal, position - 1)) {
      this.#sink(ordinal, position - 1);
    }
  }

  /** Takes the node out, if it is in. Cost: O(log size). */
  delete(node: NodeRecord): void {
    if (!this.has(node)) return;
    const { ordinal } = node;
    const at = (this.#positions[ordinal] as number) - 1;
    this.#positions[ordinal] = 0;
    this.#size -= 1;
    const last = this.#items[this.#size] as number;
    if (last === ordinal) return;
    if (!this.#rise(last, at)) this.#sink(last, at);
  }

  #isBefore(a: number, b: number): boolean {
    const difference = (this.#first[a] as number) - (this.#first[b] as number);
    if (difference !== 0) return difference < 0;
    for (const column of this.#others) {
      const further = (column[a] as number) - (column[b] as number);
      if (further !== 0) return further < 0;
    }
    return a < b;
  }

  #place(ordinal: number, at: number): void {
    this.#items[at] = ordinal;
    this.#positions[ordinal] = at + 1;
  }

  /** Whether it moved; it is placed in either case. */
  #rise(ordinal: number, start: number): boolean {
    const items = this.#items;
    let at = start;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = items[up] as number;
      if (!this.#isBefore(ordinal, parent)) break;
      this.#place(parent, at);
      at = up;
    }
    this.#place(ordinal, at);
    return at !== start;
  }

  /**
   * Moves the node down. It was used, so it mostly belongs near the bottom: the hole goes all the
   * way down along the lesser children, and the node rises from there. That is one comparison a
   * level and not two.
   */
  #sink(ordinal: number, start: number): void {
    const items = this.#items;
    const size = this.#size;
    let at = start;
    for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
      const right = child + 1;
      if (right < size && this.#isBefore(items[right] as number, items[child] as number)) {
        child = right;
      }
      this.#place(items[child] as number, at);
      at = child;
    }
    while (at > start) {
      const up = (at - 1) >> 1;
      const parent = items[up] as number;
      if (!this.#isBefore(ordinal, parent)) break;
      this.#place(parent, at);
      at = up;
    }
    this.#place(ordinal, at);
  }
}
