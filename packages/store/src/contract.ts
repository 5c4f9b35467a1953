/**
 * The contract of every store: consistent views, atomic commits, gap-free watches.
 *
 * **Source:** ARCHITECTURE of skep, "Store contract"; the shape is SwarmKit's in-memory store and
 * etcd's transactions, with the revision of a commit as the version of what it wrote.
 */
import type { AnyKind, IndexSelector, Kind, ObjectId, ObjectSelector } from '@skep/api';
import type { Revision, StoredObject } from '@skep/api';
import type { Observable } from 'rxjs';

/** Most changes in one commit. More are refused; {@link Store.batch} splits. */
export const CHANGES_MAX = 200;

/**
 * One change of a transaction. Changes are checked in their order, each against what those before
 * it leave (a `delete` frees a name for the `create` after it); an object takes part once.
 *
 * `create` takes id, name, labels and the like from `meta`; version, generation and times are
 * stamped, whatever they say. An empty name is no name: it is neither unique nor found.
 *
 * `update` carries the next object; its `meta.version` is the version it was made from. It is a
 * write even when nothing differs: the version rises, watchers hear of it. `generation` rises only
 * when `spec` differs in content; an equal spec keeps the identity of the old one.
 * `createdAt` and `deletionRequestedAt` are the store's: what the writer says there is ignored.
 *
 * `delete` of an object with finalizers marks it as deleting instead (again: nothing happens); the
 * update that removes the last finalizer of a deleting object deletes it. A deleting object gets no
 * new finalizers (conflict `deleting`).
 */
export type Change =
  | { readonly type: 'create'; readonly object: StoredObject }
  | { readonly type: 'update'; readonly object: StoredObject }
  | {
      readonly type: 'delete';
      readonly kind: string;
      readonly id: ObjectId;
      /** Version it was decided on. Absent: whatever version is there. */
      readonly version?: Revision;
    };

/** What else has to hold for a commit to go through. */
export type Expectation =
  /** The object has this version; 0 means that it does not exist. */
  | {
      readonly type: 'version';
      readonly kind: string;
      readonly id: ObjectId;
      readonly version: Revision;
    }
  /** The lease is held by this holder in this term: the fence of a leader. */
  | {
      readonly type: 'lease';
      readonly id: ObjectId;
      readonly holder: string;
      readonly term: number;
    };

/** Changes that happen together or not at all. */
export interface Transaction {
  /** Who writes; checked against the ownership table in development. */
  readonly actor: string;
  readonly expect?: readonly Expectation[];
  readonly changes: readonly Change[];
}

/**
 * Why a commit did not go through: the first expectation, else the first change, that did not hold.
 * An expected version gives `already-exists` where nothing was expected, `not-found` where
 * something was, `version` otherwise.
 */
export interface Conflict {
  readonly reason: 'version' | 'already-exists' | 'not-found' | 'name-taken' | 'lease' | 'deleting';
  readonly kind: string;
  readonly id: ObjectId;
  readonly message: string;
  /** The version that is there; 0 when the object does not exist. */
  readonly version: Revision;
}

/** Outcome of a commit. A commit without changes gives the present revision and writes nothing. */
export type CommitResult =
  | { readonly ok: true; readonly revision: Revision }
  | { readonly ok: false; readonly conflict: Conflict };

/** Outcome of a batch: how far it came, and the conflict that stopped it. */
export interface BatchResult {
  readonly committed: number;
  readonly revision: Revision;
  readonly conflict?: Conflict;
}

/** What happened to one object in a commit. */
export interface ObjectEvent {
  readonly type: 'created' | 'updated' | 'deleted';
  /** The object after the change; for `deleted`, as it last was. */
  readonly object: StoredObject;
  /** The object before; absent for `created`. */
  readonly previous?: StoredObject;
}

/**
 * All events of one commit, in the order of its changes; a watcher with a selector gets those that
 * it chose, and no commit without any. Shared by all watchers: do not change it.
 */
export interface CommitEvent {
  readonly revision: Revision;
  readonly actor: string;
  readonly events: readonly ObjectEvent[];
}

/**
 * Which objects somebody wants to know of: a parsed selector of labels and fields, or a function of
 * the object alone. It must not throw, and must answer the same for the same object.
 */
export type ObjectChoice = ObjectSelector | ((object: StoredObject) => boolean);

/** Which events a watcher wants. */
export interface WatchSelector {
  /** Default: all kinds. */
  readonly kinds?: readonly string[];
  /**
   * Only these objects. One that begins to be chosen is told as `created`, one that ceases to be as
   * `deleted`, as it last was while it was chosen. Default: all.
   */
  readonly objects?: ObjectChoice;
  /** Only events for which this holds, as `objects` leaves them; it must not throw. */
  readonly where?: (event: ObjectEvent) => boolean;
}

/**
 * A consistent, immutable picture of the store at one revision. All reads are synchronous and from
 * memory. Lists come in no promised order: sort when it matters.
 *
 * A view stays exact for as long as it is held. It holds what was replaced since, no more; reads of
 * an old view cost O(changes since) once, and lists and counts by index O(changed objects of the
 * kind) more than on the newest view.
 *
 * All reads throw invalid-argument for a kind that the store does not keep.
 */
export interface View {
  readonly revision: Revision;
  /** The object, or undefined. Cost: one hash lookup on the newest view. */
  get<Spec, Status>(kind: Kind<Spec, Status>, id: ObjectId): StoredObject<Spec, Status> | undefined;
  /**
   * The object with this name, compared without case; kinds with unique names only.
   * @throws invalid-argument for other kinds.
   */
  getByName<Spec, Status>(
    kind: Kind<Spec, Status>,
    name: string,
  ): StoredObject<Spec, Status> | undefined;
  /**
   * All objects of a kind, or those that a selector chooses. Cost: O(result).
   * @throws invalid-argument for an index that the kind does not have.
   */
  list<Spec, Status>(
    kind: Kind<Spec, Status>,
    selector?: IndexSelector<Spec, Status>,
  ): readonly StoredObject<Spec, Status>[];
  /** How many there are. Cost: O(1). */
  count<Spec, Status>(kind: Kind<Spec, Status>, selector?: IndexSelector<Spec, Status>): number;
}

/** The store. */
export interface Store {
  /** Kinds that this store keeps. */
  readonly kinds: readonly AnyKind[];
  /** The newest view; the same object until the next commit. */
  view(): View;
  /**
   * Commits a transaction. When it resolves, `view()` has reached the revision. The objects handed
   * in belong to the store from then on.
   * @throws resource-exhausted for more than {@link CHANGES_MAX} changes or too many bytes;
   * invalid-argument for an unknown kind, an empty id, or two changes of one object;
   * permission-denied when checks are on and the actor does not own a field; unavailable when the
   * store is closed or its backend does not answer; aborted when other writers of a shared backend
   * were first too many times in a row.
   */
  commit(transaction: Transaction): Promise<CommitResult>;
  /**
   * Commits in pieces of at most {@link CHANGES_MAX}, smaller where the backend finds them too big;
   * each piece is atomic, the whole is not. Every piece carries the expectations, but for versions
   * of objects that an earlier piece wrote. Stops at the first conflict.
   * @throws as {@link Store.commit}; `details.committed` says how many changes went through before.
   */
  batch(transaction: Transaction): Promise<BatchResult>;
  /**
   * Commits after `fromRevision` (default: from now on, which is when it is subscribed to),
   * delivered whole and in order, never from inside the commit. For reactive callers;
   * {@link Store.subscribe} is the plain form.
   *
   * Errors with `compacted` when commits after `fromRevision` are forgotten, `resync-required` when
   * the watcher fell behind further than its buffer, `unavailable` when the store loses its
   * backend; completes when the store is closed. An observer whose own `next` throws gets the
   * exception as its `error`.
   */
  watch(selector?: WatchSelector, fromRevision?: Revision): Observable<CommitEvent>;
  /**
   * The same as an async iterable; it throws where the observable errors, and is over where that
   * completes or when `signal` aborts. "Now" is the moment of this call, so that a view taken after
   * it leaves no gap.
   */
  watchAsync(
    selector?: WatchSelector,
    fromRevision?: Revision,
    signal?: AbortSignal,
  ): AsyncIterable<CommitEvent>;
  /**
   * The same with plain callbacks: the cheapest form, used by the controllers. Both callbacks are
   * called from a microtask after the commit, one at a time, never from inside another; what a
   * listener commits is delivered after what it is listening to. A `commit` that throws ends this
   * subscription alone, with what it threw. `ended` is called at most once, and not after
   * `unsubscribe`; when the store closes, with `unavailable`.
   * @throws invalid-argument for a kind that the store does not keep.
   */
  subscribe(
    listener: { commit(event: CommitEvent): void; ended(reason: Error): void },
    options?: { readonly selector?: WatchSelector; readonly fromRevision?: Revision },
  ): { unsubscribe(): void };
  /**
   * Resolves once `view().revision` is at least `revision`.
   * @throws unavailable when the store closes before.
   */
  waitFor(revision: Revision): Promise<void>;
  /** Forgets commits up to `revision`: watches from before it end with `compacted`. */
  compact(revision: Revision): Promise<void>;
  /**
   * Refuses further commits (`unavailable`) and ends all watches after what was committed has been
   * delivered. Views stay readable. Closing again does nothing.
   */
  close(): Promise<void>;
}

/**
 * Where commits are ordered and kept. Tables, indexes and watches are the same above all of them.
 * Revisions have no gaps: the commit after revision n is n + 1.
 */
export interface Backend {
  /** Everything kept so far: a snapshot, its revision, then the commits after it in order. */
  load(): Promise<{
    readonly revision: Revision;
    readonly objects: readonly StoredObject[];
    readonly commits: readonly CommitRecord[];
  }>;
  /**
   * Keeps one commit, or refuses it because another writer was first (`conflict`): the store then
   * catches up and checks again. Resolves when the commit is durable. The store appends one record
   * at a time. After `conflict` the commit that was first has to arrive through `subscribe`, and so
   * has this one if it was kept although `append` failed.
   * @throws resource-exhausted when the record is larger than the backend takes.
   */
  append(record: CommitRecord): Promise<'appended' | 'conflict'>;
  /**
   * Keeps several commits that follow each other, all or none: cheaper than one by one where each
   * has to reach a disk. Commits that were asked for in one turn and touch nothing in common come
   * this way; when it throws, each is tried alone. Default: `append` is used.
   */
  appendAll?(records: readonly CommitRecord[]): Promise<'appended' | 'conflict'>;
  /** The same at once, for backends that have nothing to wait for. Default: `append` is used. */
  appendNow?(record: CommitRecord): 'appended' | 'conflict';
  /**
   * Calls `listener` for commits of other writers, from any turn of the event loop. Order and
   * repetition do not matter, completeness does. Called before `load`, so that nothing is missed.
   */
  subscribe(listener: (record: CommitRecord) => void): { unsubscribe(): void };
  /** May drop commits up to the revision once `snapshot`, the objects as of it, is kept. */
  compact(revision: Revision, snapshot: () => readonly StoredObject[]): Promise<void>;
  close(): Promise<void>;
}

/** A commit as a backend keeps it: the objects as written, and the names of those deleted. */
export interface CommitRecord {
  readonly revision: Revision;
  readonly actor: string;
  readonly written: readonly StoredObject[];
  readonly deleted: readonly {
    readonly kind: string;
    readonly id: ObjectId;
    /** Place among all changes of the commit, from 0; absent: after those written. */
    readonly at?: number;
  }[];
}
