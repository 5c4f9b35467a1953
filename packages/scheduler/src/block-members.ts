/**
 * Which nodes stand together in which block.
 */

/** Nodes of a block at most. */
export const BLOCK_MAX = 64;

/** The least and the most of a column over each block, by position; of empty ones anything. */
export interface BlockRanges {
  readonly least: Float64Array;
  readonly most: Float64Array;
}

/** Nodes by block: every block is a few ordinals, rising. Blocks are known by their position. */
export class BlockMembers {
  /** Block of each node, by ordinal; -1 for none. */
  readonly blockOf: Int32Array;
  #groupOf: Int32Array = new Int32Array(0);
  #sizes: Int32Array = new Int32Array(0);
  #slots: Int32Array = new Int32Array(0);
  #used = 0;
  readonly #free: number[] = [];
  /** An array for each number of members: asking for members makes nothing new. */
  readonly #views: Int32Array[];

  constructor(nodes: number) {
    this.blockOf = new Int32Array(nodes).fill(-1);
    this.#views = Array.from({ length: BLOCK_MAX + 1 }, (_, size) => new Int32Array(size));
  }

  /** Positions of blocks there are; some may be empty. */
  get positions(): number {
    return this.#sizes.length;
  }

  /** The group that each block belongs to, by position. */
  get groupOf(): Int32Array {
    return this.#groupOf;
  }

  /** How many nodes each block has, by position. */
  get sizes(): Int32Array {
    return this.#sizes;
  }

  /** The least ordinal of a block that is not empty. */
  first(block: number): number {
    return this.#slots[block * BLOCK_MAX] as number;
  }

  /** The ordinals of a block, rising; good until the next call. */
  of(block: number): Int32Array {
    const size = this.#sizes[block] as number;
    const view = this.#views[size] as Int32Array;
    const start = block * BLOCK_MAX;
    for (let k = 0; k < size; k += 1) view[k] = this.#slots[start + k] as number;
    return view;
  }

  /** Writes the least and the most of a column over a block; `Infinity` and less for none. */
  range(block: number, column: Float64Array, into: BlockRanges): void {
    const slots = this.#slots;
    const start = block * BLOCK_MAX;
    const end = start + (this.#sizes[block] as number);
    let low = Infinity;
    let high = -Infinity;
    for (let at = start; at < end; at += 1) {
      const value = column[slots[at] as number] as number;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    into.least[block] = low;
    into.most[block] = high;
  }

  /** A block of the group without members. */
  open(group: number): number {
    const block = this.#free.pop() ?? this.#used++;
    if (block >= this.positions) this.#grow();
    this.#groupOf[block] = group;
    return block;
  }

  /** Gives an empty block up. */
  close(block: number): void {
    this.#free.push(block);
  }

  /** Puts a node into a block that has room. */
  add(block: number, ordinal: number): void {
    const start = block * BLOCK_MAX;
    const slots = this.#slots;
    let at = start + (this.#sizes[block] as number);
    for (; at > start && (slots[at - 1] as number) > ordinal; at -= 1) {
      slots[at] = slots[at - 1] as number;
    }
    slots[at] = ordinal;
    this.#sizes[block] = (this.#sizes[block] as number) + 1;
    this.blockOf[ordinal] = block;
  }

  /** Takes a node out of its block. */
  remove(ordinal: number): void {
    const block = this.blockOf[ordinal] as number;
    const size = (this.#sizes[block] as number) - 1;
    const slots = this.#slots;
    const end = block * BLOCK_MAX + size;
    let at = block * BLOCK_MAX;
    while ((slots[at] as number) !== ordinal) at += 1;
    for (; at < end; at += 1) slots[at] = slots[at + 1] as number;
    this.#sizes[block] = size;
    this.blockOf[ordinal] = -1;
  }

  #grow(): void {
    // What is not used is looked over each time: an eighth more will do.
    const positions = Math.ceil(this.positions * 1.125) + 8;
    this.#groupOf = grown(this.#groupOf, positions);
    this.#sizes = grown(this.#sizes, positions);
    this.#slots = grown(this.#slots, positions * BLOCK_MAX);
  }
}

function grown(array: Int32Array, length: number): Int32Array {
  const longer = new Int32Array(length);
  longer.set(array);
  return longer;
}
