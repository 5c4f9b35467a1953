/**
 * A binary heap that also knows its second best: the runner-up of a placement.
 */

/** A heap over items in a strict total order; the least item is on top. */
export class Heap<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #items: T[];

  /** Takes over the array. Cost: O(items). */
  constructor(compare: (a: T, b: T) => number, items: T[] = []) {
    this.#compare = compare;
    this.#items = items;
    for (let i = (items.length >> 1) - 1; i >= 0; i -= 1) this.#sink(i);
  }

  get size(): number {
    return this.#items.length;
  }

  /** The items in no promised order. */
  get items(): readonly T[] {
    return this.#items;
  }

  /** The least item. */
  peek(): T | undefined {
    return this.#items[0];
  }

  /** The least item but one. Cost: one comparison. */
  second(): T | undefined {
    const left = this.#items[1];
    const right = this.#items[2];
    if (left === undefined || right === undefined) return left;
    return this.#compare(right, left) < 0 ? right : left;
  }

  /** Adds an item. Cost: O(log size). */
  push(item: T): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = items[up] as T;
      if (this.#compare(item, parent) >= 0) break;
      items[at] = parent;
      at = up;
    }
    items[at] = item;
  }

  /** Removes the least item. Cost: O(log size). */
  pop(): T | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (items.length > 0) {
      items[0] = last as T;
      this.#sink(0);
    }
    return top;
  }

  /** Finds the top item's new place after its rank changed. Cost: O(log size). */
  fixTop(): void {
    if (this.#items.length > 1) this.#sink(0);
  }

  #sink(start: number): void {
    const items = this.#items;
    const item = items[start] as T;
    let at = start;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      const right = child + 1;
      if (right < items.length && this.#compare(items[right] as T, items[child] as T) < 0) {
        child = right;
      }
      if (this.#compare(items[child] as T, item) >= 0) break;
      items[at] = items[child] as T;
      at = child;
    }
    items[at] = item;
  }
}
