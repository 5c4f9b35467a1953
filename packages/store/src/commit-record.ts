/**
 * Between a commit as it happens to the tables and a commit as a backend keeps it.
 */
import { SkepError, type Revision, type StoredObject } from '@skep/api';
import type { CommitRecord, ObjectEvent } from './contract.js';
import { NO_KEYS, type Draft, type DraftChange } from './draft.js';
import type { Table, Tables } from './table.js';

/** The record of a commit. */
export function recordOf(commit: {
  readonly revision: Revision;
  readonly actor: string;
  readonly events: readonly ObjectEvent[];
}): CommitRecord {
  const { revision, actor, events } = commit;
  const written: StoredObject[] = [];
  const deleted: { kind: string; id: string; at: number }[] = [];
  for (let at = 0; at < events.length; at += 1) {
    const { type, object } = events[at] as ObjectEvent;
    if (type === 'deleted') deleted.push({ kind: object.kind, id: object.meta.id, at });
    else written.push(object);
  }
  return { revision, actor, written, deleted };
}

/**
 * What a record of another writer, or of the past, does to the tables.
 * @throws internal when it deletes what is not there: tables and log do not belong together;
 * invalid-argument for a kind that the store does not keep.
 */
export function draftOfRecord(record: CommitRecord, tables: Tables): Draft {
  const { written, deleted } = record;
  const changes: DraftChange[] = [];
  let nextWritten = 0;
  let nextDeleted = 0;
  while (changes.length < written.length + deleted.length) {
    const removed = deleted[nextDeleted];
    const object = written[nextWritten];
    const isDelete = object === undefined || removed?.at === changes.length;
    if (removed !== undefined && isDelete) {
      changes.push(deletion(tables.of(removed.kind), removed.id, record.revision));
      nextDeleted += 1;
    } else if (object !== undefined) {
      changes.push(writing(tables.of(object.kind), object));
      nextWritten += 1;
    }
  }
  return { changes, events: changes.map((change) => change.event) };
}

function writing(table: Table, object: StoredObject): DraftChange {
  const row = table.row(object.meta.id);
  if (row !== undefined) table.checkNext(row, object);
  const keys = row === undefined ? table.keysOf(object) : NO_KEYS;
  const event: ObjectEvent =
    row === undefined
      ? { type: 'created', object }
      : { type: 'updated', object, previous: row.object };
  return { table, row, keys, event };
}

function deletion(table: Table, id: string, revision: Revision): DraftChange {
  const row = table.row(id);
  if (row === undefined) {
    throw new SkepError(
      'internal',
      `commit ${revision} deletes ${table.kind.name} ${id}, which is not there`,
    );
  }
  const { object } = row;
  return { table, row, keys: NO_KEYS, event: { type: 'deleted', object, previous: object } };
}

/** Does to the tables what was drafted. Does not throw. Cost: O(changes). */
export function applyDraft(draft: Draft): void {
  const { changes } = draft;
  for (let i = 0; i < changes.length; i += 1) {
    const { table, row, keys, event } = changes[i] as DraftChange;
    if (row === undefined) table.insert(event.object, keys);
    else if (event.type === 'deleted') table.remove(row);
    else table.replace(row, event.object);
  }
}
