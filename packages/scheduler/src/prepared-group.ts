/**
 * A policy applied to one group: active filters, comparisons, levels.
 */
import type { Timestamp } from '@skep/api';
import type { ClusterState } from './cluster-state.js';
import type { NodeInfo } from './node-info.js';
import type {
  Filter,
  NodeTerm,
  Policy,
  PreparedFilter,
  PreparedTerm,
  SpreadLevel,
} from './policy.js';
import type { TaskGroup } from './task-group.js';

/** A filter that has something to say about the group. */
export interface ActiveFilter {
  readonly filter: Filter;
  readonly prepared: PreparedFilter;
}

/** Everything about a group that is worked out once, before nodes are looked at. */
export interface PreparedGroup {
  readonly group: TaskGroup;
  readonly state: ClusterState;
  readonly policy: Policy;
  readonly filters: readonly ActiveFilter[];
  /** Values of the policy's rank terms, in its order. */
  readonly terms: readonly PreparedTerm[];
  readonly levels: readonly SpreadLevel[];
  /** Keys of all filters as one; undefined when one of them cannot be shared. */
  readonly key: string | undefined;
  /** Whether candidates beyond those excepted by group terms can come from a shared index. */
  readonly isSparse: boolean;
}

const NO_LEVELS: readonly SpreadLevel[] = Object.freeze([]);

/** Works out what the policy says about the group. */
export function prepareGroup(
  state: ClusterState,
  group: TaskGroup,
  options: { readonly policy: Policy; readonly now: Timestamp },
): PreparedGroup {
  const { policy, now } = options;
  const filters: ActiveFilter[] = [];
  let key: string | undefined = '';
  for (const filter of policy.filters) {
    const prepared = filter.prepare(group, state);
    if (prepared === undefined) continue;
    filters.push({ filter, prepared });
    key =
      key === undefined || prepared.key === undefined
        ? undefined
        : `${key}${filter.name}\u0000${prepared.key}\u0000`;
  }
  const context = { group, state, now };
  const terms: PreparedTerm[] = [];
  let isSparse = true;
  for (const term of policy.rank) {
    if (term.scope === 'node') {
      terms.push(term);
      continue;
    }
    const prepared = term.prepare(context);
    if (prepared.exceptions === undefined) isSparse = false;
    terms.push(prepared);
  }
  const levels = policy.spread?.(group) ?? NO_LEVELS;
  return { group, state, policy, filters, terms, levels, key, isSparse };
}

/** Whether the node passes every filter. */
export function passes(prepared: PreparedGroup, node: NodeInfo): boolean {
  for (const { prepared: filter } of prepared.filters) {
    if (filter.check(node) !== undefined) return false;
  }
  return true;
}

/** Compares two nodes by all terms, then by their order: never 0 for different nodes. */
export function compareNodes(terms: readonly PreparedTerm[], a: NodeInfo, b: NodeInfo): number {
  for (const term of terms) {
    const difference = term.value(a) - term.value(b);
    if (difference !== 0) return difference;
  }
  return a.ordinal - b.ordinal;
}

/** The terms of a policy that do not depend on the group. */
export function nodeTerms(policy: Policy): readonly NodeTerm[] {
  return policy.rank.filter((term): term is NodeTerm => term.scope === 'node');
}
