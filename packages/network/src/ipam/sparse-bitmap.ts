/**
 * A set of numbers that is quick to search for gaps, however large its range and however full.
 *
 * A tree of 1024-way nodes. A leaf keeps one bit a number; an inner node keeps one bit a child that
 * is completely full, and drops the child. So runs of members cost one bit per 1024, empty space
 * costs nothing, and the search for a gap looks at no more than 32 words a level.
 */
import { assert } from '@skep/api';

const FAN_BITS = 10;
const FAN = 1 << FAN_BITS;
const WORDS = FAN / 32;

interface Leaf {
  readonly kind: 'leaf';
  readonly bits: Uint32Array;
  count: number;
}

interface Inner {
  readonly kind: 'inner';
  /** Children that are full; those are not kept. */
  readonly full: Uint32Array;
  fullCount: number;
  readonly children: Map<number, Leaf | Inner>;
}

type Branch = Leaf | Inner;

/** Largest range: five levels, and every index exact as a number. */
const SIZE_MAX = 2 ** 50;

/**
 * A set of whole numbers in `[0, size)`.
 * Cost of every operation: O(levels), at most 5, each at most 32 words. Memory: in proportion to
 * the 1024-blocks that are neither empty nor full.
 */
export class SparseBitmap {
  readonly size: number;
  readonly #level: number;
  #root: Branch | undefined;
  #isFull = false;
  #count = 0;

  constructor(size: number) {
    assert(size <= SIZE_MAX, `a bitmap of ${size} numbers, at most ${SIZE_MAX}`);
    this.size = size;
    let level = 0;
    while (FAN ** (level + 1) < size) level += 1;
    this.#level = level;
  }

  /** How many members the set has. */
  get count(): number {
    return this.#count;
  }

  /** Whether the number is a member. */
  has(index: number): boolean {
    if (this.#isFull) return true;
    let branch = this.#root;
    let rest = index;
    for (let level = this.#level; branch !== undefined; level -= 1) {
      if (branch.kind === 'leaf') return hasBit(branch.bits, rest);
      const span = FAN ** level;
      const slot = Math.floor(rest / span);
      if (hasBit(branch.full, slot)) return true;
      branch = branch.children.get(slot);
      rest -= slot * span;
    }
    return false;
  }

  /** Adds a number. False when it was a member already. */
  add(index: number): boolean {
    if (this.has(index)) return false;
    this.#root ??= newBranch(this.#level);
    this.#isFull = addTo(this.#root, this.#level, index);
    if (this.#isFull) this.#root = undefined;
    this.#count += 1;
    return true;
  }

  /** Removes a number. False when it was no member. */
  delete(index: number): boolean {
    if (!this.has(index)) return false;
    const root = this.#isFull ? fullBranch(this.#level) : this.#root;
    this.#isFull = false;
    this.#root = root !== undefined && deleteFrom(root, this.#level, index) ? undefined : root;
    this.#count -= 1;
    return true;
  }

  /** The smallest number in `[from, end)` that is no member; -1 when there is none. */
  nextGap(from: number, end: number): number {
    if (from >= end || this.#isFull) return -1;
    const gap = findGap(this.#root, this.#level, from);
    return gap >= 0 && gap < end ? gap : -1;
  }
}

function newBranch(level: number): Branch {
  return level === 0
    ? { kind: 'leaf', bits: new Uint32Array(WORDS), count: 0 }
    : { kind: 'inner', full: new Uint32Array(WORDS), fullCount: 0, children: new Map() };
}

function fullBranch(level: number): Branch {
  const bits = new Uint32Array(WORDS).fill(0xffffffff);
  return level === 0
    ? { kind: 'leaf', bits, count: FAN }
    : { kind: 'inner', full: bits, fullCount: FAN, children: new Map() };
}

/** Adds below a branch; says whether the branch is full now. */
function addTo(branch: Branch, level: number, index: number): boolean {
  if (branch.kind === 'leaf') {
    setBit(branch.bits, index);
    branch.count += 1;
    return branch.count === FAN;
  }
  const span = FAN ** level;
  const slot = Math.floor(index / span);
  let child = branch.children.get(slot);
  if (child === undefined) {
    child = newBranch(level - 1);
    branch.children.set(slot, child);
  }
  if (!addTo(child, level - 1, index - slot * span)) return false;
  branch.children.delete(slot);
  setBit(branch.full, slot);
  branch.fullCount += 1;
  return branch.fullCount === FAN;
}

/** Deletes below a branch; says whether the branch is empty now. */
function deleteFrom(branch: Branch, level: number, index: number): boolean {
  if (branch.kind === 'leaf') {
    clearBit(branch.bits, index);
    branch.count -= 1;
    return branch.count === 0;
  }
  const span = FAN ** level;
  const slot = Math.floor(index / span);
  let child = branch.children.get(slot);
  if (child === undefined) {
    child = fullBranch(level - 1);
    branch.children.set(slot, child);
    clearBit(branch.full, slot);
    branch.fullCount -= 1;
  }
  if (deleteFrom(child, level - 1, index - slot * span)) branch.children.delete(slot);
  return branch.fullCount === 0 && branch.children.size === 0;
}

/** First gap at or after `from` below a branch, -1 if there is none. */
function findGap(branch: Branch | undefined, level: number, from: number): number {
  if (branch === undefined) return from;
  if (branch.kind === 'leaf') return nextZero(branch.bits, from);
  const span = FAN ** level;
  const slot = Math.floor(from / span);
  if (!hasBit(branch.full, slot)) {
    const gap = findGap(branch.children.get(slot), level - 1, from - slot * span);
    if (gap >= 0) return slot * span + gap;
  }
  const next = nextZero(branch.full, slot + 1);
  return next < 0 ? -1 : next * span + findGap(branch.children.get(next), level - 1, 0);
}

function hasBit(words: Uint32Array, index: number): boolean {
  return (((words[index >>> 5] ?? 0) >>> (index & 31)) & 1) === 1;
}

function setBit(words: Uint32Array, index: number): void {
  words[index >>> 5] = (words[index >>> 5] ?? 0) | (1 << (index & 31));
}

function clearBit(words: Uint32Array, index: number): void {
  words[index >>> 5] = (words[index >>> 5] ?? 0) & ~(1 << (index & 31));
}

function nextZero(words: Uint32Array, from: number): number {
  if (from >= FAN) return -1;
  let word = from >>> 5;
  let zeros = ~(words[word] ?? 0) & (-1 << (from & 31));
  while (zeros === 0) {
    word += 1;
    if (word === WORDS) return -1;
    zeros = ~(words[word] ?? 0);
  }
  return word * 32 + (31 - Math.clz32(zeros & -zeros));
}
