/**
 * Candidates that many groups share: the nodes that pass a set of filters, in the order of those
 * rank terms that do not depend on the group.
 *
 * Groups whose filters have equal keys (see `PreparedFilter.key`) use one index. It follows the
 * state's change log, so that a placement costs O(log nodes) and not O(nodes), even when every
 * task is a group of its own.
 */
import type { PendingReason } from '@skep/api';
import type { NodeSource } from './change-log.js';
import { NodeHeap } from './node-heap.js';
import type { NodeRecord } from './node-info.js';
import type { NodeTerm, Policy, PreparedFilter } from './policy.js';

/** Indexes kept per policy; the least recently used is dropped. Each costs O(nodes) memory. */
const INDEXES_MAX = 64;

/** Nodes that pass, best first by the node terms of a policy. */
export class CandidateIndex {
  /** Why nothing fits, as of a revision of the state: many groups ask the same. */
  refusal: { readonly revision: number; readonly reason: PendingReason } | undefined;
  readonly #source: NodeSource;
  readonly #checks: readonly PreparedFilter[];
  readonly #terms: readonly NodeTerm[];
  readonly #values: number[];
  #heap = new NodeHeap(0, 0);
  #layout = -1;
  #position = 0;
  #aside: NodeRecord[] = [];

  constructor(source: NodeSource, checks: readonly PreparedFilter[], terms: readonly NodeTerm[]) {
    this.#source = source;
    this.#checks = checks;
    this.#terms = terms;
    this.#values = terms.map(() => 0);
  }

  /** The candidates; call {@link CandidateIndex.refresh} before a group is placed. */
  get heap(): NodeHeap {
    return this.#heap;
  }

  /** Follows what changed since the last time. Cost: O(changes × log nodes), at most O(nodes). */
  refresh(): void {
    const nodes = this.#source.orderedNodes();
    const { changes } = this.#source;
    const isKept =
      this.#layout === changes.layout &&
      changes.replay(this.#position, (node) => {
        if (node.isKnown) this.#readNode(node);
      });
    if (isKept) {
      for (const node of this.#aside) this.#readNode(node);
    } else {
      this.#heap = new NodeHeap(nodes.length, this.#terms.length);
      for (const node of nodes) this.#readNode(node);
    }
    this.#aside = [];
    this.#layout = changes.layout;
    this.#position = changes.end;
  }

  /** Takes a node out until the next refresh: the group ranks it by itself. */
  setAside(node: NodeRecord): void {
    this.#heap.delete(node);
    this.#aside.push(node);
  }

  #readNode(node: NodeRecord): void {
    for (const check of this.#checks) {
      if (check.check(node) !== undefined) {
        this.#heap.delete(node);
        return;
      }
    }
    for (let t = 0; t < this.#terms.length; t += 1) {
      this.#values[t] = (this.#terms[t] as NodeTerm).value(node);
    }
    this.#heap.put(node, this.#values);
  }
}

/** The indexes of one state, by policy and filter keys. */
export class IndexCache {
  readonly #byPolicy = new WeakMap<Policy, Map<string, CandidateIndex>>();

  /** The index for these keys, made by `create` when there is none. */
  get(policy: Policy, key: string, create: () => CandidateIndex): CandidateIndex {
    let indexes = this.#byPolicy.get(policy);
    if (indexes === undefined) {
      indexes = new Map();
      this.#byPolicy.set(policy, indexes);
    }
    let index = indexes.get(key);
    if (index === undefined) {
      index = create();
      const oldest = indexes.size < INDEXES_MAX ? undefined : indexes.keys().next();
      if (oldest?.done === false) indexes.delete(oldest.value);
    } else {
      indexes.delete(key);
    }
    // A map keeps the order of insertion: the first is the least recently used.
    indexes.set(key, index);
    return index;
  }
}
