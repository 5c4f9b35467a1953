/**
 * The newest commits, and which pass wrote each: rings of a fixed size.
 */
import type { ObjectId, Revision } from '@skep/api';
import type { CommitEvent, ObjectEvent } from '@skep/store';
import type { ChangeReason, ObjectKey } from '../planned-change.js';

/** What woke a key. */
export interface Trigger {
  /**
   * An event; an object found by the first list; the time that an earlier pass asked for; somebody
   * by hand; a commit that lost a race.
   */
  readonly type: 'created' | 'updated' | 'deleted' | 'listed' | 'requeue' | 'by hand' | 'conflict';
  /** Commit that it is about: of the event, of the object that was found, of the earlier pass. */
  readonly revision: Revision;
  readonly kind?: string;
  readonly id?: ObjectId;
}

/** A key that a commit answers, and what woke it, oldest first. */
export interface TracedKey {
  readonly key: string;
  readonly triggers: readonly Trigger[];
}

/** Which pass wrote a commit. */
export interface TracedCommit {
  readonly revision: Revision;
  readonly controller: string;
  /** Revision of the view that the pass decided on. */
  readonly viewRevision: Revision;
  readonly keys: readonly TracedKey[];
  /** Rule of the changes that name none. */
  readonly rule: string | undefined;
  /** Reasons of changes that name one, by `Kind/ID`. */
  readonly reasons: ReadonlyMap<string, ChangeReason> | undefined;
}

/** Sizes of the rings. */
export interface TraceLimits {
  readonly commitsMax: number;
  readonly eventsMax: number;
}

/** Text of an object's identity, as reasons are kept under. */
export function traceKey({ kind, id }: ObjectKey): string {
  return `${kind}/${id}`;
}

/**
 * Commits by revision; the oldest are overwritten when there are `commitsMax` of them, or more than
 * `eventsMax` events in them. Cost of adding: O(1), nothing is copied.
 */
export class TraceLog {
  readonly #limits: TraceLimits;
  readonly #commits: (CommitEvent | undefined)[] = [];
  readonly #passes: (TracedCommit | undefined)[] = [];
  #newest: Revision = 0;
  #oldest: Revision = 1;
  #events = 0;

  constructor(limits: TraceLimits) {
    this.#limits = limits;
  }

  /** Revision of the newest commit that was heard of; 0 before the first. */
  get newest(): Revision {
    return this.#newest;
  }

  /** Revision before which everything is forgotten. */
  get oldest(): Revision {
    return this.#oldest;
  }

  /** How many events are kept. */
  get events(): number {
    return this.#events;
  }

  /** Takes a commit; one that was taken already changes nothing. */
  addCommit(commit: CommitEvent): void {
    if (commit.revision <= this.#newest) return;
    const { commitsMax } = this.#limits;
    if (this.#newest === 0) this.#oldest = commit.revision;
    // After a gap there may be many to forget, at most as many as are kept.
    const first = commit.revision - commitsMax + 1;
    while (this.#oldest < first && this.#oldest <= this.#newest) this.#forget();
    if (this.#oldest < first) this.#oldest = first;
    this.#commits[commit.revision % commitsMax] = commit;
    this.#events += commit.events.length;
    this.#newest = commit.revision;
    while (this.#events > this.#limits.eventsMax && this.#oldest < this.#newest) this.#forget();
  }

  /** Takes which pass wrote a commit, before or after the commit itself. */
  addPass(pass: TracedCommit): void {
    this.#passes[pass.revision % this.#limits.commitsMax] = pass;
  }

  /** The commit of a revision, if it is still here. */
  commitAt(revision: Revision): CommitEvent | undefined {
    if (revision < this.#oldest) return undefined;
    const commit = this.#commits[revision % this.#limits.commitsMax];
    return commit?.revision === revision ? commit : undefined;
  }

  /** Which pass wrote it, if a controller did. */
  passAt(revision: Revision): TracedCommit | undefined {
    const pass = this.#passes[revision % this.#limits.commitsMax];
    return pass?.revision === revision ? pass : undefined;
  }

  /** What a commit did to an object. Cost: O(events of the commit). */
  eventAt(revision: Revision, { kind, id }: ObjectKey): ObjectEvent | undefined {
    return this.commitAt(revision)?.events.find(
      ({ object }) => object.meta.id === id && object.kind === kind,
    );
  }

  /**
   * The newest commit up to a revision that changed an object in a way that is asked for.
   * Cost: O(events kept).
   */
  newestChange(
    object: ObjectKey,
    upTo: Revision,
    isWanted: (event: ObjectEvent) => boolean,
  ): Revision | undefined {
    for (let at = Math.min(upTo, this.#newest); at >= this.#oldest; at -= 1) {
      const event = this.eventAt(at, object);
      if (event !== undefined && isWanted(event)) return at;
    }
    return undefined;
  }

  #forget(): void {
    const slot = this.#oldest % this.#limits.commitsMax;
    if (this.#commits[slot]?.revision === this.#oldest) {
      this.#events -= this.#commits[slot].events.length;
      this.#commits[slot] = undefined;
    }
    if (this.#passes[slot]?.revision === this.#oldest) this.#passes[slot] = undefined;
    this.#oldest += 1;
  }
}
