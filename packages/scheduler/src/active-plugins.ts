/**
 * Plugins of a policy that have something to say about a group.
 */
import type { Filter, PreparedFilter, PreparedScore, Score } from './policy.js';

/** A filter that has something to say about the group. */
export interface ActiveFilter {
  readonly filter: Filter;
  readonly prepared: PreparedFilter;
  /** That of `prepared`, asked once: it may have to be made. */
  readonly key: string | undefined;
}

/** A score that has something to say about the group. */
export interface ActiveScore {
  readonly score: Score;
  readonly prepared: PreparedScore;
  readonly weight: number;
}
