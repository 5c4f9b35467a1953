/**
 * Where the next task of a group goes: the best node, and the next best.
 */
import { CandidateIndex } from './candidate-index.js';
import type { Candidates, Choice } from './choice.js';
import { Heap } from './heap.js';
import type { NodeInfo, NodeRecord } from './node-info.js';
import { compareNodes, nodeTerms, passes, type PreparedGroup } from './prepared-group.js';
import { SpreadTree } from './spread-tree.js';

/**
 * Opens the candidates of a group.
 * Cost: O(nodes that the group's terms single out × log nodes) where an index serves the group,
 * else O(nodes).
 */
export function openCandidates(prepared: PreparedGroup): Candidates {
  if (prepared.levels.length > 0) return new SpreadTree(prepared);
  const { key, policy, state, filters } = prepared;
  if (key === undefined || !prepared.isSparse) {
    const nodes = state.nodes.filter((node) => passes(prepared, node));
    return new FlatCandidates(prepared, nodes);
  }
  const index = state.indexes.get(policy, key, () => {
    const checks = filters.map((active) => active.prepared);
    return new CandidateIndex(state, checks, nodeTerms(policy));
  });
  index.refresh();
  return new FlatCandidates(prepared, takeExceptions(prepared, index), index);
}

/** Moves the nodes that the group's terms single out from the index to the group. */
function takeExceptions(prepared: PreparedGroup, index: CandidateIndex): NodeInfo[] {
  const taken: NodeInfo[] = [];
  for (const term of prepared.terms) {
    for (const node of term.exceptions?.() ?? NO_NODES) {
      const record = node as NodeRecord;
      if (!index.heap.has(record)) continue;
      index.setAside(record);
      taken.push(node);
    }
  }
  return taken;
}

const NO_PATH: readonly string[] = Object.freeze([]);
const NO_NODES: readonly NodeInfo[] = Object.freeze([]);

/** Candidates without spread: the group's own heap, and the index for all nodes not in it. */
class FlatCandidates implements Candidates {
  readonly index?: CandidateIndex;
  readonly #prepared: PreparedGroup;
  readonly #own: Heap<NodeInfo>;
  #chosen: NodeInfo | undefined;

  constructor(prepared: PreparedGroup, own: NodeInfo[], index?: CandidateIndex) {
    this.#prepared = prepared;
    this.#own = new Heap((a, b) => compareNodes(prepared.terms, a, b), own);
    if (index !== undefined) this.index = index;
  }

  choose(): Choice | undefined {
    this.#dropStale();
    const own = this.#own.peek();
    const shared = this.index?.heap.peek();
    const node = this.#better(own, shared);
    this.#chosen = node;
    if (node === undefined) return undefined;
    const runnerUp =
      node === own
        ? this.#better(this.#own.second(), shared)
        : this.#better(own, this.index?.heap.second());
    const candidates = this.#own.size + (this.index?.heap.size ?? 0);
    return { node, runnerUp, spread: undefined, candidates, path: NO_PATH };
  }

  used(): void {
    const node = this.#chosen;
    if (node === undefined) return;
    const isFit = passes(this.#prepared, node);
    if (node === this.#own.peek()) {
      if (isFit) this.#own.fixTop();
      else this.#own.pop();
      return;
    }
    // From here on the node counts for this group: it is ranked by the group's terms too.
    this.index?.setAside(node as NodeRecord);
    if (isFit) this.#own.push(node);
  }

  /** Filters without key may have changed their mind about nodes that were not used. */
  #dropStale(): void {
    if (this.#prepared.key !== undefined) return;
    for (let top = this.#own.peek(); top !== undefined; top = this.#own.peek()) {
      if (passes(this.#prepared, top)) return;
      this.#own.pop();
    }
  }

  #better(a: NodeInfo | undefined, b: NodeInfo | undefined): NodeInfo | undefined {
    if (a === undefined || b === undefined) return a ?? b;
    return compareNodes(this.#prepared.terms, a, b) < 0 ? a : b;
  }
}
