/**
 * The two best nodes by total, looked for only in blocks that can hold them.
 */
import type { ActiveScore } from './active-plugins.js';
import { JointBounds } from './joint-bounds.js';
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

/** The same as looking at every node that the mask lets pass, bit for bit. */
export function searchBlocks(
  { scores, policy: { tieBreak } }: PreparedGroup,
  columns: NodeColumns,
  { mask, scratch }: { readonly mask: Uint8Array; readonly scratch: ScratchArrays },
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
  readonly #columns: NodeColumns;
  readonly #bounds: Float64Array;
  /** The part of scores that are not bounded together with others. */
  readonly #apart: Float64Array;
  readonly #joint: JointBounds | undefined;
  readonly #left: Int32Array;

  constructor(scores: readonly ActiveScore[], columns: NodeColumns, scratch: ScratchArrays) {
    const { positions, sizes } = columns.blocks;
    this.#columns = columns;
    this.#bounds = scratch.bounds(0, positions).fill(0);
    this.#apart = scratch.bounds(1, positions).fill(0);
    this.#joint = JointBounds.of(scores, columns);
    this.#left = scratch.few(positions);
    const part = scratch.bounds(2, positions);
    for (let s = 0; s < scores.length; s += 1) {
      const { prepared, weight } = scores[s] as ActiveScore;
      prepared.boundAll?.(columns, part);
      addTo(this.#bounds, part, weight);
      if (prepared.planes === undefined) addTo(this.#apart, part, weight);
    }
    for (let b = 0; b < positions; b += 1) {
      if ((sizes[b] as number) > 0) this.#left[this.size++] = b;
    }
  }

  /** Takes out the block with the highest bound. */
  takeMost(): number {
    const left = this.#left;
    let at = 0;
    for (let k = 1; k < this.size; k += 1) {
      const bound = this.#bounds[left[k] as number] as number;
      if (bound > (this.#bounds[left[at] as number] as number)) at = k;
    }
    const block = left[at] as number;
    this.size -= 1;
    left[at] = left[this.size] as number;
    return block;
  }

  /** Drops blocks that can hold neither the best nor the second. */
  drop(top: TopTwo): void {
    const size = this.size;
    this.size = 0;
    for (let k = 0; k < size; k += 1) {
      const block = this.#left[k] as number;
      if (this.#isWorth(block, top)) this.#left[this.size++] = block;
    }
  }

  /** The same, with a closer look at the bounds. */
  tighten(top: TopTwo): void {
    this.drop(top);
    const joint = this.#joint;
    if (joint === undefined) return;
    for (let k = 0; k < this.size; k += 1) {
      const block = this.#left[k] as number;
      const together = joint.of(block) + (this.#apart[block] as number);
      if (together < (this.#bounds[block] as number)) this.#bounds[block] = together;
    }
    this.drop(top);
  }

  #isWorth(block: number, { second, secondTotal, tieBreak }: TopTwo): boolean {
    const bound = this.#bounds[block] as number;
    if (bound !== secondTotal) return bound > secondTotal;
    // As good as the second at most: the earlier node wins, unless something else decides.
    return tieBreak !== undefined || this.#columns.blocks.first(block) < second;
  }
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
  readonly #mask: Uint8Array;

  constructor(
    top: TopTwo,
    of: {
      readonly scores: readonly ActiveScore[];
      readonly columns: NodeColumns;
      readonly scratch: ScratchArrays;
      readonly mask: Uint8Array;
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
    let isAny = 0;
    for (let k = 0; k < ordinals.length; k += 1) isAny |= mask[ordinals[k] as number] as number;
    if (isAny === 0) return;
    const top = this.#top;
    const totals = this.#totals(ordinals);
    for (let k = 0; k < ordinals.length; k += 1) {
      const total = totals[k] as number;
      const at = ordinals[k] as number;
      if (total >= top.secondTotal && mask[at] === 1) top.take(at, total);
    }
  }

  #totals(ordinals: Int32Array): Float64Array {
    const totals = this.#scratch.sums(0, ordinals.length).fill(0);
    const part = this.#scratch.sums(1, ordinals.length);
    for (let s = 0; s < this.#scores.length; s += 1) {
      const { prepared, weight } = this.#scores[s] as ActiveScore;
      prepared.scoreAll?.(this.#columns, ordinals, part);
      for (let k = 0; k < part.length; k += 1) {
        totals[k] = (totals[k] as number) + weight * (part[k] as number);
      }
    }
    return totals;
  }
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
