/**
 * What a node answers to one question, as the asker reads it.
 */
import { SkepError, type NodeAnswer } from '@skep/api';

/** What an answer stream is made of. */
export interface AnswerStreamParts {
  /**
   * Puts the question, when the first answer is asked for. What it throws is the asker's to see.
   */
  readonly open: (stream: AnswerStream) => AsyncIterable<NodeAnswer>;
  /** The asker gives up when it fires. */
  readonly signal?: AbortSignal | undefined;
}

interface Reader {
  readonly resolve: (result: IteratorResult<NodeAnswer, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Answers one after the other, read once. The node is asked for the next when the asker is, so
 * nothing is kept here. Unlike a generator it ends at once: when the asker returns it or gives up,
 * or the session is over, though the node has not answered yet.
 */
export class AnswerStream implements AsyncIterableIterator<NodeAnswer, undefined> {
  readonly #parts: AnswerStreamParts;
  readonly #abort = new AbortController();
  readonly #readers = new Set<Reader>();
  readonly #overListeners: (() => void)[] = [];
  readonly #giveUp = (): void => this.fail(new SkepError('aborted', 'the asker gave up'));
  #answers: AsyncIterator<NodeAnswer> | undefined;
  #isOver = false;
  /** Thrown by the next read; then the stream is just over. */
  #error: unknown;

  constructor(parts: AnswerStreamParts) {
    this.#parts = parts;
    if (parts.signal?.aborted === true) this.#giveUp();
    else parts.signal?.addEventListener('abort', this.#giveUp, { once: true });
  }

  /** Fires when the stream is over: for the node, to stop. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Calls back once, when the stream is over. */
  onOver(listener: () => void): void {
    this.#overListeners.push(listener);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<NodeAnswer, undefined>> {
    if (this.#isOver) return this.#afterEnd();
    try {
      this.#answers ??= this.#parts.open(this)[Symbol.asyncIterator]();
    } catch (thrown) {
      this.fail(thrown);
      return this.#afterEnd();
    }
    const answers = this.#answers;
    return new Promise((resolve, reject) => {
      const reader = { resolve, reject };
      this.#readers.add(reader);
      answers.next().then(
        (result) => this.#read(reader, result),
        (thrown: unknown) => this.fail(thrown),
      );
    });
  }

  /** The asker leaves. */
  return(): Promise<IteratorResult<NodeAnswer, undefined>> {
    this.#end();
    return Promise.resolve(DONE);
  }

  /** Ends the stream with an error, which the asker sees once. Harmless when it is over. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    const [first] = this.#readers;
    if (first === undefined) {
      this.#error = error;
    } else {
      this.#readers.delete(first);
      first.reject(error);
    }
    this.#end();
  }

  #read(reader: Reader, result: IteratorResult<NodeAnswer>): void {
    if (!this.#readers.delete(reader)) return;
    if (result.done !== true) return reader.resolve(result);
    reader.resolve(DONE);
    this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.signal?.removeEventListener('abort', this.#giveUp);
    for (const reader of this.#readers) reader.resolve(DONE);
    this.#readers.clear();
    this.#abort.abort();
    // Nobody waits for the node here: it may not answer.
    this.#answers?.return?.().catch(() => undefined);
    for (const listener of this.#overListeners.splice(0)) listener();
  }

  #afterEnd(): Promise<IteratorResult<NodeAnswer, undefined>> {
    const error = this.#error;
    this.#error = undefined;
    return error === undefined ? Promise.resolve(DONE) : Promise.reject(error);
  }
}

const DONE: IteratorResult<NodeAnswer, undefined> = { done: true, value: undefined };
