/**
 * The order in which keys leave a queue: priorities that age, first come first served among equals.
 */
import { HeapNode, RankHeap } from './rank-heap.js';

/**
 * Something that stands in a {@link ReadyLane}. The lane owns all fields but `priority`,
 * `readySince` and `order`, which stay as they are while the item stands in it.
 */
export interface LaneItem<Self> {
  priority: number;
  /** When it became ready, by the clock. */
  readySince: number;
  /** Total order among items that became ready at the same time. */
  order: number;
  isInLine: boolean;
  before: Self | undefined;
  behind: Self | undefined;
  rankNode: HeapNode<Self> | undefined;
}

/**
 * Items in the order of their effective priority, `priority + waited / agingMs`.
 *
 * All waits grow at the same pace, so the order of two items never changes and equals that of
 * `readySince - priority * agingMs`, which needs no clock. Hence no starvation: an item of priority
 * p is overtaken only by items of priority q that become ready less than (q - p) × agingMs later.
 *
 * Cost: O(1) for priority 0, O(log n) for others.
 */
export class ReadyLane<Item extends LaneItem<Item>> {
  readonly #agingMs: number;
  readonly #ranked = new RankHeap<Item>();
  #first: Item | undefined;
  #last: Item | undefined;
  #size = 0;

  constructor(agingMs: number) {
    this.#agingMs = agingMs;
  }

  /** How many items stand in the lane. */
  get size(): number {
    return this.#size;
  }

  /** Puts an item into the lane; it must not stand there yet. */
  add(item: Item): void {
    this.#size += 1;
    if (item.priority !== 0) {
      item.rankNode ??= new HeapNode(item);
      this.#ranked.push(item.rankNode, this.#rank(item), item.order);
      return;
    }
    item.isInLine = true;
    item.before = this.#last;
    item.behind = undefined;
    if (this.#last === undefined) this.#first = item;
    else this.#last.behind = item;
    this.#last = item;
  }

  /** Takes an item out; harmless when it does not stand in the lane. */
  remove(item: Item): void {
    if (item.isInLine) {
      this.#unlink(item);
    } else {
      const node = item.rankNode;
      if (node === undefined || node.index < 0) return;
      this.#ranked.remove(node);
    }
    this.#size -= 1;
  }

  /** The item that comes next, left where it is. */
  peek(): Item | undefined {
    const ranked = this.#ranked.peek()?.owner;
    const line = this.#first;
    if (ranked === undefined || line === undefined) return ranked ?? line;
    const difference = this.#rank(ranked) - this.#rank(line);
    return difference < 0 || (difference === 0 && ranked.order < line.order) ? ranked : line;
  }

  #rank(item: Item): number {
    return item.readySince - item.priority * this.#agingMs;
  }

  #unlink(item: Item): void {
    if (item.before === undefined) this.#first = item.behind;
    else item.before.behind = item.behind;
    if (item.behind === undefined) this.#last = item.before;
    else item.behind.before = item.before;
    item.before = undefined;
    item.behind = undefined;
    item.isInLine = false;
  }
}
