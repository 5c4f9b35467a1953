/**
 * The commits that are kept one by one, and how old ones are folded into the objects.
 */
import { SkepError, type Revision } from '@skep/api';
import type { CommitRecord } from '@skep/store';
import { Tally, commitKey, objectKey, sealed, unsealed, type Head } from './entry.js';
import type { FileTransaction } from './store-file.js';

/** A commit as it is written. */
export interface SealedCommit {
  readonly revision: Revision;
  readonly key: Buffer;
  readonly value: Buffer;
}

/**
 * The record as bytes.
 * @throws invalid-argument for what JSON cannot hold; resource-exhausted above the limit.
 */
export function sealCommit(record: CommitRecord, bytesMax: number): SealedCommit {
  const key = commitKey(record.revision);
  const value = sealed(key, jsonOf(record));
  if (value.length > bytesMax) {
    throw new SkepError(
      'resource-exhausted',
      `commit ${record.revision} has ${value.length} bytes, at most ${bytesMax} are taken`,
      { details: { bytes: value.length, bytesMax } },
    );
  }
  return { revision: record.revision, key, value };
}

/** Adds commits to the log. */
export function appendCommits(
  head: Head,
  commits: readonly SealedCommit[],
  { put }: FileTransaction,
): Head {
  const tally = new Tally(head);
  for (const { key, value } of commits) {
    put(key, value);
    tally.add(key, value);
  }
  const revision = commits.at(-1)?.revision ?? head.revision;
  return headOf(tally, { revision, base: head.base });
}

/**
 * Takes commits up to a revision out of the log and does what they did to the objects: each object
 * is written once, however often it was changed. Cost: O(changes in these commits).
 * @throws internal when the file does not hold what this process wrote to it.
 */
export function foldCommits(head: Head, upTo: Revision, transaction: FileTransaction): Head {
  const tally = new Tally(head);
  const objects = new Map<string, { readonly key: Buffer; readonly text: string | undefined }>();
  const note = (kind: string, id: string, text: string | undefined): void => {
    const key = objectKey(kind, id);
    objects.set(key.toString('latin1'), { key, text });
  };
  for (let revision = head.base + 1; revision <= upTo; revision += 1) {
    const key = commitKey(revision);
    const { value, record } = commitAt(key, transaction);
    transaction.remove(key);
    tally.remove(key, value);
    // Those deleted may have been written by an earlier commit; never by this one.
    for (const { kind, id } of record.deleted) note(kind, id, undefined);
    for (const object of record.written) note(object.kind, object.meta.id, JSON.stringify(object));
  }
  for (const { key, text } of objects.values()) {
    const before = transaction.get(key);
    if (before !== undefined) tally.remove(key, before);
    if (text !== undefined) {
      const value = sealed(key, text);
      transaction.put(key, value);
      tally.add(key, value);
    } else if (before !== undefined) {
      transaction.remove(key);
    }
  }
  return headOf(tally, { revision: head.revision, base: upTo });
}

function commitAt(
  key: Buffer,
  { get }: FileTransaction,
): { readonly value: Buffer; readonly record: CommitRecord } {
  const value = get(key);
  const text = value === undefined ? undefined : unsealed(key, value);
  if (value === undefined || text === undefined) {
    throw new SkepError('internal', 'the file does not hold what was written to it');
  }
  return { value, record: JSON.parse(text) as CommitRecord };
}

function headOf(
  tally: Tally,
  where: { readonly revision: Revision; readonly base: Revision },
): Head {
  const { entries, bytes, digest } = tally;
  return { ...where, entries, bytes, digest };
}

function jsonOf(record: CommitRecord): string {
  try {
    return JSON.stringify(record);
  } catch (cause) {
    throw new SkepError('invalid-argument', `commit ${record.revision} does not fit JSON`, {
      cause,
    });
  }
}
