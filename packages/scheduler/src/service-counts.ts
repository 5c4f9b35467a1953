/**
 * Active tasks of one service, by node.
 */
import type { NodeDomains } from './node-columns.js';
import type { NodeInfo } from './node-info.js';

/** How many active tasks of a service each node has. */
export interface ServiceCounts {
  /** 0 for a node without any. */
  on(node: NodeInfo): number;
  /** Nodes with at least one, in no promised order. */
  nodes(): Iterable<NodeInfo>;
  /** Calls back for each of those nodes with its count. */
  each(visit: (node: NodeInfo, tasks: number) => void): void;
  /**
   * The same by place, as of now. Cost: O(nodes with tasks + places) at the first call for these
   * domains, then O(1): those that were asked for last are counted on.
   */
  places(domains: NodeDomains): PlaceCounts;
}

/** Active tasks of a service by place; as of now, whenever looked at. */
export interface PlaceCounts {
  /** By position of the place in `values` of the domains. */
  readonly counts: readonly number[];
  /** In all places; tasks on nodes without a place do not count. */
  readonly total: number;
}

/** Domains for which a service keeps counts; those asked for longest ago are dropped. */
const DOMAINS_MAX = 4;

/** Counts of one service for one set of places. */
class PlaceCounter implements PlaceCounts {
  readonly domains: NodeDomains;
  readonly counts: number[];
  total = 0;

  constructor(domains: NodeDomains) {
    this.domains = domains;
    this.counts = domains.values.map(() => 0);
  }

  step({ ordinal }: NodeInfo, by: number): void {
    const place = this.domains.of[ordinal] ?? -1;
    if (place === -1) return;
    this.counts[place] = (this.counts[place] as number) + by;
    this.total += by;
  }
}

/**
 * Counts that grow and shrink. Most services have few tasks: the first node is kept without a map,
 * which matters when there are as many services as tasks.
 */
export class ServiceCounter implements ServiceCounts {
  #first: NodeInfo | undefined;
  #firstCount = 0;
  #others: Map<NodeInfo, number> | undefined;
  #places: PlaceCounter[] | undefined;

  get isEmpty(): boolean {
    return this.#first === undefined && (this.#others?.size ?? 0) === 0;
  }

  on(node: NodeInfo): number {
    return node === this.#first ? this.#firstCount : (this.#others?.get(node) ?? 0);
  }

  nodes(): Iterable<NodeInfo> {
    return this.isEmpty ? NO_NODES : this.#nodes();
  }

  *#nodes(): Iterable<NodeInfo> {
    if (this.#first !== undefined) yield this.#first;
    if (this.#others !== undefined) yield* this.#others.keys();
  }

  each(visit: (node: NodeInfo, tasks: number) => void): void {
    if (this.#first !== undefined) visit(this.#first, this.#firstCount);
    this.#others?.forEach((tasks, node) => visit(node, tasks));
  }

  places(domains: NodeDomains): PlaceCounts {
    const known = this.#places?.find((one) => one.domains === domains);
    if (known !== undefined) return known;
    const counter = new PlaceCounter(domains);
    this.each((node, tasks) => counter.step(node, tasks));
    this.#places ??= [];
    if (this.#places.length >= DOMAINS_MAX) this.#places.shift();
    this.#places.push(counter);
    return counter;
  }

  /** Adds a task to the node, or takes one away. */
  step(node: NodeInfo, by: 1 | -1): void {
    if (this.#places !== undefined) for (const places of this.#places) places.step(node, by);
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
export const NO_COUNTS: ServiceCounts = Object.freeze({
  on: () => 0,
  nodes: () => NO_NODES,
  each: () => undefined,
  places: (domains: NodeDomains) => new PlaceCounter(domains),
});

const NO_NODES: readonly NodeInfo[] = Object.freeze([]);
