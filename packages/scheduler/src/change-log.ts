/**
 * Which nodes changed, in order: what lets cached candidates follow at the cost of the changes.
 */
import type { NodeRecord } from './node-info.js';

/** Entries kept beyond twice the number of nodes before the log starts anew. */
const SLACK = 1_024;

/**
 * A bounded log of touched nodes. A reader remembers the sequence number up to which it has read;
 * one that is too far behind reads all nodes again.
 */
export class ChangeLog {
  #entries: NodeRecord[] = [];
  #first = 0;
  /** Rises when the set or the order of the nodes changes: positions are worthless then. */
  layout = 0;

  /** Sequence number of the next entry. */
  get end(): number {
    return this.#first + this.#entries.length;
  }

  /** Notes that a node or its use changed. Bounded by the number of nodes, plus a constant. */
  add(node: NodeRecord, nodeCount: number): void {
    if (this.#entries.length > 2 * nodeCount + SLACK) {
      this.#first += this.#entries.length;
      this.#entries = [];
    }
    this.#entries.push(node);
  }

  /** Calls back for each entry from `start`; false when they are not kept any more. */
  replay(start: number, visit: (node: NodeRecord) => void): boolean {
    if (start < this.#first) return false;
    for (let at = start - this.#first; at < this.#entries.length; at += 1) {
      visit(this.#entries[at] as NodeRecord);
    }
    return true;
  }
}

/** Nodes in their order, and what changed among them. The cluster state is one. */
export interface NodeSource {
  readonly changes: ChangeLog;
  /** All nodes by name, then id, with their ordinals up to date. */
  orderedNodes(): readonly NodeRecord[];
}
