/**
 * Candidates found by looking at all nodes, column by column: for tasks that differ from all
 * others,
 * and for plugins whose answers may change anywhere with each placement.
 */
import type { Candidates, Choice } from './choice.js';
import type { ClusterState } from './cluster-state.js';
import { isPassing } from './is-passing.js';
import type { NodeColumns } from './node-columns.js';
import type { NodeInfo } from './node-info.js';
import type { ActiveScore } from './active-plugins.js';
import type { NodeTerm, PreparedFilter } from './policy.js';
import { compareByTie, compareNodes, type PreparedGroup } from './prepared-group.js';
import type { ScratchArrays } from './scratch-arrays.js';

/** Nothing is kept between choices: each costs O(nodes), a few nanoseconds a node and plugin. */
export class ScanCandidates implements Candidates {
  readonly #prepared: PreparedGroup;

  constructor(prepared: PreparedGroup) {
    this.#prepared = prepared;
  }

  choose(): Choice | undefined {
    const { state } = this.#prepared;
    const { columns } = state;
    const scratch = state.indexes.scratch.sized(columns.size);
    const mask = fillMask(this.#prepared, columns, scratch);
    const pick =
      this.#prepared.terms.length > 0
        ? pickByComparison(this.#prepared, columns, mask)
        : canBound(this.#prepared, columns)
          ? pickByBounds(this.#prepared, columns, scratch)
          : this.#pickByTotals(columns, mask, scratch);
    const node = columns.nodes[pick.best];
    if (node === undefined) return undefined;
    const runnerUp = columns.nodes[pick.second];
    const { candidates, totals } = pick;
    const choice = { node, runnerUp, spread: undefined, candidates, path: NO_PATH };
    return totals === undefined ? choice : { ...choice, totals };
  }

  used(): void {
    // The next choice looks at everything again.
  }

  #pickByTotals(columns: NodeColumns, mask: Uint8Array, scratch: ScratchArrays): Pick {
    const { scores, policy } = this.#prepared;
    const addends = scores.map((active, at): Addend => {
      const values = scratch.values(at);
      fillScore(active, { columns, mask, values, state: this.#prepared.state });
      return { values, weight: active.weight };
    });
    const pick = pickByTotals(mask, foldedToThree(addends, scratch.values(0)), (a, b) => {
      const { tieBreak } = policy;
      if (tieBreak === undefined) return false;
      const { nodes } = columns;
      return tieBreak.value(nodes[a] as NodeInfo) < tieBreak.value(nodes[b] as NodeInfo);
    });
    return pick;
  }
}

const NO_PATH: readonly string[] = Object.freeze([]);

/** Which nodes were found: ordinals, -1 for none. */
interface Pick {
  readonly best: number;
  readonly second: number;
  readonly candidates: number;
  readonly totals?: readonly [number, number];
}

interface Addend {
  readonly values: Float64Array;
  readonly weight: number;
}

/** 1 for every node that passes all filters. */
function fillMask(
  { filters, state, policy }: PreparedGroup,
  columns: NodeColumns,
  { mask }: ScratchArrays,
): Uint8Array {
  const kept = filters.filter(({ prepared }) => isKept(prepared));
  if (kept.length === 0) mask.fill(1);
  else mask.set(state.indexes.verdicts.get(state.table, policy, kept).get());
  for (const { prepared } of filters) {
    if (isKept(prepared)) continue;
    if (prepared.checkAll !== undefined) {
      prepared.checkAll(columns, mask);
      continue;
    }
    for (let at = 0; at < mask.length; at += 1) {
      if (mask[at] === 1 && !isPassing(prepared, columns.nodes[at] as NodeInfo)) mask[at] = 0;
    }
  }
  return mask;
}

/** Whether verdicts are had from before: they have a key, and no columns to be had by anew. */
function isKept({ key, checkAll }: PreparedFilter): boolean {
  return key !== undefined && checkAll === undefined;
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
  let candidates = 0;
  for (let at = 0; at < mask.length; at += 1) {
    candidates += mask[at] as number;
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
  return { best, second, candidates, totals: [bestTotal, secondTotal] };
}

/** Smaller clusters are looked at as a whole. */
const BOUNDED_NODES_MIN = 128;

/** Whether every score says of blocks of nodes what none of them can have. */
function canBound({ scores }: PreparedGroup, { size }: NodeColumns): boolean {
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

/** The two best nodes by total, looked for where they can be. */
function pickByBounds(
  { scores, policy: { tieBreak } }: PreparedGroup,
  columns: NodeColumns,
  scratch: ScratchArrays,
): Pick {
  const { nodes } = columns;
  const { members } = columns.blocks;
  const bounds = scratch.bounds(0, members.length).fill(0);
  const part = scratch.bounds(1, members.length);
  for (const { prepared, weight } of scores) {
    prepared.boundAll?.(columns, part);
    for (let b = 0; b < part.length; b += 1) {
      bounds[b] = (bounds[b] as number) + weight * (part[b] as number);
    }
  }
  const top = new TopTwo(nodes, tieBreak);
  const look = (block: number): void => {
    const ordinals = members[block] as Int32Array;
    const totals = totalsOf(scores, { columns, ordinals, scratch });
    for (let k = 0; k < ordinals.length; k += 1) {
      const at = ordinals[k] as number;
      if (scratch.mask[at] === 1) top.take(at, totals[k] as number);
    }
  };
  // The most promising block first: most others need no look then.
  let first = 0;
  for (let b = 1; b < bounds.length; b += 1)
    if ((bounds[b] as number) > (bounds[first] ?? 0)) first = b;
  look(first);
  for (let b = 0; b < bounds.length; b += 1) {
    const bound = bounds[b] as number;
    if (b === first || bound < top.secondTotal) continue;
    const isTooLate = tieBreak === undefined && (members[b]?.[0] ?? 0) > top.second;
    if (bound === top.secondTotal && isTooLate) continue;
    look(b);
  }
  return {
    best: top.best,
    second: top.second,
    candidates: scratch.countMask(),
    totals: [top.bestTotal, top.secondTotal],
  };
}

/** The totals of the nodes of a block. */
function totalsOf(
  scores: readonly ActiveScore[],
  of: {
    readonly columns: NodeColumns;
    readonly ordinals: Int32Array;
    readonly scratch: ScratchArrays;
  },
): Float64Array {
  const { columns, ordinals, scratch } = of;
  const totals = scratch.few(0, ordinals.length).fill(0);
  const part = scratch.few(1, ordinals.length);
  for (let s = 0; s < scores.length; s += 1) {
    const { prepared, weight } = scores[s] as ActiveScore;
    prepared.scoreAll?.(columns, ordinals, part);
    for (let k = 0; k < part.length; k += 1) {
      totals[k] = (totals[k] as number) + weight * (part[k] as number);
    }
  }
  return totals;
}

/** The two best of the nodes it is given, in any order. */
class TopTwo {
  best = -1;
  second = -1;
  bestTotal = -Infinity;
  secondTotal = -Infinity;
  readonly #nodes: readonly NodeInfo[];
  readonly #tieBreak: NodeTerm | undefined;

  constructor(nodes: readonly NodeInfo[], tieBreak: NodeTerm | undefined) {
    this.#nodes = nodes;
    this.#tieBreak = tieBreak;
  }

  take(at: number, total: number): void {
    if (total < this.secondTotal) return;
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
    return compareByTie(this.#tieBreak, a, b) < 0;
  }
}

/** The two best nodes where more than totals count. */
function pickByComparison(prepared: PreparedGroup, columns: NodeColumns, mask: Uint8Array): Pick {
  const { nodes } = columns;
  const isBefore = (a: number, b: number): boolean =>
    b === -1 || compareNodes(prepared, nodes[a] as NodeInfo, nodes[b] as NodeInfo) < 0;
  let best = -1;
  let second = -1;
  let candidates = 0;
  for (let at = 0; at < mask.length; at += 1) {
    if (mask[at] === 0) continue;
    candidates += 1;
    if (isBefore(at, best)) {
      second = best;
      best = at;
    } else if (isBefore(at, second)) {
      second = at;
    }
  }
  return { best, second, candidates };
}
