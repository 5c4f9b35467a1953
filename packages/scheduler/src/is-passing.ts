/**
 * The verdicts of filters without their reasons.
 */
import type { NodeInfo } from './node-info.js';
import type { PreparedFilter } from './policy.js';

/** Whether the node passes the filter. */
export function isPassing(filter: PreparedFilter, node: NodeInfo): boolean {
  return filter.passes === undefined ? filter.check(node) === undefined : filter.passes(node);
}

/** The filters of an index or a column of verdicts, asked about one node after the other. */
export class NodeChecks {
  readonly #all: readonly PreparedFilter[];
  readonly #ofUse: readonly PreparedFilter[];

  constructor(filters: readonly PreparedFilter[]) {
    this.#all = filters;
    this.#ofUse = filters.filter(({ ignoresUse }) => ignoresUse !== true);
  }

  /** Whether a verdict stays as long as there is no new version of the node. */
  get ignoreUse(): boolean {
    return this.#ofUse.length === 0;
  }

  /**
   * Whether the node passes all of them. `passedBefore`: it did, and only its use changed since, so
   * those that ignore use are not asked again.
   */
  passes(node: NodeInfo, passedBefore: boolean): boolean {
    const filters = passedBefore ? this.#ofUse : this.#all;
    for (let at = 0; at < filters.length; at += 1) {
      if (!isPassing(filters[at] as PreparedFilter, node)) return false;
    }
    return true;
  }
}
