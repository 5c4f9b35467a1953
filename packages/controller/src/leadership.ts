/**
 * One term of leadership and those who run during it.
 */
import type { Timestamp } from '@skep/api';
import type { LeaderFollower } from './elector-options.js';

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

  /** Starts the followers one after the other; `failed` is told of one that cannot start. */
  begin(followers: readonly LeaderFollower[], failed: (error: unknown) => void): void {
    this.#beginning = this.#begin(followers).catch(failed);
  }

  /** Stops those that were started, in reverse. Never rejects. */
  async end(failed: (error: unknown) => void): Promise<void> {
    this.#abort.abort();
    await this.#beginning;
    for (const follower of this.#begun.splice(0).reverse()) {
      try {
        await follower.stopped();
      } catch (error) {
        failed(error);
      }
    }
  }

  async #begin(followers: readonly LeaderFollower[]): Promise<void> {
    for (const follower of followers) {
      if (this.#abort.signal.aborted) return;
      this.#begun.push(follower);
      await follower.started(this.#abort.signal);
    }
  }
}
