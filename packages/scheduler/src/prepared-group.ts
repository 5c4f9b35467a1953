/**
 * A policy applied to one group: active filters, comparisons, scores, levels.
 */
import type { Timestamp } from '@skep/api';
import type { ActiveFilter, ActiveScore } from './active-plugins.js';
import type { ClusterState } from './cluster-state.js';
import { isPassing } from './is-passing.js';
import type { NodeInfo } from './node-info.js';
import type {
  Filter,
  NodeTerm,
  Policy,
  PreparedReserve,
  PreparedScore,
  PreparedTerm,
  RankContext,
  RankTerm,
  Score,
  SpreadLevel,
} from './policy.js';
import type { TaskGroup } from './task-group.js';
import { Totals } from './totals.js';

/**
 * Everything about a group that is worked out once, before nodes are looked at. It is itself what
 * terms, scores and reserves are given: there may be as many groups as tasks.
 */
export interface PreparedGroup extends RankContext {
  readonly state: ClusterState;
  readonly policy: Policy;
  readonly filters: readonly ActiveFilter[];
  /** Values of the policy's rank terms, in its order. */
  readonly terms: readonly PreparedTerm[];
  readonly scores: readonly ActiveScore[];
  /** Sums of the scores; undefined without scores. */
  readonly totals: Totals | undefined;
  readonly reserves: readonly PreparedReserve[];
  readonly levels: readonly SpreadLevel[];
  /** Keys of all filters as one; undefined when one of them cannot be shared. */
  readonly key: string | undefined;
  /** Keys of all filters and scores as one; undefined when one of them cannot be shared. */
  readonly indexKey: string | undefined;
  /** Whether candidates beyond those excepted by group terms can come from a shared index. */
  readonly isSparse: boolean;
  /** Whether a placement may change the verdict on any node, or its score. */
  readonly isVolatile: boolean;
}

const NO_LEVELS: readonly SpreadLevel[] = Object.freeze([]);
const NO_TERMS: readonly PreparedTerm[] = Object.freeze([]);
const NO_SCORES: readonly ActiveScore[] = Object.freeze([]);
const NO_RESERVES: readonly PreparedReserve[] = Object.freeze([]);

/**
 * Works out what the policy says about the group. Done for every task where all differ, hence the
 * plain loops: to walk a frozen list by an iterator makes an object at every step.
 */
export function prepareGroup(
  state: ClusterState,
  group: TaskGroup,
  options: { readonly policy: Policy; readonly now: Timestamp },
): PreparedGroup {
  const { policy, now } = options;
  const { filters, key, isVolatile } = activeFilters(policy, group, state);
  const prepared: Draft = {
    group,
    state,
    now,
    policy,
    filters,
    terms: NO_TERMS,
    scores: NO_SCORES,
    totals: undefined,
    reserves: NO_RESERVES,
    levels: policy.spread?.(group) ?? NO_LEVELS,
    key,
    indexKey: isVolatile ? undefined : key,
    isSparse: true,
    isVolatile,
  };
  prepareTerms(prepared);
  if (policy.scores !== undefined) prepareScores(prepared, policy.scores);
  if (policy.reserves !== undefined) prepared.reserves = activeReserves(policy, prepared);
  return prepared;
}

/** A group in preparation. */
type Draft = { -readonly [Field in keyof PreparedGroup]: PreparedGroup[Field] };

/** The terms of a group; the list of the group before, when they are the same. */
function prepareTerms(prepared: Draft): void {
  const { policy, state } = prepared;
  const { rank } = policy;
  const last = state.indexes.lastTerms;
  const known = last?.policy === policy ? last.terms : NO_TERMS;
  let own: PreparedTerm[] | undefined;
  let isSparse = true;
  for (let at = 0; at < rank.length; at += 1) {
    const term = rank[at] as RankTerm;
    const ofGroup = term.scope === 'group' ? term.prepare(prepared) : undefined;
    if (ofGroup !== undefined && ofGroup.exceptions === undefined) isSparse = false;
    const mine = ofGroup ?? (term as NodeTerm);
    if (own === undefined && mine === known[at]) continue;
    own ??= known.slice(0, at);
    own.push(mine);
  }
  prepared.isSparse = isSparse;
  prepared.terms = own ?? known;
  if (own !== undefined) state.indexes.lastTerms = { policy, terms: own };
}

function prepareScores(prepared: Draft, all: readonly Score[]): void {
  const { state, filters } = prepared;
  const scores = activeScores(all, prepared);
  let { isVolatile } = prepared;
  let indexKey = prepared.key;
  for (let at = 0; at < scores.length; at += 1) {
    const { score, prepared: active } = scores[at] as ActiveScore;
    indexKey = extended(indexKey, score.name, active.key);
    if (dependsOnAll(active)) isVolatile = true;
  }
  prepared.scores = scores;
  prepared.isVolatile = isVolatile;
  prepared.indexKey = isVolatile ? undefined : indexKey;
  if (scores.length > 0) prepared.totals = new Totals(state, { filters, scores, isVolatile });
}

/** Whether the value for a node may change with a placement elsewhere. */
function dependsOnAll({ dependsOn, normalise }: PreparedScore): boolean {
  return dependsOn === 'cluster' || normalise !== undefined;
}

/** The filters that have something to say about a group. */
export interface ActiveFilters {
  readonly filters: readonly ActiveFilter[];
  /** Their keys as one; undefined when one of them has none. */
  readonly key: string | undefined;
  readonly isVolatile: boolean;
}

/**
 * The filters of a group; those of the group before, when they say the same: most tasks of a burst
 * are alike, and then nothing is made for them.
 */
function activeFilters(policy: Policy, group: TaskGroup, state: ClusterState): ActiveFilters {
  const { indexes } = state;
  const known = indexes.lastFilters?.filters ?? NO_FILTERS;
  let count = 0;
  let own: ActiveFilter[] | undefined;
  const { filters: all } = policy;
  for (let at = 0; at < all.length; at += 1) {
    const filter = all[at] as Filter;
    const prepared = filter.prepare(group, state);
    if (prepared === undefined) continue;
    const part = prepared.key;
    const like = known[count];
    // By its key a filter promises the same verdicts.
    const isAlike = like?.prepared === prepared || (part !== undefined && like?.key === part);
    if (like?.filter === filter && isAlike) {
      own?.push(like);
    } else {
      own ??= known.slice(0, count);
      own.push({ filter, prepared, key: part });
    }
    count += 1;
  }
  if (indexes.lastFilters !== undefined && own === undefined && count === known.length) {
    return indexes.lastFilters;
  }
  const filters = own ?? known.slice(0, count);
  let key: string | undefined = '';
  let isVolatile = false;
  for (const { filter, prepared, key: part } of filters) {
    key = extended(key, filter.name, part);
    if (prepared.dependsOn === 'cluster') isVolatile = true;
  }
  indexes.lastFilters = { filters, key, isVolatile };
  return indexes.lastFilters;
}

const NO_FILTERS: readonly ActiveFilter[] = Object.freeze([]);

function extended(
  key: string | undefined,
  name: string,
  part: string | undefined,
): string | undefined {
  return key === undefined || part === undefined ? undefined : `${key}${name}\u0000${part}\u0000`;
}

function activeScores(scores: readonly Score[], context: RankContext): readonly ActiveScore[] {
  const active: ActiveScore[] = [];
  for (const score of scores) {
    const prepared = score.prepare(context);
    if (prepared !== undefined) active.push({ score, prepared, weight: score.weight ?? 1 });
  }
  return active;
}

function activeReserves(policy: Policy, context: RankContext): readonly PreparedReserve[] {
  const active: PreparedReserve[] = [];
  for (const reserve of policy.reserves ?? []) {
    const prepared = reserve.prepare(context);
    if (prepared !== undefined) active.push(prepared);
  }
  return active;
}

/** Whether the node passes every filter. */
export function passes({ filters }: Pick<PreparedGroup, 'filters'>, node: NodeInfo): boolean {
  for (const { prepared: filter } of filters) {
    if (!isPassing(filter, node)) return false;
  }
  return true;
}

/** What nodes are compared by. */
export type Comparison = Pick<PreparedGroup, 'terms' | 'totals'> & {
  readonly policy: Pick<Policy, 'tieBreak'>;
};

/**
 * Compares two nodes by all terms, then by their totals, by the tie-break, and by their order:
 * never 0 for different nodes.
 */
export function compareNodes(by: Comparison, a: NodeInfo, b: NodeInfo): number {
  return compareByWorth(by, a, b) || compareByTie(by.policy.tieBreak, a, b);
}

/** Compares two nodes by all terms and their totals; 0 for a tie. */
export function compareByWorth(
  { terms, totals }: Pick<Comparison, 'terms' | 'totals'>,
  a: NodeInfo,
  b: NodeInfo,
): number {
  for (const term of terms) {
    const difference = term.value(a) - term.value(b);
    if (difference !== 0) return difference;
  }
  return totals === undefined ? 0 : totals.of(b) - totals.of(a);
}

/** Compares equal nodes by the tie-break of the policy, then by their order. */
export function compareByTie(tieBreak: NodeTerm | undefined, a: NodeInfo, b: NodeInfo): number {
  if (tieBreak !== undefined) {
    const difference = tieBreak.value(a) - tieBreak.value(b);
    if (difference !== 0) return difference;
  }
  return a.ordinal - b.ordinal;
}
