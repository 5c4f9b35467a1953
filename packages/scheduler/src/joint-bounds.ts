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
import type { NodeColumns } from './node-columns.js';
import type { NodeInfo } from './node-info.js';
import type { ScorePlane } from './policy.js';

/** More sums than this, and bounding costs more than looking. */
const PLANES_MAX = 8;
/** How much of the sum of all terms rounding may make out, and a thousand times more. */
const ROUNDING = 2 ** -40;

/** A sum of columns by position in the list of columns. */
interface JointPlane {
  constant: number;
  readonly factors: number[];
}

/** Bounds of the scores that have planes; those of others are taken as they are. */
export class JointBounds {
  readonly #planes: readonly JointPlane[];
  readonly #ranges: readonly BlockRanges[];

  private constructor(planes: readonly JointPlane[], ranges: readonly BlockRanges[]) {
    this.#planes = planes;
    this.#ranges = ranges;
  }

  /** Undefined where the scores do not say more together than each for itself. */
  static of(scores: readonly ActiveScore[], columns: NodeColumns): JointBounds | undefined {
    const known: ((node: NodeInfo) => number)[] = [];
    let planes: JointPlane[] = [{ constant: 0, factors: [] }];
    let count = 0;
    for (const { prepared, weight } of scores) {
      const own = prepared.planes?.();
      if (own === undefined) continue;
      count += 1;
      if (planes.length * own.length > PLANES_MAX) return undefined;
      planes = own.flatMap((plane) => planes.map((sum) => added(sum, { plane, weight, known })));
    }
    if (count < 2) return undefined;
    return new JointBounds(
      planes,
      known.map((column) => columns.ranges(column)),
    );
  }

  /** What no node of the block has more than in the scores with planes, rounding included. */
  of(block: number): number {
    let least = Infinity;
    for (let p = 0; p < this.#planes.length; p += 1) {
      const { constant, factors } = this.#planes[p] as JointPlane;
      let sum = constant;
      let size = Math.abs(constant);
      for (let c = 0; c < factors.length; c += 1) {
        const factor = factors[c] as number;
        if (factor === 0) continue;
        const { least: low, most } = this.#ranges[c] as BlockRanges;
        const term = factor * ((factor > 0 ? most[block] : low[block]) as number);
        sum += term;
        size += Math.abs(term);
      }
      const bound = sum + size * ROUNDING;
      if (bound < least) least = bound;
    }
    return least;
  }
}

function added(
  sum: JointPlane,
  more: {
    readonly plane: ScorePlane;
    readonly weight: number;
    readonly known: ((node: NodeInfo) => number)[];
  },
): JointPlane {
  const { plane, weight, known } = more;
  const factors = [...sum.factors];
  for (const { column, factor } of plane.terms) {
    let at = known.indexOf(column);
    if (at === -1) at = known.push(column) - 1;
    while (factors.length <= at) factors.push(0);
    factors[at] = (factors[at] as number) + weight * factor;
  }
  return { constant: sum.constant + weight * plane.constant, factors };
}
