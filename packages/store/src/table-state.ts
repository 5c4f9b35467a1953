/**
 * What a store knows: the tables, the newest version, the commits it remembers.
 */
import {
  OWNERSHIP,
  SkepError,
  deepFreeze,
  type Clock,
  type OwnershipTable,
  type Revision,
  type StoredObject,
} from '@skep/api';
import { applyDraft, draftOfRecord } from './commit-record.js';
import { CommitRing } from './commit-ring.js';
import type { Backend, CommitEvent, CommitRecord, Conflict, Transaction } from './contract.js';
import { draftOf, type Draft } from './draft.js';
import { logLimits, type StoreOptions } from './options.js';
import { Tables } from './table.js';
import { TableView, Version, type ViewSource } from './table-view.js';

/** What a backend had kept when the store was opened. */
export type Loaded = Awaited<ReturnType<Backend['load']>>;

/** The state of a store, and the one place where it changes. */
export class TableState {
  readonly tables: Tables;
  readonly ring: CommitRing;
  readonly #clock: Clock;
  readonly #views: ViewSource;
  readonly #isFreezing: boolean;
  readonly #owners: Readonly<Record<string, OwnershipTable>> | undefined;
  #version: Version;
  #view: TableView | undefined;

  /**
   * @throws invalid-argument for options or objects that do not fit, out-of-sequence when commits
   * are missing in what was loaded.
   */
  constructor(options: StoreOptions, loaded: Loaded) {
    const { checks, clock, kinds, listOrder = 'natural', log } = options;
    const { revision, objects, commits } = loaded;
    this.tables = new Tables(kinds);
    this.ring = new CommitRing(logLimits(log), revision);
    this.#clock = clock;
    this.#views = { tables: this.tables, listOrder };
    this.#isFreezing = checks?.freeze ?? false;
    this.#owners = checks?.ownership === true ? { ...OWNERSHIP, ...checks.tables } : undefined;
    this.#version = new Version(revision);
    this.#view = undefined;
    for (const object of objects) {
      const table = this.tables.of(object.kind);
      table.insert(this.#isFreezing ? deepFreeze(object) : object, table.keysOf(object));
    }
    for (const record of commits) this.follow(record);
  }

  get revision(): Revision {
    return this.#version.revision;
  }

  /** The newest view. */
  view(): TableView {
    return (this.#view ??= new TableView(this.#views, this.#version));
  }

  /**
   * What a transaction would do now, or the conflict it meets; see `draftOf`. `ahead`: how many
   * commits come before it that do not touch what it does.
   */
  draft(transaction: Transaction, ahead = 0): Draft | Conflict {
    return draftOf(transaction, {
      tables: this.tables,
      revision: this.revision + 1 + ahead,
      now: this.#clock.now(),
      owners: this.#owners,
    });
  }

  /** The draft as the next commit, or as the one after `ahead` others. */
  commitOf(draft: Draft, actor: string, ahead = 0): CommitEvent {
    const commit = { revision: this.revision + 1 + ahead, actor, events: draft.events };
    return this.#isFreezing ? deepFreeze(commit) : commit;
  }

  /** Does what was drafted. Does not throw. Cost: O(changes). */
  apply(draft: Draft, commit: CommitEvent): void {
    applyDraft(draft);
    const next = new Version(commit.revision);
    this.#version.undo = commit.events;
    this.#version.next = next;
    this.#version = next;
    this.#view = undefined;
    this.ring.push(commit);
  }

  /** Does what another writer did, or what was done in the past. */
  follow(record: CommitRecord): CommitEvent {
    if (record.revision !== this.revision + 1) {
      throw new SkepError(
        'out-of-sequence',
        `after revision ${this.revision} came commit ${record.revision}`,
      );
    }
    const draft = draftOfRecord(record, this.tables);
    const commit = this.commitOf(draft, record.actor);
    this.apply(draft, commit);
    return commit;
  }

  /** All objects as of a revision whose later commits are in the ring; may be called later. */
  snapshotAt(revision: Revision): () => readonly StoredObject[] {
    const undo = [];
    for (let next = revision + 1; next <= this.revision; next += 1) {
      undo.push(...(this.ring.at(next)?.events ?? []));
    }
    const view = new TableView(this.#views, this.#version, { revision, undo });
    return () => view.objects();
  }
}
