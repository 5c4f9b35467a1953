/**
 * A store as one process sees it, until the process dies right after one of its writes.
 */
import { SkepError } from '@skep/api';
import type { Store } from '@skep/store';

/** What a gate does with the writes that go through it. */
export interface GateOptions {
  /** Called after each commit that wrote something, before the process hears of it. */
  readonly wrote: () => void;
  readonly isShut: () => boolean;
}

/**
 * Passes everything on to `inner`; once shut, commits fail, also the one that shut it: it went
 * through, but the process never learns.
 */
export function gate(inner: Store, options: GateOptions): Store {
  const check = (): void => {
    if (options.isShut()) throw new SkepError('unavailable', 'the process is dead');
  };
  return {
    kinds: inner.kinds,
    view: () => inner.view(),
    commit: async (transaction) => {
      check();
      const result = await inner.commit(transaction);
      if (result.ok && transaction.changes.length > 0) options.wrote();
      check();
      return result;
    },
    batch: async (transaction) => {
      check();
      const result = await inner.batch(transaction);
      if (result.committed > 0) options.wrote();
      check();
      return result;
    },
    subscribe: (listener, from) => inner.subscribe(listener, from),
    watch: (selector, from) => inner.watch(selector, from),
    watchAsync: (selector, from, signal) => inner.watchAsync(selector, from, signal),
    waitFor: (revision) => inner.waitFor(revision),
    compact: (revision) => inner.compact(revision),
    close: () => inner.close(),
  };
}
