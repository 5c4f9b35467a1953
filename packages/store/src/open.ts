/**
 * Opening stores.
 */
import type { Backend, CommitRecord, Store } from './contract.js';
import type { StoreOptions } from './options.js';
import { TableStore } from './table-store.js';

const NOTHING = Object.freeze({
  revision: 0,
  objects: Object.freeze([]),
  commits: Object.freeze([]),
});

/**
 * A backend that keeps nothing: the tables of the store are the memory. For places that want a
 * backend; {@link memoryStore} is the same without. `sharedMemoryLog` is memory that is shared.
 */
export function memoryBackend(): Backend {
  return {
    load: () => Promise.resolve(NOTHING),
    append: () => Promise.resolve('appended'),
    appendNow: () => 'appended',
    subscribe: () => ({ unsubscribe: () => undefined }),
    compact: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/**
 * An empty store in memory, ready at once. Commits happen within the call, so `view()` shows them
 * before the promise resolves; only tests should count on that.
 *
 * **Source:** SwarmKit manager/state/store/memory.go for what it does.
 */
export function memoryStore(options: StoreOptions): Store {
  return new TableStore(options, undefined, NOTHING);
}

/**
 * Opens the store that a backend holds. Closing the store closes the backend.
 * @throws invalid-argument when the backend holds a kind that is not among `kinds`; what the
 * backend throws. The backend is closed then.
 */
export async function openStore(
  options: StoreOptions & { readonly backend: Backend },
): Promise<Store> {
  const { backend } = options;
  // Subscribed before loading: what comes in between is kept until the store is there.
  const early: CommitRecord[] = [];
  let receive = (record: CommitRecord): void => {
    early.push(record);
  };
  const subscription = backend.subscribe((record) => {
    receive(record);
  });
  try {
    const store = new TableStore(options, backend, await backend.load());
    receive = (record) => {
      store.receive(record);
    };
    for (const record of early) receive(record);
    return store;
  } catch (thrown) {
    subscription.unsubscribe();
    await backend.close();
    throw thrown;
  }
}
