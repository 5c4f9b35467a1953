/**
 * Scores of nodes that were worked out before, for as long as the nodes stay as they are.
 */
import type { NodeInfo } from './node-info.js';
import type { PreparedScore, Score } from './policy.js';

/** Memos kept per state; the least recently used is dropped. Each costs 16 bytes a node. */
const MEMOS_MAX = 64;
/** More are kept of a small cluster: up to this many values in all. */
const VALUES_MAX = 1 << 20;

/** How many caches of O(nodes) size are kept for a cluster of this size. */
export function cachesMax(nodes: number): number {
  return Math.max(MEMOS_MAX, Math.floor(VALUES_MAX / Math.max(1, nodes)));
}

/** Values by node, each as of a revision of the node. */
export class ScoreMemo {
  readonly #compute: (node: NodeInfo) => number;
  #values: Float64Array;
  #revisions: Float64Array;

  /** For this many nodes; it grows when there are more. */
  constructor(compute: (node: NodeInfo) => number, nodes: number) {
    this.#compute = compute;
    this.#values = new Float64Array(nodes);
    this.#revisions = new Float64Array(nodes);
  }

  /** The value for the node as it is now. Cost: O(1) when the node did not change. */
  value(node: NodeInfo): number {
    const { ordinal, revision } = node;
    // Revisions start at 1 and differ between nodes, so what moved is never taken for another.
    if (this.#revisions[ordinal] === revision) return this.#values[ordinal] as number;
    if (ordinal >= this.#values.length) this.#grow(ordinal + 1);
    const value = this.#compute(node);
    this.#values[ordinal] = value;
    this.#revisions[ordinal] = revision;
    return value;
  }

  #grow(length: number): void {
    const capacity = Math.max(length, 2 * this.#values.length, 16);
    const values = new Float64Array(capacity);
    const revisions = new Float64Array(capacity);
    values.set(this.#values);
    revisions.set(this.#revisions);
    this.#values = values;
    this.#revisions = revisions;
  }
}

/** The memos of one state, by score and key. */
export class ScoreMemos {
  readonly #memos = new Map<Score, Map<string, ScoreMemo>>();
  #count = 0;

  /** The memo of a score that has a key. */
  get(score: Score, prepared: PreparedScore, nodes: number): ScoreMemo {
    let ofScore = this.#memos.get(score);
    if (ofScore === undefined) {
      ofScore = new Map();
      this.#memos.set(score, ofScore);
    }
    const key = prepared.key ?? '';
    let memo = ofScore.get(key);
    if (memo === undefined) {
      if (this.#count >= cachesMax(nodes)) this.#dropOldest();
      memo = new ScoreMemo((node) => prepared.score(node), nodes);
      this.#count += 1;
    } else {
      ofScore.delete(key);
    }
    // A map keeps the order of insertion: the first is the least recently used.
    ofScore.set(key, memo);
    this.#memos.set(score, ofScore);
    return memo;
  }

  #dropOldest(): void {
    for (const [score, ofScore] of this.#memos) {
      const oldest = ofScore.keys().next();
      if (oldest.done !== true) {
        ofScore.delete(oldest.value);
        this.#count -= 1;
      }
      if (ofScore.size === 0) this.#memos.delete(score);
      if (oldest.done !== true) return;
    }
  }
}
