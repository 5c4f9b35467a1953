/**
 * Which nodes pass all filters, as a column.
 */
import type { ActiveFilter } from './active-plugins.js';
import { isPassing } from './is-passing.js';
import type { NodeColumns } from './node-columns.js';
import type { NodeInfo } from './node-info.js';
import type { PreparedFilter } from './policy.js';
import type { PreparedGroup } from './prepared-group.js';
import type { Verdicts } from './verdict-cache.js';

/** The nodes that a group may go to, worked out anew whenever asked. */
export class CandidateMask {
  /** 1 for every node that passes, by ordinal. Look, do not touch. */
  bits: Uint8Array = NO_BITS;
  /** How many pass. */
  count = 0;
  readonly #prepared: PreparedGroup;
  /** Verdicts had from before. */
  readonly #kept: Verdicts;
  /** Filters that are asked now. */
  readonly #asked: readonly PreparedFilter[];

  constructor(prepared: PreparedGroup) {
    const { filters, state, policy } = prepared;
    const kept: ActiveFilter[] = [];
    const asked: PreparedFilter[] = [];
    for (const active of filters) {
      if (isKept(active.prepared)) kept.push(active);
      else asked.push(active.prepared);
    }
    this.#prepared = prepared;
    this.#kept = state.indexes.verdicts.get(state.table, policy, kept);
    this.#asked = asked;
  }

  /**
   * Works out which nodes pass now. Cost: what changed, where no filter that is asked refuses any
   * node, or says so; else O(nodes).
   */
  refresh(columns: NodeColumns): void {
    const kept = this.#kept.get();
    const scratch = this.#prepared.state.indexes.scratch.sized(columns.size);
    const { mask } = scratch;
    let isOwn = false;
    for (let k = 0; k < this.#asked.length; k += 1) {
      const filter = this.#asked[k] as PreparedFilter;
      if (filter.passesAll?.(columns) === true) continue;
      if (!isOwn) mask.set(kept);
      isOwn = true;
      refuse(filter, columns, mask);
    }
    this.bits = isOwn ? mask : kept;
    this.count = isOwn ? scratch.countMask() : this.#kept.count;
  }
}

const NO_BITS = new Uint8Array(0);

/** Whether verdicts are had from before: they have a key, and no columns to be had by anew. */
function isKept(filter: PreparedFilter): boolean {
  return filter.checkAll === undefined && filter.key !== undefined;
}

function refuse(filter: PreparedFilter, columns: NodeColumns, mask: Uint8Array): void {
  if (filter.checkAll !== undefined) {
    filter.checkAll(columns, mask);
    return;
  }
  for (let at = 0; at < mask.length; at += 1) {
    if (mask[at] === 1 && !isPassing(filter, columns.nodes[at] as NodeInfo)) mask[at] = 0;
  }
}
