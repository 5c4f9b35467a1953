/**
 * The two best nodes by total, looked for only in blocks that can hold them.
 */
import type { ActiveScore } from './active-plugins.js';
import type { JointBounds } from './joint-bounds.js';
import type { NodeColumns } from './node-columns.js';
import type { NodeInfo } from './node-info.js';
import type { NodeTerm } from './policy.js';
import { compareByTie, type PreparedGroup } from './prepared-group.js';
import type { ScratchArrays } from './scratch-arrays.js';

/** Which nodes were found: ordinals, -1 for none. */
export interface Pick {
  readonly best: number;
  readonly second: number;
  /** Absent where more than totals counts. */
  readonly totals?: readonly [number, number];
}

/** Smaller clusters are looked at as a whole. */
const BOUNDED_NODES_MIN = 128;

/** Whether every score says of blocks of nodes what none of them can have. */
export function canBound({ scores }: PreparedGroup, { size }: NodeColumns): boolean {
  return (
    size >= BOUNDED_NODES_MIN &&
    scores.length > 0 &&
    scores.every(
      ({ prepared, weight }) =>
        prepared.boundAll !== undefined &&
        prepared.scoreAll !== undefined &&
        prepared.normalise === undefined &&
        weight > 0,
    )
  );
}

/** The same as looking at every node that the mask, if any, lets pass, bit for bit. */
export function searchBlocks(
  { scores, policy: { tieBreak } }: PreparedGroup,
  columns: NodeColumns,
  { mask, scratch }: { readonly mask: Uint8Array | undefined; readonly scratch: ScratchArrays },
): Pick {
  const bounds = new BlockBounds(scores, columns, scratch);
  const top = new TopTwo(columns.nodes, tieBreak);
  const look = new BlockLook(top, { scores, columns, scratch, mask });
  // The most promising block first, each time: soon no other can hold a better node.
  look.at(bounds.takeMost());
  bounds.tighten(top);
  while (bounds.size > 0) {
    look.at(bounds.takeMost());
    bounds.drop(top);
  }
  return { best: top.best, second: top.second, totals: [top.bestTotal, top.secondTotal] };
}

/** What no node of each block has more than, for the blocks that may be worth a look. */
class BlockBounds {
  /** How many blocks are left. */
  size = 0;
  /** Where among those left the highest bound is. */
  #most = 0;
  readonly #columns: NodeColumns;
  readonly #bounds: Float64Array;
  /** The part of scores that are not bounded together with others. */
  readonly #apart: Float64Array;
  readonly #joint: JointBounds | undefined;
  readonly #left: Int32Array;

  constructor(scores: readonly ActiveScore[], columns: NodeColumns, scratch: ScratchArrays) {
    const { positions, sizes } = columns.blocks;
    this.#columns = columns;
    this.#bounds = scratch.bounds(0, positions);
    this.#apart = scratch.bounds(1, positions);
    this.#left = scratch.few(positions);
    const isJoint = scratch.joint.take(scores, columns);
    this.#joint = isJoint ? scratch.joint : undefined;
    if (isJoint) this.#apart.fill(0);
    const part = scratch.bounds(2, positions);
    for (let s = 0; s < scores.length; s += 1) {
      const { prepared, weight } = scores[s] as ActiveScore;
      prepared.boundAll?.(columns, part);
      if (s === 0) setTo(this.#bounds, part, weight);
      else addTo(this.#bounds, part, weight);
      if (isJoint && prepared.planes === undefined) addTo(this.#apart, part, weight);
    }
    let most = -Infinity;
    for (let b = 0; b < positions; b += 1) {
      if (sizes[b] === 0) continue;
      const bound = this.#bounds[b] as number;
      if (bound > most) {
        most = bound;
        this.#most = this.size;
      }
      this.#left[this.size++] = b;
    }
  }

  /** Takes out the block with the highest bound: once, and once after each drop. */
  takeMost(): number {
    const left = this.#left;
    const block = left[this.#most] as number;
    this.size -= 1;
    left[this.#most] = left[this.size] as number;
    return block;
  }

  /** Drops blocks that can hold neither the best nor the second. */
  drop(top: TopTwo): void {
    this.#keep(top, undefined);
  }

  /** The same, with a closer look at the bounds. */
  tighten(top: TopTwo): void {
    this.#keep(top, this.#joint);
  }

  /** Keeps the blocks that are worth a look, in one pass. */
  #keep(top: TopTwo, joint: JointBounds | undefined): void {
    const { secondTotal } = top;
    const left = this.#left;
    const bounds = this.#bounds;
    const { size } = this;
    let kept = 0;
    let most = -Infinity;
    this.#most = 0;
    for (let k = 0; k < size; k += 1) {
      const block = left[k] as number;
      let bound = bounds[block] as number;
      if (joint !== undefined && bound >= secondTotal) {
        const together = joint.of(block) + (this.#apart[block] as number);
        if (together < bound) {
          bound = together;
          bounds[block] = together;
        }
      }
      if (!(bound > secondTotal || (bound === secondTotal && this.#isEarlier(block, top))))
        continue;
      if (bound > most) {
        most = bound;
        this.#most = kept;
      }
      left[kept] = block;
      kept += 1;
    }
    this.size = kept;
  }

  /** Whether the block is worth a look where it holds nothing better than the second. */
  #isEarlier(block: number, { second, tieBreak }: TopTwo): boolean {
    // As good as the second: the earlier node wins, unless something else decides.
    return tieBreak !== undefined || this.#columns.blocks.first(block) < second;
  }
}

/** The first part of a sum: what adding it to 0 would give, bit for bit. */
function setTo(sum: Float64Array, part: Float64Array, weight: number): void {
  for (let b = 0; b < sum.length; b += 1) sum[b] = 0 + weight * (part[b] as number);
}

function addTo(sum: Float64Array, part: Float64Array, weight: number): void {
  for (let b = 0; b < sum.length; b += 1) {
    sum[b] = (sum[b] as number) + weight * (part[b] as number);
  }
}

/** Looks at the nodes of blocks. */
class BlockLook {
  readonly #top: TopTwo;
  readonly #scores: readonly ActiveScore[];
  readonly #columns: NodeColumns;
  readonly #scratch: ScratchArrays;
  readonly #mask: Uint8Array | undefined;

  constructor(
    top: TopTwo,
    of: {
      readonly scores: readonly ActiveScore[];
      readonly columns: NodeColumns;
      readonly scratch: ScratchArrays;
      readonly mask: Uint8Array | undefined;
    },
  ) {
    this.#top = top;
    this.#scores = of.scores;
    this.#columns = of.columns;
    this.#scratch = of.scratch;
    this.#mask = of.mask;
  }

  at(block: number): void {
    const ordinals = this.#columns.blocks.members(block);
    const mask = this.#mask;
    if (mask !== undefined && !isAnyIn(mask, ordinals)) return;
    const top = this.#top;
    const totals = this.#totals(ordinals);
    for (let k = 0; k < ordinals.length; k += 1) {
      const total = totals[k] as number;
      if (!(total >= top.secondTotal)) continue;
      const at = ordinals[k] as number;
      if (mask === undefined || mask[at] === 1) top.take(at, total);
    }
  }

  #totals(ordinals: Int32Array): Float64Array {
    const totals = this.#scratch.sums(0, ordinals.length);
    const part = this.#scratch.sums(1, ordinals.length);
    for (let s = 0; s < this.#scores.length; s += 1) {
      const { prepared, weight } = this.#scores[s] as ActiveScore;
      prepared.scoreAll?.(this.#columns, ordinals, part);
      if (s === 0) setTo(totals, part, weight);
      else addTo(totals, part, weight);
    }
    return totals;
  }
}

function isAnyIn(mask: Uint8Array, ordinals: Int32Array): boolean {
  for (let k = 0; k < ordinals.length; k += 1) {
    if (mask[ordinals[k] as number] === 1) return true;
  }
  return false;
}

/** The two best of the nodes it is given, in any order. */
class TopTwo {
  best = -1;
  second = -1;
  bestTotal = -Infinity;
  secondTotal = -Infinity;
  readonly #nodes: readonly NodeInfo[];
  readonly tieBreak: NodeTerm | undefined;

  constructor(nodes: readonly NodeInfo[], tieBreak: NodeTerm | undefined) {
    this.#nodes = nodes;
    this.tieBreak = tieBreak;
  }

  /** Takes a node that is no worse than the second. */
  take(at: number, total: number): void {
    if (this.#isBefore(at, total, this.best, this.bestTotal)) {
      this.second = this.best;
      this.secondTotal = this.bestTotal;
      this.best = at;
      this.bestTotal = total;
    } else if (this.#isBefore(at, total, this.second, this.secondTotal)) {
      this.second = at;
      this.secondTotal = total;
    }
  }

  #isBefore(at: number, total: number, other: number, otherTotal: number): boolean {
    if (other === -1 || total !== otherTotal) return total > otherTotal;
    const [a, b] = [this.#nodes[at] as NodeInfo, this.#nodes[other] as NodeInfo];
    return compareByTie(this.tieBreak, a, b) < 0;
  }
}
