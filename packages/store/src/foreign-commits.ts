/**
 * Commits of other writers, put in order.
 */
import { SkepError, type Revision } from '@skep/api';
import type { CommitRecord } from './contract.js';

/** Commits that may wait for one that is missing before the store gives up on its backend. */
const HELD_MAX = 10_000;

/** Takes commits in any order, any number of times, and passes each on once and in order. */
export class ForeignCommits {
  readonly #held = new Map<Revision, CommitRecord>();
  readonly #follow: (record: CommitRecord) => void;

  /** `follow` applies a record whose revision is the one after the store's. */
  constructor(follow: (record: CommitRecord) => void) {
    this.#follow = follow;
  }

  /**
   * Takes a commit, the store being at `revision`, and passes on all that have no gap before them.
   * @throws out-of-sequence when 10,000 wait behind a gap; what `follow` throws.
   */
  receive(record: CommitRecord, revision: Revision): void {
    if (record.revision <= revision) return;
    this.#held.set(record.revision, record);
    this.advance(revision);
    if (this.#held.size > HELD_MAX) {
      throw new SkepError(
        'out-of-sequence',
        `${HELD_MAX} commits came in, but not commit ${revision + 1}`,
      );
    }
  }

  /** Passes on what has no gap before it any more, the store being at `revision`. */
  advance(revision: Revision): void {
    if (this.#held.size === 0) return;
    for (let next = revision + 1; ; next += 1) {
      const record = this.#held.get(next);
      if (record === undefined) return;
      this.#held.delete(next);
      this.#follow(record);
    }
  }
}
