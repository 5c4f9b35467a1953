/**
 * The keys whose passes are under way, in the order in which they began: mostly they end in it,
 * and then no map has to be asked for them.
 */

/** Something that has passes. The order owns `behind` while a pass is under way. */
export interface PassItem<Self> {
  readonly key: string;
  readonly isRunning: boolean;
  behind: Self | undefined;
}

/** A hint, not a list: what ends out of turn, and what began behind it, may be forgotten. */
export class PassOrder<Item extends PassItem<Item>> {
  #next: Item | undefined;
  #last: Item | undefined;

  /** A pass begins. */
  began(item: Item): void {
    if (this.#next?.isRunning === true && this.#last !== undefined) this.#last.behind = item;
    else this.#next = item;
    this.#last = item;
  }

  /** The item of a key, if its pass is the one that is to end next. */
  find(key: string): Item | undefined {
    const item = this.#next;
    return item?.key === key && item.isRunning ? item : undefined;
  }

  /** A pass is over. */
  ended(item: Item): void {
    if (item === this.#next) this.#next = item.behind;
    if (item === this.#last) this.#last = undefined;
    item.behind = undefined;
  }
}
