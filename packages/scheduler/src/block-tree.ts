/**
 * The nodes of one group in blocks of like use: cut in two, again and again, where they differ
 * most. A node that a task was placed on moves to the block that it is like now.
 *
 * The closer the nodes of a block are to each other, the closer what a score says of the block is
 * to what it says of its nodes, and the fewer blocks have to be looked at.
 *
 * **Source:** a k-d tree with buckets (Bentley 1975), whose cuts are made anew from time to time.
 */
import { BLOCK_MAX, type BlockMembers } from './block-members.js';

/** Where each node stands, by ordinal: one column for each way in which nodes differ. */
export type BlockAxes = readonly Float64Array[];

/** Nodes of a new block at most: the others of {@link BLOCK_MAX} may come later. */
const NEW_MAX = 48;
/** Cuts are made anew after as many moves as there are nodes, but not before this many. */
const MOVES_MIN = 64;

/** Either a block, or a cut between two cells. */
interface Cell {
  block: number;
  cut: Cut | undefined;
}

interface Cut {
  readonly axis: Float64Array;
  /** The least value of those above. */
  readonly value: number;
  readonly below: Cell;
  readonly above: Cell;
}

/** The blocks of one group. */
export class BlockTree {
  readonly #group: number;
  readonly #ordinals: readonly number[];
  readonly #axes: BlockAxes;
  readonly #members: BlockMembers;
  #root: Cell;
  #blocks: number[] = [];
  #moves = 0;

  /** @param axes - the last one has to differ between any two nodes. */
  constructor(
    ordinals: readonly number[],
    into: { readonly group: number; readonly axes: BlockAxes; readonly members: BlockMembers },
  ) {
    this.#group = into.group;
    this.#ordinals = ordinals;
    this.#axes = into.axes;
    this.#members = into.members;
    this.#root = this.#cellOf(ordinals);
  }

  /** The node may stand elsewhere now. `changed` is told of every block that has other members. */
  move(ordinal: number, changed: (block: number) => void): void {
    const members = this.#members;
    const from = members.blockOf[ordinal] as number;
    let cell = cellAt(this.#root, ordinal);
    if (cell.block === from) return;
    this.#moves += 1;
    if (this.#moves >= Math.max(MOVES_MIN, this.#ordinals.length)) {
      this.#cutAnew(changed);
      return;
    }
    members.remove(ordinal);
    changed(from);
    if ((members.sizes[cell.block] as number) === BLOCK_MAX) {
      this.#split(cell, changed);
      cell = cellAt(cell, ordinal);
    }
    members.add(cell.block, ordinal);
    changed(cell.block);
  }

  #cutAnew(changed: (block: number) => void): void {
    for (const ordinal of this.#ordinals) this.#members.remove(ordinal);
    for (const block of this.#blocks) {
      this.#members.close(block);
      changed(block);
    }
    this.#blocks = [];
    this.#moves = 0;
    this.#root = this.#cellOf(this.#ordinals);
    for (const block of this.#blocks) changed(block);
  }

  #split(cell: Cell, changed: (block: number) => void): void {
    const ordinals = [...this.#members.of(cell.block)];
    for (const ordinal of ordinals) this.#members.remove(ordinal);
    changed(cell.block);
    this.#blocks.splice(this.#blocks.indexOf(cell.block), 1);
    this.#members.close(cell.block);
    cell.block = -1;
    const known = this.#blocks.length;
    cell.cut = this.#cutOf(ordinals);
    // Two mostly; more where a half is large because many nodes are alike, and was cut again.
    for (let k = known; k < this.#blocks.length; k += 1) changed(this.#blocks[k] as number);
  }

  #cellOf(ordinals: readonly number[]): Cell {
    if (ordinals.length > NEW_MAX) return { block: -1, cut: this.#cutOf(ordinals) };
    const block = this.#members.open(this.#group);
    this.#blocks.push(block);
    for (const ordinal of ordinals) this.#members.add(block, ordinal);
    return { block, cut: undefined };
  }

  /** Cuts at the middle of the axis on which the nodes differ most. At least two nodes. */
  #cutOf(ordinals: readonly number[]): Cut {
    const axis = this.#widest(ordinals);
    const values = ordinals.map((ordinal) => axis[ordinal] as number).sort((a, b) => a - b);
    const middle = values[values.length >> 1] as number;
    // Nobody would be below the least.
    const value = middle > (values[0] as number) ? middle : firstAbove(values, middle);
    const isBelow = (ordinal: number): boolean => (axis[ordinal] as number) < value;
    return {
      axis,
      value,
      below: this.#cellOf(ordinals.filter(isBelow)),
      above: this.#cellOf(ordinals.filter((ordinal) => !isBelow(ordinal))),
    };
  }

  /** The last axis serves those that are alike on all others. */
  #widest(ordinals: readonly number[]): Float64Array {
    const last = this.#axes.length - 1;
    let widest = this.#axes[last] as Float64Array;
    let most = 0;
    for (let a = 0; a < last; a += 1) {
      const axis = this.#axes[a] as Float64Array;
      let low = Infinity;
      let high = -Infinity;
      for (const ordinal of ordinals) {
        low = Math.min(low, axis[ordinal] as number);
        high = Math.max(high, axis[ordinal] as number);
      }
      if (high - low <= most) continue;
      most = high - low;
      widest = axis;
    }
    return widest;
  }
}

function cellAt(root: Cell, ordinal: number): Cell {
  let cell = root;
  while (cell.cut !== undefined) {
    const { axis, value, below, above } = cell.cut;
    cell = (axis[ordinal] as number) < value ? below : above;
  }
  return cell;
}

function firstAbove(values: readonly number[], bound: number): number {
  return values.find((value) => value > bound) ?? Infinity;
}
