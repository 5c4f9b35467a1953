/**
 * A transaction of any size, in pieces.
 */
import { SkepError, isSkepError } from '@skep/api';
import {
  CHANGES_MAX,
  type BatchResult,
  type Change,
  type Expectation,
  type Store,
  type Transaction,
} from './contract.js';
import { errorOf } from './watcher.js';

/** Commits in pieces; see `Store.batch`. */
export async function commitInPieces(
  store: Pick<Store, 'commit' | 'view'>,
  transaction: Transaction,
): Promise<BatchResult> {
  const { actor, changes } = transaction;
  let expect = transaction.expect ?? [];
  let size = CHANGES_MAX;
  let committed = 0;
  let revision = store.view().revision;
  do {
    const piece = changes.slice(committed, committed + size);
    try {
      const result = await store.commit({ actor, expect, changes: piece });
      if (!result.ok) return { committed, revision, conflict: result.conflict };
      ({ revision } = result);
      committed += piece.length;
      expect = stillExpected(expect, piece);
    } catch (thrown) {
      // The backend takes fewer bytes than this piece has; a single change cannot be split.
      if (!isSkepError(thrown, 'resource-exhausted') || piece.length <= 1) {
        throw withProgress(thrown, committed);
      }
      size = Math.ceil(piece.length / 2);
    }
  } while (committed < changes.length);
  return { committed, revision };
}

/**
 * Without the versions of objects that the piece wrote: they held when it did, and are others now.
 */
function stillExpected(
  expect: readonly Expectation[],
  piece: readonly Change[],
): readonly Expectation[] {
  if (!expect.some((expectation) => expectation.type === 'version')) return expect;
  const written = new Set(piece.map(keyOf));
  return expect.filter(
    (expectation) =>
      expectation.type !== 'version' || !written.has(`${expectation.kind}/${expectation.id}`),
  );
}

function keyOf(change: Change): string {
  return change.type === 'delete'
    ? `${change.kind}/${change.id}`
    : `${change.object.kind}/${change.object.meta.id}`;
}

function withProgress(thrown: unknown, committed: number): Error {
  if (!isSkepError(thrown)) return errorOf(thrown);
  return new SkepError(thrown.code, `${thrown.message} (after ${committed} committed changes)`, {
    details: { ...thrown.details, committed },
    cause: thrown,
  });
}
