/**
 * One term of leadership and those who run during it.
 */
import type { Timestamp } from '@skep/api';
import { unlessAborted } from './deadline.js';
import type { LeaderFollower, LeadershipEnd } from './elector-options.js';

/** How a leadership begins. */
export interface LeadershipStart {
  /** Resolves when the view holds the commit of the lease, and with it all that came before. */
  readonly ready: Promise<void>;
  /** Told of a follower that cannot start. */
  readonly failed: (error: unknown) => void;
}

/** From an election to the end of it. */
export class Leadership {
  readonly term: number;
  /** When the last renewal that went through was begun. */
  renewedAt: Timestamp;
  readonly #abort = new AbortController();
  /** Those whose `started` was called, in order. */
  readonly #begun: LeaderFollower[] = [];
  #beginning: Promise<void> = Promise.resolve();

  constructor(term: number, renewedAt: Timestamp) {
    this.term = term;
    this.renewedAt = renewedAt;
  }

  /** Starts the followers one after the other. */
  begin(followers: readonly LeaderFollower[], { ready, failed }: LeadershipStart): void {
    this.#beginning = this.#begin(followers, ready).catch(failed);
  }

  /** Stops those that were started, in reverse. Never rejects. */
  async end(end: LeadershipEnd, failed: (error: unknown) => void): Promise<void> {
    this.#abort.abort();
    await this.#beginning;
    for (const follower of this.#begun.splice(0).reverse()) {
      try {
        await follower.stopped(end);
      } catch (error) {
        failed(error);
      }
    }
  }

  async #begin(followers: readonly LeaderFollower[], ready: Promise<void>): Promise<void> {
    const { signal } = this.#abort;
    await unlessAborted(ready, signal);
    for (const follower of followers) {
      if (signal.aborted) return;
      this.#begun.push(follower);
      await follower.started(signal);
    }
  }
}
