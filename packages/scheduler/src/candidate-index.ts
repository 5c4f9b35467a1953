/**
 * Candidates that many groups share: the nodes that pass a set of filters, in the order of those
 * rank terms that do not depend on the group, then of the scores' totals, then of the tie-break.
 *
 * Groups whose filters and scores have equal keys (see `PreparedFilter.key`) use one index. It
 * follows the
 * state's change log, so that a placement costs O(log nodes) and not O(nodes), even when every
 * task is a group of its own.
 */
import type { PendingReason } from '@skep/api';
import type { FlatCandidates } from './candidates.js';
import type { NodeSource } from './change-log.js';
import { NodeChecks } from './is-passing.js';
import { NodeHeap } from './node-heap.js';
import type { NodeRecord } from './node-info.js';
import type { NodeTerm, Policy, PreparedFilter, PreparedTerm } from './policy.js';
import type { ActiveFilters } from './prepared-group.js';
import { ScoreMemos, cachesMax } from './score-memo.js';
import { ScratchArrays } from './scratch-arrays.js';
import { VerdictCache } from './verdict-cache.js';

/** Keys remembered, to know one that comes again. */
const SEEN_MAX = 4_096;

/** What nodes are put in order by: each gives a number, less is better, the first counts most. */
export type IndexColumn = Pick<NodeTerm, 'value'>;

/** Nodes that pass, best first by the node terms of a policy. */
export class CandidateIndex {
  /** Why nothing fits, as of a revision of the state: many groups ask the same. */
  refusal: { readonly revision: number; readonly reason: PendingReason } | undefined;
  /** @internal The candidates of the group that uses it. */
  opened: FlatCandidates | undefined;
  readonly #source: NodeSource;
  readonly #checks: NodeChecks;
  readonly #columns: readonly IndexColumn[];
  readonly #values: number[];
  #heap = new NodeHeap(0, 0);
  #layout = -1;
  #position = 0;
  #asked = 0;
  #aside: NodeRecord[] = [];
  readonly #read = (node: NodeRecord): void => {
    if (node.isKnown) this.#readNode(node);
  };

  constructor(
    source: NodeSource,
    checks: readonly PreparedFilter[],
    columns: readonly IndexColumn[],
  ) {
    this.#source = source;
    this.#checks = new NodeChecks(checks);
    this.#columns = columns;
    this.#values = columns.map(() => 0);
  }

  /** The candidates; call {@link CandidateIndex.refresh} before a group is placed. */
  get heap(): NodeHeap {
    return this.#heap;
  }

  /** How much changed since this was asked the last time. */
  changesSinceAsked(): number {
    const { end } = this.#source.changes;
    const changes = end - this.#asked;
    this.#asked = end;
    return changes;
  }

  /** Follows what changed since the last time. Cost: O(changes × log nodes), at most O(nodes). */
  refresh(): void {
    const nodes = this.#source.orderedNodes();
    const { changes } = this.#source;
    const isKept = this.#layout === changes.layout && changes.replay(this.#position, this.#read);
    if (isKept) {
      for (const node of this.#aside) this.#readNode(node);
    } else {
      this.#heap = new NodeHeap(nodes.length, this.#columns.length);
      for (const node of nodes) this.#readNode(node);
    }
    if (this.#aside.length > 0) this.#aside = [];
    this.#layout = changes.layout;
    this.#position = changes.end;
  }

  /** Takes a node out until the next refresh: the group ranks it by itself. */
  setAside(node: NodeRecord): void {
    this.#heap.delete(node);
    this.#aside.push(node);
  }

  #readNode(node: NodeRecord): void {
    const passedBefore = this.#heap.has(node) && node.describedAt < this.#position;
    if (!this.#checks.passes(node, passedBefore)) {
      this.#heap.delete(node);
      return;
    }
    for (let t = 0; t < this.#columns.length; t += 1) {
      this.#values[t] = (this.#columns[t] as IndexColumn).value(node);
    }
    this.#heap.put(node, this.#values);
  }
}

/** What is kept of earlier groups of one state, by policy and keys. All of it is bounded. */
export class IndexCache {
  /** @internal Scores by node. */
  readonly memos = new ScoreMemos();
  /** @internal Verdicts of filters by node. */
  readonly verdicts = new VerdictCache();
  /** @internal Filters of the group that was prepared last. */
  lastFilters: ActiveFilters | undefined;
  /** @internal Terms of the group that was prepared last. */
  lastTerms: { readonly policy: Policy; readonly terms: readonly PreparedTerm[] } | undefined;
  /** @internal What a scan needs while it runs. */
  readonly scratch = new ScratchArrays();
  readonly #byPolicy = new WeakMap<Policy, Map<string, CandidateIndex>>();
  readonly #seen = new Set<string>();
  /** What was asked for last: most tasks of a burst are alike. */
  #last:
    { readonly policy: Policy; readonly key: string; readonly index: CandidateIndex } | undefined;

  /** The index for these keys, if there is one. */
  find(policy: Policy, key: string): CandidateIndex | undefined {
    return this.#byPolicy.get(policy)?.get(key);
  }

  /** Whether the key came before; it counts as seen from now on. */
  isSeen(policy: Policy, key: string): boolean {
    const name = `${policy.name}\u0000${key}`;
    if (this.#seen.has(name)) return true;
    if (this.#seen.size >= SEEN_MAX) this.#seen.clear();
    this.#seen.add(name);
    return false;
  }

  /** The index that was asked for last, if it is the one for these keys. */
  last(policy: Policy, key: string): CandidateIndex | undefined {
    const last = this.#last;
    return last?.policy === policy && last.key === key ? last.index : undefined;
  }

  /**
   * The index for these keys, made by `create` when there is none. At least 64 are kept of a
   * policy, more of a small cluster; the least recently used is dropped. Each is O(nodes) large.
   */
  get(
    policy: Policy,
    key: string,
    make: { readonly create: () => CandidateIndex; readonly nodes: number },
  ): CandidateIndex {
    const last = this.last(policy, key);
    if (last !== undefined) return last;
    let indexes = this.#byPolicy.get(policy);
    if (indexes === undefined) {
      indexes = new Map();
      this.#byPolicy.set(policy, indexes);
    }
    let index = indexes.get(key);
    if (index === undefined) {
      index = make.create();
      const oldest = indexes.size < cachesMax(make.nodes) ? undefined : indexes.keys().next();
      if (oldest?.done === false) indexes.delete(oldest.value);
    } else {
      indexes.delete(key);
    }
    // A map keeps the order of insertion: the first is the least recently used.
    indexes.set(key, index);
    this.#last = { policy, key, index };
    return index;
  }
}
