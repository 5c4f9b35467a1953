/**
 * What came of the passes, for whoever wants to watch.
 */
import { SkepError } from '@skep/api';
import { Subject, Subscription, type Observable } from 'rxjs';
import type { PassResult } from './contract.js';

/** Results that a slow async reader may be behind; past it, its stream ends with an error. */
export const RESULTS_MAX = 1000;

/** A stream of results that costs nothing while nobody listens. */
export class ResultStream {
  readonly #subject = new Subject<PassResult>();
  readonly result$: Observable<PassResult> = this.#subject.asObservable();

  /** Whether anybody listens: ask before building a result. */
  get isObserved(): boolean {
    return this.#subject.observed;
  }

  /** Tells a result. */
  emit(result: PassResult): void {
    this.#subject.next(result);
  }

  /** Ends the stream. */
  complete(): void {
    this.#subject.complete();
  }
}

/** How an observable is iterated. */
export interface IterateOptions {
  /** Ends the loop. */
  readonly signal?: AbortSignal | undefined;
  /** Most values that are held for the reader. Default: {@link RESULTS_MAX}. */
  readonly max?: number | undefined;
}

/**
 * An observable as an async iterable, subscribed from now on. It ends with the observable, with the
 * signal, or when the reader leaves the loop.
 * @throws resource-exhausted in the loop, when the reader is too slow; whatever the source throws.
 */
export function iterate<T>(source$: Observable<T>, options: IterateOptions = {}): AsyncIterable<T> {
  const { signal, max = RESULTS_MAX } = options;
  const state: Iteration<T> = { buffer: [], end: undefined, wake: undefined };
  const finish = (how: { readonly error?: unknown }): void => {
    state.end ??= how;
    subscription.unsubscribe();
    signal?.removeEventListener('abort', onAbort);
    state.wake?.();
  };
  const onAbort = (): void => {
    state.buffer.length = 0;
    finish({});
  };
  const subscription = new Subscription();
  subscription.add(
    source$.subscribe({
      next: (value) => {
        if (state.buffer.length >= max) {
          const message = `the reader is ${max} values behind`;
          finish({ error: new SkepError('resource-exhausted', message) });
          return;
        }
        state.buffer.push(value);
        state.wake?.();
      },
      error: (error: unknown) => finish({ error }),
      complete: () => finish({}),
    }),
  );
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted === true) onAbort();
  return drain(state, () => finish({}));
}

interface Iteration<T> {
  readonly buffer: T[];
  end: { readonly error?: unknown } | undefined;
  wake: (() => void) | undefined;
}

async function* drain<T>(state: Iteration<T>, onLeave: () => void): AsyncGenerator<T, void> {
  try {
    for (;;) {
      while (state.buffer.length > 0) yield state.buffer.shift() as T;
      if (state.end !== undefined) break;
      await new Promise<void>((resolve) => (state.wake = resolve));
      state.wake = undefined;
    }
    if ('error' in state.end) throw state.end.error;
  } finally {
    onLeave();
  }
}
