/**
 * Active tasks of one service, by node.
 */
import type { NodeInfo } from './node-info.js';

/** How many active tasks of a service each node has. */
export interface ServiceCounts {
  /** 0 for a node without any. */
  on(node: NodeInfo): number;
  /** Nodes with at least one, in no promised order. */
  nodes(): Iterable<NodeInfo>;
}

/**
 * Counts that grow and shrink. Most services have few tasks: the first node is kept without a map,
 * which matters when there are as many services as tasks.
 */
export class ServiceCounter implements ServiceCounts {
  #first: NodeInfo | undefined;
  #firstCount = 0;
  #others: Map<NodeInfo, number> | undefined;

  get isEmpty(): boolean {
    return this.#first === undefined && (this.#others?.size ?? 0) === 0;
  }

  on(node: NodeInfo): number {
    return node === this.#first ? this.#firstCount : (this.#others?.get(node) ?? 0);
  }

  *nodes(): Iterable<NodeInfo> {
    if (this.#first !== undefined) yield this.#first;
    if (this.#others !== undefined) yield* this.#others.keys();
  }

  /** Adds a task to the node, or takes one away. */
  step(node: NodeInfo, by: 1 | -1): void {
    const count = this.on(node) + by;
    if (node === this.#first || (this.#first === undefined && !this.#others?.has(node))) {
      this.#first = count > 0 ? node : undefined;
      this.#firstCount = count;
    } else if (count > 0) {
      this.#others ??= new Map();
      this.#others.set(node, count);
    } else {
      this.#others?.delete(node);
    }
  }
}

/** Counts of a service without active tasks. */
export const NO_COUNTS: ServiceCounts = Object.freeze({ on: () => 0, nodes: () => NO_NODES });

const NO_NODES: readonly NodeInfo[] = Object.freeze([]);
