/**
 * The answer to where the next task of a group goes.
 */
import type { CandidateIndex } from './candidate-index.js';
import type { NodeInfo } from './node-info.js';

/** A chosen node and what it was chosen over. */
export interface Choice {
  readonly node: NodeInfo;
  readonly runnerUp: NodeInfo | undefined;
  /** Where the spread decided between the two: the counts of their branches. */
  readonly spread: readonly [number, number] | undefined;
  /** Sums of the scores of the node and of the runner-up, where they are known already. */
  readonly totals?: readonly [number, number];
  /** Nodes that pass every filter. */
  readonly candidates: number;
  /** Values of the spread levels that lead to the node. */
  readonly path: readonly string[];
}

/** The candidates of one group while it is placed. */
export interface Candidates {
  /** The best node now. */
  choose(): Choice | undefined;
  /** The chosen node was used: it is filtered and ranked anew. */
  used(): void;
  /** Index that the candidates come from, if they are shared. */
  readonly index?: CandidateIndex | undefined;
}
