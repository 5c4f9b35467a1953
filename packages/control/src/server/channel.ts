/**
 * Many writers, one reader, nothing kept.
 */

interface Put<T> {
  readonly value: T;
  readonly done: (isTaken: boolean) => void;
}

/**
 * Hands values from writers to a reader, each writer waiting until its value is taken: so as many
 * values are held as there are writers, however slow the reader is. Writers take turns.
 */
export class Channel<T> implements AsyncIterableIterator<T, undefined> {
  #puts: Put<T>[] = [];
  #reader: ((result: IteratorResult<T, undefined>) => void) | undefined;
  #isOver = false;

  /** Resolves when the value was taken, with true, or when nobody reads any more, with false. */
  put(value: T): Promise<boolean> {
    if (this.#isOver) return Promise.resolve(false);
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      reader({ done: false, value });
      return Promise.resolve(true);
    }
    return new Promise((done) => this.#puts.push({ value, done }));
  }

  /** Nothing comes any more; what waits is dropped. Again is nothing. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const { done } of this.#puts.splice(0)) done(false);
    this.#reader?.({ done: true, value: undefined });
    this.#reader = undefined;
  }

  /** The next value. One call at a time. */
  next(): Promise<IteratorResult<T, undefined>> {
    const put = this.#puts.shift();
    if (put !== undefined) {
      put.done(true);
      return Promise.resolve({ done: false, value: put.value });
    }
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => (this.#reader = resolve));
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
