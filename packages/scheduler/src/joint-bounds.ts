/**
 * What no node of a block has more than in all scores together.
 *
 * Each score by itself is bounded by the best value of its columns in the block, and no node may
 * have all of those at once: the one with the most cpu left has the least memory left. Where scores
 * say that they are the least of some sums of columns (`PreparedScore.planes`), the sums of
 * different scores are added first, and what pulls apart falls away.
 */
import type { ActiveScore } from './active-plugins.js';
import type { BlockRanges } from './block-members.js';
import type { ColumnValue } from './followed-columns.js';
import type { NodeColumns } from './node-columns.js';
import type { ScorePlane } from './policy.js';

/** More sums than this, and bounding costs more than looking. */
const PLANES_MAX = 8;
/** Columns of all sums together, at most. */
const COLUMNS_MAX = 16;
/** How much of the sum of all terms rounding may make out, and a thousand times more. */
const ROUNDING = 2 ** -40;

/**
 * Bounds of the scores that have planes; those of others are taken as they are. One of these serves
 * one task after the other: making anew what is made for each would cost more than bounding.
 */
export class JointBounds {
  #planes = 0;
  readonly #constants = new Float64Array(PLANES_MAX);
  /** Factors of each plane, by column. */
  readonly #factors = new Float64Array(PLANES_MAX * COLUMNS_MAX);
  #columns = 0;
  readonly #known: ColumnValue[] = [];
  readonly #ranges: BlockRanges[] = [];
  /** What is left to add up of each plane: factors that are not 0, and what they are times of. */
  readonly #ends = new Int32Array(PLANES_MAX);
  readonly #terms = new Float64Array(PLANES_MAX * COLUMNS_MAX);
  readonly #values: Float64Array[] = [];

  /** Takes the scores of a task; false where they do not say more than each for itself. */
  take(scores: readonly ActiveScore[], columns: NodeColumns): boolean {
    this.#planes = 1;
    this.#columns = 0;
    this.#constants[0] = 0;
    this.#factors.fill(0);
    let count = 0;
    for (let s = 0; s < scores.length; s += 1) {
      const { prepared, weight } = scores[s] as ActiveScore;
      const own = prepared.planes?.();
      if (own === undefined) continue;
      count += 1;
      if (!this.#add(own, weight)) return false;
    }
    if (count < 2) return false;
    this.#gather(columns);
    return true;
  }

  /** What no node of the block has more than in the scores with planes, rounding included. */
  of(block: number): number {
    const terms = this.#terms;
    const values = this.#values;
    let least = Infinity;
    let at = 0;
    for (let p = 0; p < this.#planes; p += 1) {
      const end = this.#ends[p] as number;
      let sum = this.#constants[p] as number;
      let size = Math.abs(sum);
      for (; at < end; at += 1) {
        const term = (terms[at] as number) * ((values[at] as Float64Array)[block] as number);
        sum += term;
        size += Math.abs(term);
      }
      const bound = sum + size * ROUNDING;
      if (bound < least) least = bound;
    }
    return least;
  }

  /** Each sum there is plus each of a score; false for too many. */
  #add(own: readonly ScorePlane[], weight: number): boolean {
    const before = this.#planes;
    if (before * own.length > PLANES_MAX) return false;
    // The first takes the place of those there are: it comes last.
    for (let o = own.length - 1; o >= 0; o -= 1) {
      const { constant, terms } = own[o] as ScorePlane;
      for (let p = 0; p < before; p += 1) {
        const to = o * before + p;
        this.#constants[to] = (this.#constants[p] as number) + weight * constant;
        if (to !== p) this.#copyFactors(p, to);
      }
      for (let t = 0; t < terms.length; t += 1) {
        const { column, factor } = terms[t] as ScorePlane['terms'][number];
        const at = this.#columnAt(column);
        if (at === COLUMNS_MAX) return false;
        for (let p = 0; p < before; p += 1) {
          const to = (o * before + p) * COLUMNS_MAX + at;
          this.#factors[to] = (this.#factors[to] as number) + weight * factor;
        }
      }
    }
    this.#planes = before * own.length;
    return true;
  }

  #copyFactors(from: number, to: number): void {
    for (let c = 0; c < this.#columns; c += 1) {
      this.#factors[to * COLUMNS_MAX + c] = this.#factors[from * COLUMNS_MAX + c] as number;
    }
  }

  /** The position of a column, also of one that is new. */
  #columnAt(column: ColumnValue): number {
    for (let c = 0; c < this.#columns; c += 1) if (this.#known[c] === column) return c;
    if (this.#columns === COLUMNS_MAX) return COLUMNS_MAX;
    this.#known[this.#columns] = column;
    this.#columns += 1;
    return this.#columns - 1;
  }

  /** Looks up what is to be added: the most of a column where more of it is more. */
  #gather(columns: NodeColumns): void {
    const ranges = this.#ranges;
    for (let c = 0; c < this.#columns; c += 1) {
      ranges[c] = columns.ranges(this.#known[c] as ColumnValue);
    }
    let end = 0;
    for (let p = 0; p < this.#planes; p += 1) {
      for (let c = 0; c < this.#columns; c += 1) {
        const factor = this.#factors[p * COLUMNS_MAX + c] as number;
        if (factor === 0) continue;
        const { least, most } = ranges[c] as BlockRanges;
        this.#terms[end] = factor;
        this.#values[end] = factor > 0 ? most : least;
        end += 1;
      }
      this.#ends[p] = end;
    }
  }
}
