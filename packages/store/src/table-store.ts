/**
 * The store above any backend: one way to commit, one way to watch.
 */
import { SkepError, type AnyKind, type Clock, type Revision } from '@skep/api';
import type { Observable } from 'rxjs';
import { commitInPieces } from './batch.js';
import { closedError, isClosing } from './closing.js';
import { CommitGroup, GROUP_MAX } from './commit-group.js';
import { commitObservable } from './commit-observable.js';
import { recordOf } from './commit-record.js';
import { commitStream } from './commit-stream.js';
import {
  CHANGES_MAX,
  type Backend,
  type BatchResult,
  type CommitEvent,
  type CommitRecord,
  type CommitResult,
  type Store,
  type Transaction,
  type View,
  type WatchSelector,
} from './contract.js';
import { isConflict, type Draft } from './draft.js';
import { ForeignCommits } from './foreign-commits.js';
import { WATCHER_BUFFER_MAX, limitOf, type StoreOptions } from './options.js';
import { RevisionWaiters } from './revision-waiters.js';
import { TableState, type Loaded } from './table-state.js';
import { WatchHub } from './watch-hub.js';
import { Watcher, errorOf, type CommitListener } from './watcher.js';

/** Times that other writers of a shared backend may be first before a commit is given up. */
const ATTEMPTS_MAX = 100;

/** Longest wait for the commit of another writer that was first. */
const CATCH_UP_MS = 30_000;

/** A commit that was asked for and has no answer yet. */
interface WaitingCommit {
  readonly transaction: Transaction;
  readonly resolve: (result: CommitResult | Promise<CommitResult>) => void;
}

/** A store over a backend whose contents were loaded. */
export class TableStore implements Store {
  readonly kinds: readonly AnyKind[];
  readonly #clock: Clock;
  readonly #backend: Backend | undefined;
  readonly #state: TableState;
  readonly #hub: WatchHub;
  readonly #waiters = new RevisionWaiters();
  readonly #foreign: ForeignCommits;
  readonly #bufferMax: number;
  /** The last commit that waits for the backend; the next one waits for it. */
  #turn: Promise<void> | undefined;
  /** Commits for a backend that takes several at once. */
  #waiting: WaitingCommit[] = [];
  #closed: SkepError | undefined;
  #whenClosed: Promise<void> | undefined;

  /**
   * `backend`: where commits are kept; undefined: nowhere but here.
   * @throws as {@link TableState}.
   */
  constructor(options: StoreOptions, backend: Backend | undefined, loaded: Loaded) {
    this.kinds = [...options.kinds];
    this.#clock = options.clock;
    this.#backend = backend;
    this.#bufferMax = limitOf(options.watcher?.bufferMax, WATCHER_BUFFER_MAX, 'bufferMax');
    this.#state = new TableState(options, loaded);
    const { ring, revision } = this.#state;
    this.#hub = new WatchHub(ring, { bufferMax: this.#bufferMax, revision });
    this.#foreign = new ForeignCommits((record) => {
      this.#publish(this.#state.follow(record));
    });
    this.#turn = undefined;
    this.#closed = undefined;
    this.#whenClosed = undefined;
  }

  /** Takes a commit of another writer; called by whoever subscribed to the backend. */
  receive(record: CommitRecord): void {
    if (this.#closed !== undefined) return;
    try {
      this.#foreign.receive(record, this.#state.revision);
    } catch (thrown) {
      // The tables cannot follow the log any more, and a store that lies is worse than none.
      const cause = errorOf(thrown);
      const message = `the store lost the log of its backend: ${cause.message}`;
      void this.#close(new SkepError('unavailable', message, { cause }));
    }
  }

  view(): View {
    return this.#state.view();
  }

  commit(transaction: Transaction): Promise<CommitResult> {
    try {
      this.#checkOpen();
      checkSize(transaction);
      const result = this.#turn === undefined ? this.#commitNow(transaction) : undefined;
      return result === undefined ? this.#commitInTurn(transaction) : Promise.resolve(result);
    } catch (thrown) {
      return Promise.reject(errorOf(thrown));
    }
  }

  batch(transaction: Transaction): Promise<BatchResult> {
    return commitInPieces(this, transaction);
  }

  watch(selector?: WatchSelector, fromRevision?: Revision): Observable<CommitEvent> {
    return commitObservable(this, selector, fromRevision);
  }

  watchAsync(
    selector?: WatchSelector,
    fromRevision: Revision = this.#state.revision,
    signal?: AbortSignal,
  ): AsyncIterable<CommitEvent> {
    const bufferMax = this.#bufferMax;
    return commitStream({ store: this, selector, fromRevision, signal, bufferMax });
  }

  subscribe(
    listener: CommitListener,
    options: { readonly selector?: WatchSelector; readonly fromRevision?: Revision } = {},
  ): { unsubscribe(): void } {
    const { selector, fromRevision = this.#state.revision } = options;
    for (const kind of selector?.kinds ?? []) this.#state.tables.of(kind);
    const watcher = new Watcher(listener, selector, fromRevision);
    this.#hub.add(watcher);
    return {
      unsubscribe: () => {
        this.#hub.remove(watcher);
      },
    };
  }

  async waitFor(revision: Revision): Promise<void> {
    if (revision <= this.#state.revision) return;
    this.#checkOpen();
    await this.#waiters.wait(revision);
  }

  async compact(revision: Revision): Promise<void> {
    this.#checkOpen();
    const { ring } = this.#state;
    const upTo = Math.min(revision, this.#state.revision);
    if (upTo <= ring.compacted) return;
    const snapshot = this.#state.snapshotAt(upTo);
    ring.compact(upTo);
    await this.#backend?.compact(upTo, snapshot);
  }

  close(): Promise<void> {
    return this.#close(closedError());
  }

  #close(reason: SkepError): Promise<void> {
    this.#closed ??= reason;
    return (this.#whenClosed ??= this.#closeOnce(this.#closed));
  }

  async #closeOnce(reason: SkepError): Promise<void> {
    this.#waiters.end(reason);
    // Commits that were asked for before get their answers.
    await this.#turn;
    await this.#hub.close(reason);
    await this.#backend?.close();
  }

  #checkOpen(): void {
    if (this.#closed !== undefined) throw this.#closed;
  }

  /** Commits within the call; undefined when the backend needs time or is ahead. */
  #commitNow(transaction: Transaction): CommitResult | undefined {
    const backend = this.#backend;
    if (backend !== undefined && backend.appendNow === undefined) return undefined;
    const draft = this.#state.draft(transaction);
    if (isConflict(draft)) return { ok: false, conflict: draft };
    if (draft.events.length > 0) {
      const commit = this.#state.commitOf(draft, transaction.actor);
      if (backend?.appendNow?.(recordOf(commit)) === 'conflict') return undefined;
      this.#apply(draft, commit);
    }
    return { ok: true, revision: this.#state.revision };
  }

  /** One commit at a time: the next is checked against what this one leaves. */
  #commitInTurn(transaction: Transaction): Promise<CommitResult> {
    if (this.#backend?.appendAll !== undefined) return this.#commitInGroup(transaction);
    const before = this.#turn ?? Promise.resolve();
    const result = before.then(() => this.#commitLater(transaction));
    const turn = result
      .catch(() => undefined)
      .then(() => {
        if (this.#turn === turn) this.#turn = undefined;
      });
    this.#turn = turn;
    return result;
  }

  /** The next turn takes what has come up to then. */
  #commitInGroup(transaction: Transaction): Promise<CommitResult> {
    return new Promise((resolve) => {
      this.#waiting.push({ transaction, resolve });
      this.#turn ??= Promise.resolve().then(() => this.#commitWaiting());
    });
  }

  async #commitWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const alone = await this.#commitTogether();
      for (const { transaction, resolve } of this.#waiting.splice(0, alone)) {
        const result = this.#commitLater(transaction);
        resolve(result);
        await result.catch(() => undefined);
      }
    }
    this.#turn = undefined;
  }

  /**
   * Commits the first that wait, as far as they do not touch each other. Returns how many have to
   * be tried alone: all of them when the backend refused, one that conflicts or throws.
   */
  async #commitTogether(): Promise<number> {
    const [state, backend] = [this.#state, this.#backend];
    const group = new CommitGroup(state.tables);
    const drafts: { readonly draft: Draft; readonly commit: CommitEvent }[] = [];
    try {
      for (const { transaction } of this.#waiting.slice(0, GROUP_MAX)) {
        if (!group.isIndependent(transaction)) break;
        const ahead = drafts.length;
        const draft = state.draft(transaction, ahead);
        if (isConflict(draft) || draft.events.length === 0) break;
        group.add(draft);
        drafts.push({ draft, commit: state.commitOf(draft, transaction.actor, ahead) });
      }
    } catch {
      // It throws again when its turn comes.
    }
    if (drafts.length < 2 || (this.#closed !== undefined && !isClosing(this.#closed))) return 1;
    const records = drafts.map(({ commit }) => recordOf(commit));
    const outcome = await backend?.appendAll?.(records).catch(() => undefined);
    if (outcome !== 'appended') return drafts.length;
    const done = this.#waiting.splice(0, drafts.length);
    for (const [at, { draft, commit }] of drafts.entries()) {
      if (state.revision < commit.revision) this.#apply(draft, commit);
      done[at]?.resolve({ ok: true, revision: commit.revision });
    }
    this.#foreign.advance(state.revision);
    return 0;
  }

  async #commitLater(transaction: Transaction): Promise<CommitResult> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      // What was asked for before an orderly close still goes through.
      if (this.#closed !== undefined && !isClosing(this.#closed)) throw this.#closed;
      const draft = this.#state.draft(transaction);
      if (isConflict(draft)) return { ok: false, conflict: draft };
      if (draft.events.length === 0) return { ok: true, revision: this.#state.revision };
      const commit = this.#state.commitOf(draft, transaction.actor);
      if ((await this.#backend?.append(recordOf(commit))) !== 'conflict') {
        // A backend may have echoed it already.
        if (this.#state.revision < commit.revision) this.#apply(draft, commit);
        this.#foreign.advance(this.#state.revision);
        return { ok: true, revision: commit.revision };
      }
      await this.#catchUp(commit.revision);
    }
    const message = `other writers were first ${ATTEMPTS_MAX} times in a row`;
    throw new SkepError('aborted', message);
  }

  /** Waits for the commit that was first. */
  #catchUp(revision: Revision): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.schedule(
        this.#clock.now() + CATCH_UP_MS,
        () => {
          reject(new SkepError('unavailable', `the backend does not deliver commit ${revision}`));
        },
        { label: 'store catch-up' },
      );
      const isOver = (): void => timer.cancel();
      this.waitFor(revision).then(resolve, reject).finally(isOver);
    });
  }

  #apply(draft: Draft, commit: CommitEvent): void {
    this.#state.apply(draft, commit);
    this.#publish(commit);
  }

  #publish(commit: CommitEvent): void {
    this.#hub.publish(commit);
    this.#waiters.reached(commit.revision);
  }
}

function checkSize({ changes }: Transaction): void {
  if (changes.length <= CHANGES_MAX) return;
  throw new SkepError(
    'resource-exhausted',
    `a commit takes at most ${CHANGES_MAX} changes, not ${changes.length}; use batch()`,
    { details: { changes: changes.length, changesMax: CHANGES_MAX } },
  );
}
