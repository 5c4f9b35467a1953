/**
 * A store as one process sees it: late, with gaps in its watches, with commits that fail, and cut
 * off for good when the process dies.
 */
import { ACTORS, SkepError, type Revision } from '@skep/api';
import { CHANGES_MAX, type BatchResult, type CommitEvent, type CommitResult } from '@skep/store';
import type { Store, Transaction, View } from '@skep/store';
import type { FaultPlan } from './fault-plan.js';

interface Watch {
  readonly listener: Parameters<Store['subscribe']>[0];
  /** Commits that the view does not show yet. */
  readonly waiting: CommitEvent[];
  inner: { unsubscribe(): void } | undefined;
  isSilent: boolean;
}

/**
 * Keeps the contract of a store, as a replica behind a bad network would. Where the contract leaves
 * room, it takes all of it: a view is as old as the plan lets it be, until there is nothing else to
 * do ({@link ProcessStore.catchUp}); a watch that missed a commit tells nothing more, and ends with
 * `resync-required` as late as possible. Commits of events for people are not counted.
 */
export class ProcessStore implements Store {
  readonly #inner: Store;
  readonly #plan: FaultPlan;
  readonly #committed: () => void;
  readonly #gaps: Set<number>;
  readonly #watches = new Set<Watch>();
  #waiters: { readonly revision: Revision; readonly resolve: () => void }[] = [];
  #shown: Revision;
  #isShut = false;

  /** `committed` is called after every commit of this process, before anything else happens. */
  constructor(inner: Store, plan: FaultPlan, committed: () => void) {
    this.#inner = inner;
    this.#plan = plan;
    this.#committed = committed;
    this.#gaps = new Set(plan.gaps);
    this.#shown = Math.max(0, inner.view().revision - plan.age);
  }

  get kinds(): Store['kinds'] {
    return this.#inner.kinds;
  }

  get isShut(): boolean {
    return this.#isShut;
  }

  /** Whether it shows all there is, and no watch is silent. */
  get isCaughtUp(): boolean {
    const isSilent = [...this.#watches].some((watch) => watch.isSilent);
    return !isSilent && this.view().revision >= this.#inner.view().revision;
  }

  /** The process is dead: it sees and writes nothing from now on. */
  shut(): void {
    this.#isShut = true;
    for (const watch of this.#watches) watch.inner?.unsubscribe();
    this.#watches.clear();
    this.#waiters = [];
  }

  /** Somebody committed: the view may not be older than it may be. */
  follow(): void {
    const least = this.#inner.view().revision - this.#plan.age;
    if (this.#isShut || least <= this.#shown) return;
    this.#shown = least;
    void Promise.resolve().then(() => this.#tell());
  }

  /** Shows one commit more, or ends a silent watch. False when there was nothing to catch up on. */
  catchUp(): boolean {
    if (this.view().revision < this.#inner.view().revision) {
      this.#shown += 1;
      this.#tell();
      return true;
    }
    const silent = [...this.#watches].filter((watch) => watch.isSilent);
    for (const watch of silent) {
      this.#watches.delete(watch);
      watch.inner?.unsubscribe();
      watch.listener.ended(new SkepError('resync-required', 'the watch missed a commit'));
    }
    return silent.length > 0;
  }

  view(): View {
    if (this.#plan.age === 0) return this.#inner.view();
    return this.#plan.viewAt(this.#shown) ?? this.#inner.view();
  }

  async commit(transaction: Transaction): Promise<CommitResult> {
    this.#assertAlive();
    const isCounted = transaction.changes.length > 0 && transaction.actor !== ACTORS.events;
    const fate = isCounted ? this.#plan.attempted() : 'goes through';
    if (fate === 'refused') throw new SkepError('unavailable', 'the backend does not answer');
    const before = this.#inner.view().revision;
    // A memory store commits within the call, so that nothing comes in between.
    const outcome = this.#inner.commit(transaction);
    if (this.#inner.view().revision > before) {
      this.#committed();
      if (isCounted && this.#plan.wrote(this.#inner.view().revision)) this.shut();
    }
    // Who died waits for ever.
    if (this.#isShut) return new Promise(() => undefined);
    const result = await outcome;
    if (fate === 'goes through') return result;
    throw new SkepError('unavailable', 'the connection to the backend broke');
  }

  async batch(transaction: Transaction): Promise<BatchResult> {
    let committed = 0;
    let { revision } = this.#inner.view();
    while (committed < transaction.changes.length) {
      const changes = transaction.changes.slice(committed, committed + CHANGES_MAX);
      const { actor, expect = [] } = transaction;
      const piece = committed === 0 ? expect : expect.filter(({ type }) => type === 'lease');
      const result = await this.commit({ actor, expect: piece, changes });
      if (!result.ok) return { committed, revision, conflict: result.conflict };
      committed += changes.length;
      revision = result.revision;
    }
    return { committed, revision };
  }

  subscribe(...[listener, options = {}]: Parameters<Store['subscribe']>): { unsubscribe(): void } {
    this.#assertAlive();
    const watch: Watch = { listener, waiting: [], inner: undefined, isSilent: false };
    const commit = (event: CommitEvent): void => {
      if (this.#gaps.delete(event.revision)) watch.isSilent = true;
      if (watch.isSilent) return;
      watch.waiting.push(event);
      this.#tellWatch(watch);
    };
    const ended = (reason: Error): void => {
      this.#watches.delete(watch);
      listener.ended(reason);
    };
    const fromRevision = options.fromRevision ?? this.view().revision;
    watch.inner = this.#inner.subscribe({ commit, ended }, { ...options, fromRevision });
    this.#watches.add(watch);
    return {
      unsubscribe: () => {
        this.#watches.delete(watch);
        watch.inner?.unsubscribe();
      },
    };
  }

  watch(...input: Parameters<Store['watch']>): ReturnType<Store['watch']> {
    return this.#inner.watch(...input);
  }

  watchAsync(...input: Parameters<Store['watchAsync']>): AsyncIterable<CommitEvent> {
    return this.#inner.watchAsync(...input);
  }

  waitFor(revision: Revision): Promise<void> {
    if (this.view().revision >= revision) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ revision, resolve }));
  }

  compact(revision: Revision): Promise<void> {
    return this.#inner.compact(revision);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #tell(): void {
    for (const watch of this.#watches) this.#tellWatch(watch);
    const { revision } = this.view();
    const due = this.#waiters.filter((waiter) => waiter.revision <= revision);
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > revision);
    for (const waiter of due) waiter.resolve();
  }

  #tellWatch(watch: Watch): void {
    for (;;) {
      const event = watch.waiting[0];
      if (event === undefined || event.revision > this.view().revision) return;
      watch.waiting.shift();
      if (this.#watches.has(watch)) watch.listener.commit(event);
    }
  }

  #assertAlive(): void {
    if (this.#isShut) throw new SkepError('unavailable', 'the process is dead');
  }
}
