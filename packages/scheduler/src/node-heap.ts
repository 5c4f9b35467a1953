/**
 * A heap of nodes that can be asked for any node in it, on a snapshot of their rank values.
 *
 * The values are kept in columns and change only when a node is put again. So the heap is
 * consistent while nodes change under it, and nodes may be brought up to date one after the other.
 */
import type { NodeRecord } from './node-info.js';

/** A binary heap over nodes by columns of values, then by their order; the least is on top. */
export class NodeHeap {
  readonly #columns: readonly Float64Array[];
  /** Position + 1 by ordinal of the node; 0 when it is not in the heap. */
  readonly #positions: Int32Array;
  readonly #items: NodeRecord[] = [];

  /** An empty heap for nodes with ordinals below `nodeCount`. */
  constructor(nodeCount: number, columnCount: number) {
    this.#positions = new Int32Array(nodeCount);
    this.#columns = Array.from({ length: columnCount }, () => new Float64Array(nodeCount));
  }

  get size(): number {
    return this.#items.length;
  }

  has(node: NodeRecord): boolean {
    return node.ordinal >= 0 && this.#positions[node.ordinal] !== 0;
  }

  /** The least node. */
  peek(): NodeRecord | undefined {
    return this.#items[0];
  }

  /** The least node but one. Cost: one comparison. */
  second(): NodeRecord | undefined {
    const left = this.#items[1];
    const right = this.#items[2];
    if (left === undefined || right === undefined) return left;
    return this.#isBefore(right.ordinal, left.ordinal) ? right : left;
  }

  /** Adds the node, or finds its new place, with these values. Cost: O(log size). */
  put(node: NodeRecord, values: readonly number[]): void {
    const { ordinal } = node;
    for (let c = 0; c < values.length; c += 1) {
      (this.#columns[c] as Float64Array)[ordinal] = values[c] as number;
    }
    const position = this.#positions[ordinal] as number;
    const at = position === 0 ? this.#items.push(node) - 1 : position - 1;
    if (!this.#rise(node, at)) this.#sink(node, at);
  }

  /** Takes the node out, if it is in. Cost: O(log size). */
  delete(node: NodeRecord): void {
    if (!this.has(node)) return;
    const at = (this.#positions[node.ordinal] as number) - 1;
    this.#positions[node.ordinal] = 0;
    const last = this.#items.pop() as NodeRecord;
    if (last === node) return;
    if (!this.#rise(last, at)) this.#sink(last, at);
  }

  #isBefore(a: number, b: number): boolean {
    const columns = this.#columns;
    for (let c = 0; c < columns.length; c += 1) {
      const column = columns[c] as Float64Array;
      const difference = (column[a] as number) - (column[b] as number);
      if (difference !== 0) return difference < 0;
    }
    return a < b;
  }

  #place(node: NodeRecord, at: number): void {
    this.#items[at] = node;
    this.#positions[node.ordinal] = at + 1;
  }

  /** Whether it moved; it is placed in either case. */
  #rise(node: NodeRecord, start: number): boolean {
    let at = start;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = this.#items[up] as NodeRecord;
      if (!this.#isBefore(node.ordinal, parent.ordinal)) break;
      this.#place(parent, at);
      at = up;
    }
    this.#place(node, at);
    return at !== start;
  }

  /**
   * Moves the node down. It was used, so it mostly belongs near the bottom: the hole goes all the
   * way down along the lesser children, and the node rises from there. That is one comparison a
   * level and not two.
   */
  #sink(node: NodeRecord, start: number): void {
    const items = this.#items;
    const { length } = items;
    let at = start;
    for (let child = 2 * at + 1; child < length; child = 2 * at + 1) {
      const right = child + 1;
      if (
        right < length &&
        this.#isBefore((items[right] as NodeRecord).ordinal, (items[child] as NodeRecord).ordinal)
      ) {
        child = right;
      }
      this.#place(items[child] as NodeRecord, at);
      at = child;
    }
    while (at > start) {
      const up = (at - 1) >> 1;
      const parent = items[up] as NodeRecord;
      if (!this.#isBefore(node.ordinal, parent.ordinal)) break;
      this.#place(parent, at);
      at = up;
    }
    this.#place(node, at);
  }
}
