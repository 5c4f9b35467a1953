/**
 * The newest commits, for watches that start in the past.
 */
import type { Revision } from '@skep/api';
import type { CommitEvent } from './contract.js';

/** Keeps the newest commits, up to a number of them and of events, and knows what it forgot. */
export class CommitRing {
  readonly #commitsMax: number;
  readonly #eventsMax: number;
  /** Commits from `#start` on; places before it are emptied and cut off from time to time. */
  #commits: (CommitEvent | undefined)[] = [];
  #start = 0;
  #events = 0;
  #compacted: Revision;

  /** `revision`: where the store starts; nothing up to it is known. */
  constructor(
    limits: { readonly commitsMax: number; readonly eventsMax: number },
    revision: Revision,
  ) {
    this.#commitsMax = limits.commitsMax;
    this.#eventsMax = limits.eventsMax;
    this.#compacted = revision;
  }

  /** Commits up to this revision are forgotten. */
  get compacted(): Revision {
    return this.#compacted;
  }

  /** Adds the next commit; forgets the oldest when there are too many. Cost: O(1) amortised. */
  push(commit: CommitEvent): void {
    this.#commits.push(commit);
    this.#events += commit.events.length;
    while (this.#isFull()) this.#forgetOldest();
  }

  /** Forgets commits up to `revision`, which is one of those kept. */
  compact(revision: Revision): void {
    while (this.#compacted < revision) this.#forgetOldest();
  }

  /** The commit with this revision; undefined when it is forgotten or still to come. */
  at(revision: Revision): CommitEvent | undefined {
    if (revision <= this.#compacted) return undefined;
    return this.#commits[this.#start + (revision - this.#compacted - 1)];
  }

  #isFull(): boolean {
    const count = this.#commits.length - this.#start;
    // The newest commit stays, however large.
    return count > this.#commitsMax || (count > 1 && this.#events > this.#eventsMax);
  }

  #forgetOldest(): void {
    this.#events -= this.#commits[this.#start]?.events.length ?? 0;
    this.#commits[this.#start] = undefined;
    this.#start += 1;
    this.#compacted += 1;
    if (this.#start >= this.#commitsMax) {
      this.#commits = this.#commits.slice(this.#start);
      this.#start = 0;
    }
  }
}
