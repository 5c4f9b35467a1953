/**
 * The log that several managers share, and a store that knows every commit the moment it is made.
 */
import { openStore, sharedMemoryLog } from '@skep/store';
import type { Backend, CommitRecord, SharedMemoryLog, Store, StoreOptions } from '@skep/store';
import type { CommitListener } from './store-gate.js';

/** What a {@link ClusterLog} is made of. */
export interface ClusterLogOptions {
  readonly store: StoreOptions;
  /** Time until a manager hears of what another wrote. */
  readonly deliveryDelayMs: () => number;
  readonly committed?: CommitListener | undefined;
}

/** Name of the writer of commits that come from no manager. */
export const USER = 'user';

/** See above. Whoever writes is known by name, whatever actor a commit names. */
export class ClusterLog {
  readonly #log: SharedMemoryLog;
  readonly #committed: CommitListener | undefined;
  #store: Store | undefined;
  /** The store's ear: told of each commit, of its own as well, before anything else happens. */
  #hear: ((record: CommitRecord) => void) | undefined;

  private constructor({ store, deliveryDelayMs, committed }: ClusterLogOptions) {
    this.#log = sharedMemoryLog({ clock: store.clock, deliveryDelayMs });
    this.#committed = committed;
  }

  /** Makes an empty log. */
  static async open(options: ClusterLogOptions): Promise<ClusterLog> {
    const log = new ClusterLog(options);
    const own = log.backend(USER);
    const backend: Backend = {
      ...own,
      subscribe: (listener) => {
        log.#hear = listener;
        return { unsubscribe: () => (log.#hear = undefined) };
      },
    };
    log.#store = await openStore({ ...options.store, backend });
    return log;
  }

  /** What users read and write: always the newest. */
  get store(): Store {
    if (this.#store === undefined) throw new Error('the log is not open');
    return this.#store;
  }

  /** A backend for the store of one writer. */
  backend(writer: string): Backend {
    const inner = this.#log.backend();
    return {
      load: () => inner.load(),
      append: async (record) => {
        const outcome = await inner.append(record);
        if (outcome === 'appended') this.#appended(record, writer);
        return outcome;
      },
      subscribe: (listener) => inner.subscribe(listener),
      compact: (revision, snapshot) => inner.compact(revision, snapshot),
      close: () => inner.close(),
    };
  }

  #appended(record: CommitRecord, writer: string): void {
    this.#hear?.(record);
    const { revision, actor } = record;
    this.#committed?.(this.store.view(), { revision, actor, writer });
  }
}
