/**
 * Which of equal nodes is taken.
 */
import type { NodeTerm } from '../policy.js';

/** What all ready policies can be given. */
export interface TieBreakOption {
  /** Decides between nodes with equal scores. Default: by name, then id. */
  readonly tieBreak?: NodeTerm;
}

/** A tie-break by a given number for each node, by name; nodes without a number come last. */
export function tieBreakByRank(ranks: ReadonlyMap<string, number>): NodeTerm {
  return Object.freeze({
    scope: 'node',
    name: 'given-rank',
    label: 'first in the given order',
    value: (node) => ranks.get(node.name) ?? Number.MAX_SAFE_INTEGER,
  } satisfies NodeTerm);
}
