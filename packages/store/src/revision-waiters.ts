/**
 * Promises that wait for a revision.
 */
import type { Revision } from '@skep/api';

interface Waiter {
  readonly revision: Revision;
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
}

/** Those who wait for a revision of the store. A commit costs nothing until one is reached. */
export class RevisionWaiters {
  #waiters: Waiter[] = [];
  #soonest: Revision = Infinity;

  wait(revision: Revision): Promise<void> {
    this.#soonest = Math.min(this.#soonest, revision);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ revision, resolve, reject });
    });
  }

  /** The store is at `revision`. */
  reached(revision: Revision): void {
    if (revision < this.#soonest) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    this.#soonest = Infinity;
    for (const waiter of waiters) {
      if (waiter.revision <= revision) {
        waiter.resolve();
      } else {
        this.#waiters.push(waiter);
        this.#soonest = Math.min(this.#soonest, waiter.revision);
      }
    }
  }

  /** No revision will be reached any more. */
  end(reason: Error): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    this.#soonest = Infinity;
    for (const waiter of waiters) waiter.reject(reason);
  }
}
