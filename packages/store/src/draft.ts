/**
 * From a transaction to what it does: every change checked, every object stamped, nothing touched.
 *
 * **Source:** SwarmKit manager/state/store/memory.go for the checks; Kubernetes' finalizers and
 * generation for what a change of an object means.
 */
import {
  SkepError,
  isEqual,
  ownershipFault,
  type IndexKeys,
  type ObjectId,
  type OwnershipTable,
  type Revision,
  type StoredObject,
  type Timestamp,
} from '@skep/api';
import type { Change, Conflict, ObjectEvent, Transaction } from './contract.js';
import { failedExpectation } from './expectation.js';
import { NameClaims } from './name-claims.js';
import { Stamp, stampedMeta } from './stamp.js';
import type { Row, Table, Tables } from './table.js';

/** One change that passed every check: what will happen to which table. */
export interface DraftChange {
  readonly table: Table;
  /** The row that is replaced or removed; undefined for a new object. */
  readonly row: Row | undefined;
  /** Index keys of a new object; of others they are worked out when they are needed. */
  readonly keys: readonly IndexKeys[];
  readonly event: ObjectEvent;
}

/** What the transaction is checked against and stamped with. */
export interface DraftContext {
  readonly tables: Tables;
  /** The revision that the commit will be. */
  readonly revision: Revision;
  readonly now: Timestamp;
  /** Ownership tables to check; undefined: no check. */
  readonly owners: Readonly<Record<string, OwnershipTable>> | undefined;
}

/** A transaction that may be applied. */
export interface Draft {
  readonly changes: readonly DraftChange[];
  readonly events: readonly ObjectEvent[];
}

/** For changes that make no new object. */
export const NO_KEYS: readonly IndexKeys[] = Object.freeze([] as IndexKeys[]);

/**
 * Checks a transaction: the draft of what it does, or the first conflict.
 * Cost: O(changes); deep comparison of specs that are not the same object.
 * @throws invalid-argument, permission-denied as `Store.commit`; what an index function throws.
 */
export function draftOf(transaction: Transaction, context: DraftContext): Draft | Conflict {
  for (const expectation of transaction.expect ?? []) {
    const conflict = failedExpectation(expectation, context.tables);
    if (conflict !== undefined) return conflict;
  }
  const drafting = new Drafting(transaction, context);
  for (const change of transaction.changes) {
    const conflict = drafting.add(change);
    if (conflict !== undefined) return conflict;
  }
  return drafting.finish();
}

/** Whether the outcome of {@link draftOf} is a conflict. */
export function isConflict(outcome: Draft | Conflict): outcome is Conflict {
  return 'reason' in outcome;
}

class Drafting implements Draft {
  // Of their final length from the start: the events are kept for long, and arrays that grow keep
  // room for more.
  readonly changes: DraftChange[];
  readonly events: ObjectEvent[];
  readonly #actor: string;
  readonly #context: DraftContext;
  readonly #stamp: Stamp;
  #count = 0;
  /** Number of this transaction, left in the rows it takes. */
  readonly #number: number;
  /** Objects that it creates, and names given and freed; of no use to a single change. */
  readonly #created: Map<Table, Set<ObjectId>> | undefined;
  readonly #names: NameClaims | undefined;

  constructor(transaction: Transaction, context: DraftContext) {
    const { length } = transaction.changes;
    this.#actor = transaction.actor;
    this.#context = context;
    this.#stamp = new Stamp(context.revision, context.now);
    this.changes = new Array<DraftChange>(length);
    this.events = new Array<ObjectEvent>(length);
    this.#number = context.tables.begin();
    this.#created = length > 1 ? new Map() : undefined;
    this.#names = length > 1 ? new NameClaims() : undefined;
  }

  /** The draft, after all changes were added. */
  finish(): Draft {
    // Fewer than changes: to delete what is deleting already does nothing.
    if (this.#count < this.changes.length) this.changes.length = this.events.length = this.#count;
    return this;
  }

  add(change: Change): Conflict | undefined {
    if (change.type === 'delete') {
      return this.#delete(this.#context.tables.of(change.kind), change.id, change.version);
    }
    const { object } = change;
    const table = this.#context.tables.of(object.kind);
    return change.type === 'create' ? this.#create(table, object) : this.#update(table, object);
  }

  #create(table: Table, object: StoredObject): Conflict | undefined {
    const { id, name } = object.meta;
    const row = this.#take(table, id);
    if (row !== undefined) return conflict('already-exists', table, id, 'exists already');
    this.#noteCreated(table, id);
    const taken = this.#giveName(table, id, name, '');
    if (taken !== undefined) return taken;
    const meta = stampedMeta(object.meta, this.#stamp.ofNew());
    const next = { kind: object.kind, meta, spec: object.spec, status: object.status };
    const keys = table.keysOf(next);
    this.#push({ table, row: undefined, keys, event: { type: 'created', object: next } });
    return undefined;
  }

  #update(table: Table, object: StoredObject): Conflict | undefined {
    const { meta } = object;
    const row = this.#take(table, meta.id);
    if (row === undefined) return conflict('not-found', table, meta.id, 'does not exist');
    const before = row.object;
    if (before.meta.version !== meta.version) return outdated(table, row, meta.version);
    if (before.meta.deletionRequestedAt !== undefined) {
      if (meta.finalizers.length === 0) {
        this.#remove(table, row);
        return undefined;
      }
      if (!meta.finalizers.every((finalizer) => before.meta.finalizers.includes(finalizer))) {
        return conflict('deleting', table, meta.id, 'is deleting and gets no new finalizers');
      }
    }
    if (before.meta.name !== meta.name) {
      const taken = this.#giveName(table, meta.id, meta.name, before.meta.name);
      if (taken !== undefined) return taken;
    }
    const isSameSpec = isEqual(before.spec, object.spec);
    const { generation } = before.meta;
    const stamp = this.#stamp.after(before.meta, isSameSpec ? generation : generation + 1);
    this.#replace(table, row, {
      kind: before.kind,
      meta: stampedMeta(meta, stamp),
      spec: isSameSpec ? before.spec : object.spec,
      status: object.status,
    });
    return undefined;
  }

  #delete(table: Table, id: ObjectId, version: Revision | undefined): Conflict | undefined {
    const row = this.#take(table, id);
    if (row === undefined) return conflict('not-found', table, id, 'does not exist');
    const before = row.object;
    if (version !== undefined && before.meta.version !== version) {
      return outdated(table, row, version);
    }
    if (before.meta.finalizers.length === 0) {
      this.#remove(table, row);
    } else if (before.meta.deletionRequestedAt === undefined) {
      this.#replace(table, row, {
        kind: before.kind,
        meta: stampedMeta(before.meta, this.#stamp.ofDeleting(before.meta)),
        spec: before.spec,
        status: before.status,
      });
    }
    return undefined;
  }

  #replace(table: Table, row: Row, object: StoredObject): void {
    const { owners } = this.#context;
    const previous = row.object;
    if (owners !== undefined) {
      const fault = ownershipFault({ actor: this.#actor, before: previous, after: object }, owners);
      if (fault !== undefined) {
        throw new SkepError('permission-denied', fault, {
          details: { actor: this.#actor, kind: object.kind, id: row.id },
        });
      }
    }
    table.checkNext(row, object);
    if (owners !== undefined) table.checkSpecIndexes(row, object);
    this.#push({ table, row, keys: NO_KEYS, event: { type: 'updated', object, previous } });
  }

  #remove(table: Table, row: Row): void {
    const { object } = row;
    if (table.hasUniqueName) this.#names?.note(table, object.meta.name, false);
    this.#push({
      table,
      row,
      keys: NO_KEYS,
      event: { type: 'deleted', object, previous: object },
    });
  }

  #push(change: DraftChange): void {
    this.changes[this.#count] = change;
    this.events[this.#count] = change.event;
    this.#count += 1;
  }

  /**
   * The row of an object that takes part, if there is one.
   * @throws invalid-argument when it takes part twice, or has no id.
   */
  #take(table: Table, id: ObjectId): Row | undefined {
    const row = table.row(id);
    if (row === undefined) {
      if (id === '') {
        throw new SkepError('invalid-argument', `an id of kind ${table.kind.name} is empty`);
      }
      if (this.#created?.get(table)?.has(id) === true) throw changedTwice(table, id);
      return undefined;
    }
    if (row.takenBy === this.#number) throw changedTwice(table, id);
    row.takenBy = this.#number;
    return row;
  }

  #noteCreated(table: Table, id: ObjectId): void {
    if (this.#created === undefined) return;
    const ids = this.#created.get(table);
    if (ids === undefined) this.#created.set(table, new Set([id]));
    else ids.add(id);
  }

  /** Gives a name to an object that has none, or another (`before`). */
  #giveName(table: Table, id: ObjectId, name: string, before: string): Conflict | undefined {
    // A change of case keeps the name.
    if (!table.hasUniqueName || before.toLowerCase() === name.toLowerCase()) return undefined;
    if (this.#names?.isTaken(table, name) ?? table.isNameTaken(name)) {
      return conflict('name-taken', table, id, `wants the name '${name}', which is taken`);
    }
    this.#names?.note(table, name, true);
    this.#names?.note(table, before, false);
    return undefined;
  }
}

function changedTwice(table: Table, id: ObjectId): SkepError {
  return new SkepError(
    'invalid-argument',
    `a transaction changes ${table.kind.name} ${id} twice; merge the two changes`,
    { details: { kind: table.kind.name, id } },
  );
}

function outdated(table: Table, row: Row, version: Revision): Conflict {
  return conflict('version', table, row.id, `changed since version ${version}`);
}

function conflict(reason: Conflict['reason'], table: Table, id: ObjectId, what: string): Conflict {
  const version = table.row(id)?.object.meta.version ?? 0;
  return {
    reason,
    kind: table.kind.name,
    id,
    message: `${table.kind.name} ${id} ${what}`,
    version,
  };
}
