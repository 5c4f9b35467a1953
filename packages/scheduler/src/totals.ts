/**
 * The sum of a policy's scores for each node.
 */
import type { ActiveFilter, ActiveScore } from './active-plugins.js';
import type { ClusterState } from './cluster-state.js';
import { isPassing } from './is-passing.js';
import type { NodeInfo } from './node-info.js';
import { ScoreMemo } from './score-memo.js';

const NO_TOTALS = new Float64Array(0);

/** The scores of one group, added up. */
export class Totals {
  readonly #state: ClusterState;
  readonly #filters: readonly ActiveFilter[];
  readonly #scores: readonly ActiveScore[];
  readonly #isVolatile: boolean;
  readonly #isNormalised: boolean;
  #own: ScoreMemo | undefined;
  #values: readonly Pick<ScoreMemo, 'value'>[] | undefined;
  /** Of normalised scores: the totals by ordinal, as of a revision of the state. */
  #totals = NO_TOTALS;
  #revision = -1;

  constructor(
    state: ClusterState,
    parts: {
      readonly filters: readonly ActiveFilter[];
      readonly scores: readonly ActiveScore[];
      readonly isVolatile: boolean;
    },
  ) {
    this.#state = state;
    this.#filters = parts.filters;
    this.#scores = parts.scores;
    this.#isVolatile = parts.isVolatile;
    this.#isNormalised = parts.scores.some(({ prepared }) => prepared.normalise !== undefined);
  }

  /**
   * The total of a candidate as of now; more is better. Cost: that of the scores, for a node that
   * changed; O(nodes) with scores that are normalised, for a state that changed.
   */
  of(node: NodeInfo): number {
    if (this.#isNormalised) {
      if (this.#revision !== this.#state.revision) this.#refresh();
      return this.#totals[node.ordinal] as number;
    }
    if (this.#isVolatile) return this.sum(node);
    this.#own ??= new ScoreMemo((one) => this.sum(one), this.#state.table.size);
    return this.#own.value(node);
  }

  /** The totals of two candidates as of now, without making room for those of others. */
  pair(a: NodeInfo, b: NodeInfo): readonly [number, number] {
    return this.#isNormalised ? [this.of(a), this.of(b)] : [this.sum(a), this.sum(b)];
  }

  /** The total of a node without normalisation, as far as known from before. */
  sum(node: NodeInfo): number {
    const { indexes, table } = this.#state;
    this.#values ??= this.#scores.map(({ score, prepared }) =>
      // What can be had by columns is cheap enough to be worked out again.
      prepared.key === undefined || prepared.scoreAll !== undefined
        ? { value: (one) => prepared.score(one) }
        : indexes.memos.get(score, prepared, table.size),
    );
    let total = 0;
    for (let at = 0; at < this.#values.length; at += 1) {
      const { weight } = this.#scores[at] as ActiveScore;
      total += weight * (this.#values[at] as Pick<ScoreMemo, 'value'>).value(node);
    }
    return total;
  }

  #refresh(): void {
    const { nodes } = this.#state;
    const candidates = nodes.filter((node) =>
      this.#filters.every(({ prepared }) => isPassing(prepared, node)),
    );
    this.#totals = new Float64Array(nodes.length);
    for (const { prepared, weight } of this.#scores) {
      const values = Float64Array.from(candidates, (node) => prepared.score(node));
      prepared.normalise?.(values);
      for (const [at, node] of candidates.entries()) {
        this.#totals[node.ordinal] =
          (this.#totals[node.ordinal] as number) + weight * (values[at] as number);
      }
    }
    this.#revision = this.#state.revision;
  }
}
