/**
 * Where the next task of a group goes: the best node, and the next best.
 */
import { CandidateIndex, type IndexColumn } from './candidate-index.js';
import type { Candidates, Choice } from './choice.js';
import { Heap } from './heap.js';
import type { NodeInfo, NodeRecord } from './node-info.js';
import type { NodeTerm, PreparedTerm } from './policy.js';
import { compareNodes, passes, type PreparedGroup } from './prepared-group.js';
import { ScanCandidates } from './scan-candidates.js';
import { SpreadTree } from './spread-tree.js';

/**
 * Opens the candidates of a group.
 * Cost: O(nodes that the group's terms single out × log nodes) where an index serves the group,
 * else O(nodes).
 */
export function openCandidates(prepared: PreparedGroup): Candidates {
  if (prepared.levels.length > 0) return new SpreadTree(prepared);
  const index = indexFor(prepared);
  if (index !== undefined) {
    index.refresh();
    index.opened ??= new FlatCandidates(index);
    return index.opened.open(prepared, takeExceptions(prepared, index));
  }
  if (prepared.isVolatile || isScanned(prepared)) return new ScanCandidates(prepared);
  const nodes = prepared.state.nodes.filter((node) => passes(prepared, node));
  return new FlatCandidates().open(prepared, nodes);
}

/** Groups up to this size are scanned for each task: beyond, a heap is worth its making. */
const SCANNED_TASKS_MAX = 16;
/** An index is worth following when at most one node in so many changed since it was last asked. */
const NODES_PER_CHANGE = 64;

function isScanned({ scores, group }: PreparedGroup): boolean {
  return scores.length > 0 && group.tasks.length <= SCANNED_TASKS_MAX;
}

/** The shared index, where the group may use one and it costs less than a scan. */
function indexFor(prepared: PreparedGroup): CandidateIndex | undefined {
  const { indexKey, policy, state, scores } = prepared;
  if (indexKey === undefined || !prepared.isSparse) return undefined;
  const { indexes, table } = state;
  if (scores.length === 0) {
    const last = indexes.last(policy, indexKey);
    if (last !== undefined) return last;
  }
  const isColumnar = scores.length > 0 && scores.every((one) => one.prepared.scoreAll);
  if (isColumnar) {
    const known = indexes.find(policy, indexKey);
    if (known === undefined) {
      if (!indexes.isSeen(policy, indexKey)) return undefined;
    } else if (known.changesSinceAsked() * NODES_PER_CHANGE > table.size) {
      return undefined;
    }
  }
  const create = (): CandidateIndex => {
    const checks = prepared.filters.map((active) => active.prepared);
    return new CandidateIndex(table, checks, indexColumns(prepared));
  };
  return indexes.get(policy, indexKey, { create, nodes: table.size });
}

/** What the shared index is ordered by: node terms, totals, tie-break. */
function indexColumns({ policy, totals }: PreparedGroup): readonly IndexColumn[] {
  const { tieBreak } = policy;
  return [
    ...policy.rank.filter((term): term is NodeTerm => term.scope === 'node'),
    ...(totals === undefined ? [] : [{ value: (node: NodeInfo) => -totals.sum(node) }]),
    ...(tieBreak === undefined ? [] : [tieBreak]),
  ];
}

/** Moves the nodes that the group's terms single out from the index to the group. */
function takeExceptions(prepared: PreparedGroup, index: CandidateIndex): NodeInfo[] | undefined {
  let taken: NodeInfo[] | undefined;
  const { terms } = prepared;
  for (let at = 0; at < terms.length; at += 1) {
    const exceptions = (terms[at] as PreparedTerm).exceptions?.();
    if (exceptions === undefined || isEmptyList(exceptions)) continue;
    for (const node of exceptions) {
      const record = node as NodeRecord;
      if (!index.heap.has(record)) continue;
      index.setAside(record);
      taken ??= [];
      taken.push(node);
    }
  }
  return taken;
}

/** Known without an iterator. */
function isEmptyList(nodes: Iterable<NodeInfo>): boolean {
  return Array.isArray(nodes) && nodes.length === 0;
}

const NO_PATH: readonly string[] = Object.freeze([]);

/**
 * Candidates without spread: the group's own heap, and the index for all nodes not in it. An index
 * serves one group at a time, and so do its candidates: nothing is made for a group of one task.
 */
export class FlatCandidates implements Candidates {
  readonly index: CandidateIndex | undefined;
  #prepared!: PreparedGroup;
  /** Absent while it would be empty: a group of one task that was never placed needs none. */
  #own: Heap<NodeInfo> | undefined;
  #chosen: NodeInfo | undefined;

  constructor(index?: CandidateIndex) {
    this.index = index;
  }

  /** Begins with a group. `own`: nodes that it ranks by itself. */
  open(prepared: PreparedGroup, own: NodeInfo[] | undefined): this {
    this.#prepared = prepared;
    this.#own = own === undefined ? undefined : this.#heapOf(own);
    this.#chosen = undefined;
    return this;
  }

  choose(): Choice | undefined {
    this.#dropStale();
    const own = this.#own?.peek();
    const shared = this.index?.heap.peek();
    const node = this.#better(own, shared);
    this.#chosen = node;
    if (node === undefined) return undefined;
    const runnerUp =
      node === own
        ? this.#better(this.#own?.second(), shared)
        : this.#better(own, this.index?.heap.second());
    const candidates = (this.#own?.size ?? 0) + (this.index?.heap.size ?? 0);
    return { node, runnerUp, spread: undefined, candidates, path: NO_PATH };
  }

  used(): void {
    const node = this.#chosen;
    if (node === undefined) return;
    const isFit = passes(this.#prepared, node);
    if (node === this.#own?.peek()) {
      if (isFit) this.#own.fixTop();
      else this.#own.pop();
      return;
    }
    // From here on the node counts for this group: it is ranked by the group's terms too.
    this.index?.setAside(node as NodeRecord);
    if (!isFit) return;
    this.#own ??= this.#heapOf([]);
    this.#own.push(node);
  }

  #heapOf(nodes: NodeInfo[]): Heap<NodeInfo> {
    return new Heap((a, b) => compareNodes(this.#prepared, a, b), nodes);
  }

  /** Filters without key may have changed their mind about nodes that were not used. */
  #dropStale(): void {
    if (this.#prepared.key !== undefined) return;
    const own = this.#own;
    for (let top = own?.peek(); top !== undefined; top = own?.peek()) {
      if (passes(this.#prepared, top)) return;
      own?.pop();
    }
  }

  #better(a: NodeInfo | undefined, b: NodeInfo | undefined): NodeInfo | undefined {
    if (a === undefined || b === undefined) return a ?? b;
    return compareNodes(this.#prepared, a, b) < 0 ? a : b;
  }
}
