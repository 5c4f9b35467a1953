/**
 * The contract of every store: consistent views, atomic commits, gap-free watches.
 *
 * **Source:** ARCHITECTURE of skep, "Store contract"; the shape is SwarmKit's in-memory store and
 * etcd's transactions, with the revision of a commit as the version of what it wrote.
 */
import type { AnyKind, IndexSelector, Kind, ObjectId, Revision, StoredObject } from '@skep/api';
import type { Observable } from 'rxjs';

/** Most changes in one commit. More are refused; {@link Store.batch} splits. */
export const CHANGES_MAX = 200;

/**
 * One change of a transaction.
 * `update` carries the next object; its `meta.version` is the version it was made from.
 * `delete` of an object with finalizers marks it as deleting instead; the update that removes the
 * last finalizer of a deleting object deletes it.
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

/** Why a commit did not go through: the first change or expectation that did not hold. */
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

/** All events of one commit, in the order of its changes. */
export interface CommitEvent {
  readonly revision: Revision;
  readonly actor: string;
  readonly events: readonly ObjectEvent[];
}

/** Which events a watcher wants. */
export interface WatchSelector {
  /** Default: all kinds. */
  readonly kinds?: readonly string[];
  /** Only events for which this holds; it must not throw. */
  readonly where?: (event: ObjectEvent) => boolean;
}

/**
 * A consistent, immutable picture of the store at one revision. All reads are synchronous and from
 * memory. Lists come in no promised order: sort when it matters.
 */
export interface View {
  readonly revision: Revision;
  /** The object, or undefined. Cost: one hash lookup on the newest view. */
  get<Spec, Status>(kind: Kind<Spec, Status>, id: ObjectId): StoredObject<Spec, Status> | undefined;
  /** The object with this name, compared without case; kinds with unique names only. */
  getByName<Spec, Status>(
    kind: Kind<Spec, Status>,
    name: string,
  ): StoredObject<Spec, Status> | undefined;
  /** All objects of a kind, or those that a selector chooses. Cost: O(result). */
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
  /** The newest view. */
  view(): View;
  /**
   * Commits a transaction.
   * @throws resource-exhausted for more than {@link CHANGES_MAX} changes or too many bytes;
   * invalid-argument for an unknown kind; permission-denied when checks are on and the actor does
   * not own a field; unavailable when the store is closed.
   */
  commit(transaction: Transaction): Promise<CommitResult>;
  /** Commits in pieces of at most {@link CHANGES_MAX}; each piece is atomic, the whole is not. */
  batch(transaction: Transaction): Promise<BatchResult>;
  /**
   * Commits after `fromRevision` (default: from now on), delivered whole and in order, never from
   * inside the commit. For reactive callers; {@link Store.subscribe} is the plain form.
   */
  watch(selector?: WatchSelector, fromRevision?: Revision): Observable<CommitEvent>;
  /** The same as an async iterable; it throws where the observable errors. */
  watchAsync(
    selector?: WatchSelector,
    fromRevision?: Revision,
    signal?: AbortSignal,
  ): AsyncIterable<CommitEvent>;
  /** The same with plain callbacks: the cheapest form, used by the controllers. */
  subscribe(
    listener: { commit(event: CommitEvent): void; ended(reason: Error): void },
    options?: { readonly selector?: WatchSelector; readonly fromRevision?: Revision },
  ): { unsubscribe(): void };
  /** Resolves once `view().revision` is at least `revision`. */
  waitFor(revision: Revision): Promise<void>;
  /** Forgets commits up to `revision`: watches from before it end with `compacted`. */
  compact(revision: Revision): Promise<void>;
  /** Refuses further commits and ends all watches. */
  close(): Promise<void>;
}

/** Where commits are ordered and kept. Tables, indexes and watches are the same above all of them. */
export interface Backend {
  /** Everything kept so far: a snapshot, then the commits after it. */
  load(): Promise<{
    readonly revision: Revision;
    readonly objects: readonly StoredObject[];
    readonly commits: readonly CommitRecord[];
  }>;
  /**
   * Keeps one commit, or refuses it because another writer was first (`conflict`): the store then
   * catches up and checks again. Resolves when the commit is durable.
   * @throws resource-exhausted when the record is larger than the backend takes.
   */
  append(record: CommitRecord): Promise<'appended' | 'conflict'>;
  /** Calls `listener` for commits of other writers. */
  subscribe(listener: (record: CommitRecord) => void): { unsubscribe(): void };
  /** May drop commits up to the revision once `snapshot` is kept. */
  compact(revision: Revision, snapshot: () => readonly StoredObject[]): Promise<void>;
  close(): Promise<void>;
}

/** A commit as a backend keeps it: the objects as written, and the names of those deleted. */
export interface CommitRecord {
  readonly revision: Revision;
  readonly actor: string;
  readonly written: readonly StoredObject[];
  readonly deleted: readonly { readonly kind: string; readonly id: ObjectId }[];
}
