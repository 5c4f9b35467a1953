/**
 * Candidates found by looking at all nodes, column by column: for tasks that differ from all
 * others, and for plugins whose answers may change anywhere with each placement.
 */
import { canBound, searchBlocks, type Pick } from './block-search.js';
import { CandidateMask } from './candidate-mask.js';
import type { Candidates, Choice } from './choice.js';
import type { ClusterState } from './cluster-state.js';
import type { NodeColumns } from './node-columns.js';
import type { NodeInfo } from './node-info.js';
import type { ActiveScore } from './active-plugins.js';
import { compareNodes, type PreparedGroup } from './prepared-group.js';
import type { ScratchArrays } from './scratch-arrays.js';

/** Nothing is kept between choices: each costs O(nodes), a few nanoseconds a node and plugin. */
export class ScanCandidates implements Candidates {
  readonly #prepared: PreparedGroup;
  readonly #mask: CandidateMask;

  constructor(prepared: PreparedGroup) {
    this.#prepared = prepared;
    this.#mask = new CandidateMask(prepared);
  }

  choose(): Choice | undefined {
    const { columns } = this.#prepared.state;
    this.#mask.refresh(columns);
    const { bits, count } = this.#mask;
    const pick = this.#pick(columns, bits);
    const node = columns.nodes[pick.best];
    if (node === undefined) return undefined;
    const runnerUp = columns.nodes[pick.second];
    const { totals } = pick;
    const path = NO_PATH;
    // Written out: to spread the one into the other costs as much as to choose among the best.
    return totals === undefined
      ? { node, runnerUp, spread: undefined, candidates: count, path }
      : { node, runnerUp, spread: undefined, totals, candidates: count, path };
  }

  used(): void {
    // The next choice looks at everything again.
  }

  #pick(columns: NodeColumns, mask: Uint8Array): Pick {
    const { terms, state } = this.#prepared;
    if (terms.length > 0) return pickByComparison(this.#prepared, columns, mask);
    const scratch = state.indexes.scratch.sized(columns.size);
    const isAll = this.#mask.count === columns.size;
    return canBound(this.#prepared, columns)
      ? searchBlocks(this.#prepared, columns, { mask: isAll ? undefined : mask, scratch })
      : this.#pickByTotals(columns, mask, scratch);
  }

  #pickByTotals(columns: NodeColumns, mask: Uint8Array, scratch: ScratchArrays): Pick {
    const { scores, policy } = this.#prepared;
    const addends = scores.map((active, at): Addend => {
      const values = scratch.values(at);
      fillScore(active, { columns, mask, values, state: this.#prepared.state });
      return { values, weight: active.weight };
    });
    return pickByTotals(mask, foldedToThree(addends, scratch.values(0)), (a, b) => {
      const { tieBreak } = policy;
      if (tieBreak === undefined) return false;
      const { nodes } = columns;
      return tieBreak.value(nodes[a] as NodeInfo) < tieBreak.value(nodes[b] as NodeInfo);
    });
  }
}

const NO_PATH: readonly string[] = Object.freeze([]);

interface Addend {
  readonly values: Float64Array;
  readonly weight: number;
}

/** The values of a score for all candidates, normalised. */
function fillScore(
  { score, prepared }: ActiveScore,
  into: {
    readonly columns: NodeColumns;
    readonly mask: Uint8Array;
    readonly values: Float64Array;
    readonly state: ClusterState;
  },
): void {
  const { columns, mask, values, state } = into;
  if (prepared.scoreAll !== undefined) {
    prepared.scoreAll(columns, columns.ordinals, values);
  } else {
    const memo =
      prepared.key === undefined
        ? undefined
        : state.indexes.memos.get(score, prepared, columns.size);
    for (let at = 0; at < mask.length; at += 1) {
      if (mask[at] === 0) continue;
      const node = columns.nodes[at] as NodeInfo;
      values[at] = memo === undefined ? prepared.score(node) : memo.value(node);
    }
  }
  if (prepared.normalise !== undefined) normaliseCandidates(prepared.normalise, mask, values);
}

function normaliseCandidates(
  normalise: (values: Float64Array) => void,
  mask: Uint8Array,
  values: Float64Array,
): void {
  let count = 0;
  for (let at = 0; at < mask.length; at += 1) count += mask[at] as number;
  const dense = new Float64Array(count);
  let next = 0;
  for (let at = 0; at < mask.length; at += 1) {
    if (mask[at] === 1) dense[next++] = values[at] as number;
  }
  normalise(dense);
  next = 0;
  for (let at = 0; at < mask.length; at += 1) {
    if (mask[at] === 1) values[at] = dense[next++] as number;
  }
}

/** Adds up the first addends in order, until there are three: that many are added while picking. */
function foldedToThree(
  addends: readonly Addend[],
  sum: Float64Array,
): readonly [Addend, Addend, Addend] {
  const folded = addends.length - 2;
  const [first, second, third] = addends;
  if (folded <= 1) {
    // A weight of 0 adds nothing, bit for bit.
    const none = { values: first?.values ?? sum.fill(0), weight: 0 };
    return [first ?? none, second ?? none, third ?? none];
  }
  for (let k = 0; k < folded; k += 1) {
    const { values, weight } = addends[k] as Addend;
    for (let at = 0; at < sum.length; at += 1) {
      const before = k === 0 ? 0 : (sum[at] as number);
      sum[at] = before + weight * (values[at] as number);
    }
  }
  const last = [addends[folded], addends[folded + 1]] as [Addend, Addend];
  return [{ values: sum, weight: 1 }, ...last];
}

/** The two best nodes by total; among equals by `isBefore`, then the first. */
function pickByTotals(
  mask: Uint8Array,
  [x, y, z]: readonly [Addend, Addend, Addend],
  isBefore: (a: number, b: number) => boolean,
): Pick {
  const [a, b, c] = [x.values, y.values, z.values];
  const [u, v, w] = [x.weight, y.weight, z.weight];
  let best = -1;
  let second = -1;
  let bestTotal = -Infinity;
  let secondTotal = -Infinity;
  for (let at = 0; at < mask.length; at += 1) {
    const total = u * (a[at] as number) + v * (b[at] as number) + w * (c[at] as number);
    // Hardly any node gets further than this.
    if (!(total >= secondTotal) || mask[at] === 0) continue;
    if (total > bestTotal || (total === bestTotal && isBefore(at, best))) {
      second = best;
      secondTotal = bestTotal;
      best = at;
      bestTotal = total;
    } else if (total > secondTotal || second === -1 || isBefore(at, second)) {
      second = at;
      secondTotal = total;
    }
  }
  return { best, second, totals: [bestTotal, secondTotal] };
}

/** The two best nodes where more than totals count. */
function pickByComparison(prepared: PreparedGroup, columns: NodeColumns, mask: Uint8Array): Pick {
  const { nodes } = columns;
  const isBefore = (a: number, b: number): boolean =>
    b === -1 || compareNodes(prepared, nodes[a] as NodeInfo, nodes[b] as NodeInfo) < 0;
  let best = -1;
  let second = -1;
  for (let at = 0; at < mask.length; at += 1) {
    if (mask[at] === 0) continue;
    if (isBefore(at, best)) {
      second = best;
      best = at;
    } else if (isBefore(at, second)) {
      second = at;
    }
  }
  return { best, second };
}
