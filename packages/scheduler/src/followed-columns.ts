/**
 * Columns that plugins make of the nodes, kept up to date.
 */
import type { NodeInfo } from './node-info.js';

/** Columns of plugins that are followed at a time; the one that is followed longest goes first. */
const FOLLOWED_MAX = 32;

/** What gives a column its values. */
export type ColumnValue = (node: NodeInfo) => number;

/** A value of every node. Written out: `Float64Array.from` walks the nodes by an iterator. */
export function columnOf(nodes: readonly NodeInfo[], value: ColumnValue): Float64Array {
  const column = new Float64Array(nodes.length);
  for (let at = 0; at < nodes.length; at += 1) column[at] = value(nodes[at] as NodeInfo);
  return column;
}

/** A column for each function. They are few and asked for often: a list is faster than a map. */
export class FollowedColumns {
  readonly #values: ColumnValue[] = [];
  readonly #columns: Float64Array[] = [];

  /** The column of the function, if it is followed. */
  find(value: ColumnValue): Float64Array | undefined {
    const values = this.#values;
    for (let k = 0; k < values.length; k += 1) if (values[k] === value) return this.#columns[k];
    return undefined;
  }

  /** Follows a column from now on; returns the one that is followed no more for it. */
  add(value: ColumnValue, column: Float64Array): Float64Array | undefined {
    this.#values.push(value);
    this.#columns.push(column);
    if (this.#values.length <= FOLLOWED_MAX) return undefined;
    this.#values.shift();
    return this.#columns.shift();
  }

  /** The node or its use changed. */
  write(node: NodeInfo): void {
    for (let k = 0; k < this.#values.length; k += 1) {
      (this.#columns[k] as Float64Array)[node.ordinal] = (this.#values[k] as ColumnValue)(node);
    }
  }
}
