/**
 * Commits as an async iterable: pulled by the consumer, so buffered, so bounded.
 */
import type { Revision } from '@skep/api';
import { isClosing } from './closing.js';
import type { CommitEvent, Store, WatchSelector } from './contract.js';
import { resyncRequired } from './watch-hub.js';

/** What a stream of commits is made from. */
export interface CommitStreamOptions {
  readonly store: Pick<Store, 'subscribe'>;
  readonly selector: WatchSelector | undefined;
  readonly fromRevision: Revision;
  readonly signal: AbortSignal | undefined;
  readonly bufferMax: number;
}

/** Commits after a revision; each iteration has a subscription and a buffer of its own. */
export function commitStream(options: CommitStreamOptions): AsyncIterable<CommitEvent> {
  return { [Symbol.asyncIterator]: () => new CommitIterator(options) };
}

interface Waiting {
  readonly resolve: (result: IteratorResult<CommitEvent, undefined>) => void;
  readonly reject: (reason: Error) => void;
}

const DONE: IteratorResult<CommitEvent, undefined> = { done: true, value: undefined };

class CommitIterator implements AsyncIterator<CommitEvent, undefined> {
  #buffer: CommitEvent[] = [];
  #waiting: Waiting[] = [];
  #isOver = false;
  /** Why it ended, until the consumer has been told. */
  #error: Error | undefined;
  readonly #stop: () => void;

  constructor({ store, selector, fromRevision, signal, bufferMax }: CommitStreamOptions) {
    const subscription = store.subscribe(
      {
        commit: (event) => {
          this.#give(event, bufferMax);
        },
        ended: (reason) => {
          this.#end(reason);
        },
      },
      { fromRevision, ...(selector === undefined ? {} : { selector }) },
    );
    const abort = (): void => this.#end(undefined);
    this.#stop = () => {
      subscription.unsubscribe();
      signal?.removeEventListener('abort', abort);
    };
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort);
  }

  next(): Promise<IteratorResult<CommitEvent, undefined>> {
    const value = this.#buffer.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) return Promise.reject(error);
    if (this.#isOver) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<CommitEvent, undefined>> {
    this.#end(undefined);
    return Promise.resolve(DONE);
  }

  #give(event: CommitEvent, bufferMax: number): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting.resolve({ done: false, value: event });
    } else if (this.#buffer.length < bufferMax) {
      this.#buffer.push(event);
    } else {
      // What waits is of no use to someone who has to start again.
      this.#buffer = [];
      this.#end(resyncRequired(bufferMax));
    }
  }

  #end(reason: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stop();
    // Aborted or left: nobody wants the rest. Ended by the store: what was delivered still counts.
    if (reason === undefined) this.#buffer = [];
    const [first, ...others] = this.#waiting;
    this.#waiting = [];
    if (reason === undefined) first?.resolve(DONE);
    else if (isClosing(reason)) first?.resolve(DONE);
    else if (first === undefined) this.#error = reason;
    else first.reject(reason);
    for (const waiting of others) waiting.resolve(DONE);
  }
}
