/**
 * A store as a replica shows it: commits are decided at once by the real one, but its view and its
 * watch follow later, each after delays of its own.
 */
import type { Clock, Random, Revision } from '@skep/api';
import type { CommitEvent, Store, Transaction, View } from '@skep/store';

interface Lag {
  readonly clock: Clock;
  readonly random: Random;
  /** Longest delay of the view and of the watch. */
  readonly delayMsMax: number;
}

/**
 * All commits have to go through the wrapper: that is where it takes hold of the view after each.
 * Views and events arrive in order, but which of the two comes first is left to chance.
 */
export function laggingStore(inner: Store, lag: Lag): Store {
  let view = inner.view();
  let viewAt = 0;
  const waiters: { revision: Revision; resolve: () => void }[] = [];
  const showLater = (next: View): void => {
    viewAt = Math.max(viewAt, lag.clock.now() + lag.random.int(lag.delayMsMax + 1));
    lag.clock.schedule(viewAt, () => {
      view = next;
      for (const waiter of waiters.splice(0)) {
        if (waiter.revision <= view.revision) waiter.resolve();
        else waiters.push(waiter);
      }
    });
  };
  const waitFor = (revision: Revision): Promise<void> =>
    revision <= view.revision
      ? Promise.resolve()
      : new Promise((resolve) => waiters.push({ revision, resolve }));
  const commit = async (transaction: Transaction): ReturnType<Store['commit']> => {
    const result = inner.commit(transaction);
    showLater(inner.view());
    return result;
  };
  const subscribe: Store['subscribe'] = (listener, options) => {
    let eventAt = 0;
    const later = (event: CommitEvent): void => {
      eventAt = Math.max(eventAt, lag.clock.now() + lag.random.int(lag.delayMsMax + 1));
      lag.clock.schedule(eventAt, () => listener.commit(event));
    };
    return inner.subscribe({ commit: later, ended: (why) => listener.ended(why) }, options);
  };
  return {
    kinds: inner.kinds,
    view: () => view,
    commit,
    subscribe,
    waitFor,
    batch: (transaction) => inner.batch(transaction),
    watch: (selector, from) => inner.watch(selector, from),
    watchAsync: (selector, from, signal) => inner.watchAsync(selector, from, signal),
    compact: (revision) => inner.compact(revision),
    close: () => inner.close(),
  };
}
