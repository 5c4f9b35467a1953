/**
 * Delivery of commits to watchers: one queue, drained by one loop, after the commits.
 *
 * The loop runs in a microtask, so it needs no timer and no clock: under a virtual clock and under
 * the real one, listeners run right after the code that committed, before anything else happens.
 */
import { SkepError, type Revision } from '@skep/api';
import type { CommitEvent } from './contract.js';
import type { CommitRing } from './commit-ring.js';
import type { Watcher } from './watcher.js';

/** Hands every commit to every watcher that wants it, in order and never re-entrantly. */
export class WatchHub {
  readonly #ring: CommitRing;
  readonly #bufferMax: number;
  /** Watchers of all kinds, and those of each kind: a commit costs nothing to the others. */
  readonly #ofAll = new Set<Watcher>();
  readonly #ofKind = new Map<string, Set<Watcher>>();
  /** Watchers that start in the past and wait for the loop to bring them up to `#delivered`. */
  readonly #joining = new Set<Watcher>();
  /** Watchers whose end the loop still has to tell them. */
  #ending: { readonly watcher: Watcher; readonly reason: Error }[] = [];
  #queue: CommitEvent[] = [];
  #head = 0;
  /** Commits up to here have left the queue. */
  #delivered: Revision;
  #isScheduled = false;
  #closing: { readonly reason: Error; readonly done: () => void } | undefined;

  constructor(ring: CommitRing, options: { bufferMax: number; revision: Revision }) {
    this.#ring = ring;
    this.#bufferMax = options.bufferMax;
    this.#delivered = options.revision;
  }

  /** Adds a watcher at its cursor; a hub that is closed ends it from the loop. */
  add(watcher: Watcher): void {
    if (this.#closing !== undefined) this.#schedule();
    if (watcher.cursor >= this.#delivered) {
      this.#enlist(watcher);
    } else {
      this.#joining.add(watcher);
      this.#schedule();
    }
  }

  /** Takes a watcher out without a word. Cost: O(kinds of the watcher). */
  remove(watcher: Watcher): void {
    watcher.isActive = false;
    this.#delist(watcher);
  }

  /** Takes a commit for delivery. */
  publish(commit: CommitEvent): void {
    if (!this.#isScheduled && !this.#hasWatchers()) {
      this.#delivered = commit.revision;
      return;
    }
    if (this.#queue.length - this.#head >= this.#bufferMax) this.#overflow();
    this.#queue.push(commit);
    this.#schedule();
  }

  /** Ends all watchers once the queue is empty; resolves when they have been told. */
  close(reason: Error): Promise<void> {
    return new Promise((done) => {
      this.#closing = { reason, done };
      this.#schedule();
    });
  }

  #hasWatchers(): boolean {
    return this.#ofAll.size > 0 || this.#ofKind.size > 0 || this.#joining.size > 0;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    void Promise.resolve().then(() => this.#drain());
  }

  #drain(): void {
    for (;;) {
      this.#tellEnds();
      for (const watcher of this.#joining) this.#join(watcher);
      const commit = this.#queue[this.#head];
      if (commit === undefined) break;
      this.#head += 1;
      this.#deliver(commit);
    }
    this.#queue = [];
    this.#head = 0;
    this.#isScheduled = false;
    if (this.#closing !== undefined) this.#endAll(this.#closing);
  }

  #deliver(commit: CommitEvent): void {
    this.#delivered = commit.revision;
    for (const watcher of this.#ofAll) this.#offer(watcher, commit, true);
    const first = commit.events[0]?.object.kind ?? '';
    const isOneKind = commit.events.every((event) => event.object.kind === first);
    if (isOneKind) {
      const watchers = this.#ofKind.get(first);
      if (watchers === undefined) return;
      for (const watcher of watchers) this.#offer(watcher, commit, true);
      return;
    }
    for (const kind of new Set(commit.events.map((event) => event.object.kind))) {
      for (const watcher of this.#ofKind.get(kind) ?? []) this.#offer(watcher, commit, false);
    }
  }

  /** Brings a watcher from its cursor to where the others are. */
  #join(watcher: Watcher): void {
    this.#joining.delete(watcher);
    while (watcher.isActive && watcher.cursor < this.#delivered) {
      const commit = this.#ring.at(watcher.cursor + 1);
      if (commit === undefined) {
        watcher.end(compacted(watcher.cursor, this.#ring.compacted));
        return;
      }
      this.#offer(watcher, commit, watcher.kinds === undefined);
    }
    if (watcher.isActive) this.#enlist(watcher);
  }

  #offer(watcher: Watcher, commit: CommitEvent, isWanted: boolean): void {
    const thrown = watcher.offer(commit, isWanted);
    if (thrown === undefined) return;
    this.#delist(watcher);
    watcher.end(thrown);
  }

  #enlist(watcher: Watcher): void {
    if (watcher.kinds === undefined) {
      this.#ofAll.add(watcher);
      return;
    }
    for (const kind of watcher.kinds) {
      let watchers = this.#ofKind.get(kind);
      if (watchers === undefined) this.#ofKind.set(kind, (watchers = new Set()));
      watchers.add(watcher);
    }
  }

  #delist(watcher: Watcher): void {
    this.#joining.delete(watcher);
    this.#ofAll.delete(watcher);
    for (const kind of watcher.kinds ?? []) {
      const watchers = this.#ofKind.get(kind);
      watchers?.delete(watcher);
      if (watchers?.size === 0) this.#ofKind.delete(kind);
    }
  }

  /** More commits in one turn than anyone may be behind: everybody starts again from a view. */
  #overflow(): void {
    const reason = resyncRequired(this.#bufferMax);
    for (const watcher of this.#takeAll()) this.#ending.push({ watcher, reason });
    this.#delivered = this.#queue[this.#queue.length - 1]?.revision ?? this.#delivered;
    this.#queue = [];
    this.#head = 0;
  }

  #tellEnds(): void {
    const ending = this.#ending;
    if (ending.length === 0) return;
    this.#ending = [];
    for (const { watcher, reason } of ending) watcher.end(reason);
  }

  #endAll(closing: { readonly reason: Error; readonly done: () => void }): void {
    for (const watcher of this.#takeAll()) watcher.end(closing.reason);
    closing.done();
  }

  #takeAll(): ReadonlySet<Watcher> {
    const watchers = new Set([...this.#ofAll, ...this.#joining]);
    for (const ofKind of this.#ofKind.values()) for (const watcher of ofKind) watchers.add(watcher);
    this.#ofAll.clear();
    this.#ofKind.clear();
    this.#joining.clear();
    return watchers;
  }
}

function compacted(cursor: Revision, compactedTo: Revision): SkepError {
  return new SkepError(
    'compacted',
    `commits after revision ${cursor} are forgotten up to ${compactedTo}; start from a view`,
    { details: { from: cursor, compacted: compactedTo } },
  );
}

/** The end of a watcher that fell behind. */
export function resyncRequired(bufferMax: number): SkepError {
  return new SkepError(
    'resync-required',
    `the watcher is more than ${bufferMax} commits behind; start from a view`,
    { details: { bufferMax } },
  );
}
