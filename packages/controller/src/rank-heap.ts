/**
 * A binary heap whose members know their place in it, so that any of them can be taken out.
 */

/** A place in a {@link RankHeap} for one owner. Lower ranks come first, then lower orders. */
export class HeapNode<Owner> {
  readonly owner: Owner;
  rank = 0;
  order = 0;
  /** Position in the heap; -1 while it is in none. */
  index = -1;

  constructor(owner: Owner) {
    this.owner = owner;
  }
}

/**
 * Min-heap of nodes by (rank, order). A node is in at most one heap.
 * Cost: O(log n) for `push` and `remove`, O(1) for `peek`.
 */
export class RankHeap<Owner> {
  readonly #nodes: HeapNode<Owner>[] = [];

  /** How many nodes there are. */
  get size(): number {
    return this.#nodes.length;
  }

  /** The first node, left where it is. */
  peek(): HeapNode<Owner> | undefined {
    return this.#nodes[0];
  }

  /** Puts the node at its rank; one that is here already is moved. */
  push(node: HeapNode<Owner>, rank: number, order: number): void {
    this.remove(node);
    node.rank = rank;
    node.order = order;
    this.#nodes.push(node);
    this.#rise(node, this.#nodes.length - 1);
  }

  /** Takes the node out; harmless when it is not here. */
  remove(node: HeapNode<Owner>): void {
    const at = node.index;
    if (at < 0) return;
    node.index = -1;
    const last = this.#nodes.pop();
    if (last === undefined || last === node) return;
    const parent = this.#nodes[(at - 1) >> 1];
    if (at > 0 && parent !== undefined && isBefore(last, parent)) this.#rise(last, at);
    else this.#sink(last, at);
  }

  #rise(node: HeapNode<Owner>, from: number): void {
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.#nodes[above];
      if (parent === undefined || !isBefore(node, parent)) break;
      this.#put(parent, at);
      at = above;
    }
    this.#put(node, at);
  }

  #sink(node: HeapNode<Owner>, from: number): void {
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      let child = this.#nodes[below];
      if (child === undefined) break;
      const right = this.#nodes[below + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        below += 1;
      }
      if (!isBefore(child, node)) break;
      this.#put(child, at);
      at = below;
    }
    this.#put(node, at);
  }

  #put(node: HeapNode<Owner>, at: number): void {
    this.#nodes[at] = node;
    node.index = at;
  }
}

function isBefore(a: HeapNode<unknown>, b: HeapNode<unknown>): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.order < b.order);
}
