/**
 * How to undo what was done to a cluster state.
 */

/** Undoes changes, the last first. Nothing is noted while no trial is open. */
export class Journal {
  readonly #undo: (() => void)[] = [];
  #depth = 0;

  /** Whether changes have to be noted. */
  get isOpen(): boolean {
    return this.#depth > 0;
  }

  /** Notes how to undo the change that was just made. */
  note(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** Runs `change`, then undoes everything that it noted, also when it throws. May be nested. */
  attempt<Result>(change: () => Result): Result {
    const start = this.#undo.length;
    this.#depth += 1;
    try {
      return change();
    } finally {
      this.#depth -= 1;
      const depth = this.#depth;
      // What is undone is noted nowhere.
      this.#depth = 0;
      for (let at = this.#undo.length - 1; at >= start; at -= 1) this.#undo[at]?.();
      this.#undo.length = start;
      this.#depth = depth;
    }
  }
}
