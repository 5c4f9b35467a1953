/**
 * Deletion with finalizers.
 */
import { isDeleting, withMeta, withStatus } from '@skep/api';
import {
  Box,
  conflictOf,
  createBox,
  recorder,
  summary,
  turns,
  update,
  withStore,
  type ConformanceKit,
  type MakeStore,
} from './kit.js';

const remove = { type: 'delete', kind: 'Box', id: 'a' } as const;

/** Registers the tests of deletion. */
export function removalSuite(kit: ConformanceKit, makeStore: MakeStore): void {
  kit.describe('finalizers', () => {
    markTests(kit, makeStore);
    deletingTests(kit, makeStore);
  });
}

function markTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('turn a delete into a mark', () =>
    withStore(makeStore, async ({ commit, box, clock }) => {
      await commit(createBox({ id: 'a', name: 'one', finalizers: ['x', 'y'] }));
      await clock.advance(1_000);
      expect(await commit(remove)).toEqual({ ok: true, revision: 2 });
      const { meta } = box('a');
      expect([isDeleting(box('a')), meta.deletionRequestedAt, meta.updatedAt]).toEqual([
        true,
        clock.now(),
        clock.now(),
      ]);
      expect([meta.version, meta.generation]).toEqual([2, 1]);
    }));

  it('delete the object when the last one goes', () =>
    withStore(makeStore, async ({ commit, box, store }) => {
      await commit(createBox({ id: 'a', name: 'one', finalizers: ['x', 'y'] }));
      await commit(remove);
      await commit(update(withMeta(box('a'), { finalizers: ['y'] })));
      expect(box('a').meta.finalizers).toEqual(['y']);
      expect(await commit(update(withMeta(box('a'), { finalizers: [] })))).toEqual({
        ok: true,
        revision: 4,
      });
      expect(store.view().get(Box, 'a')).toBe(undefined);
      expect(store.view().getByName(Box, 'one')).toBe(undefined);
      expect((await commit(createBox({ id: 'a', name: 'one' }))).ok).toBe(true);
    }));

  it('that go from an object that is not deleting delete nothing', () =>
    withStore(makeStore, async ({ commit, box }) => {
      await commit(createBox({ id: 'a', finalizers: ['x'] }));
      await commit(update(withMeta(box('a'), { finalizers: [] })));
      expect(box('a').meta.finalizers).toEqual([]);
      expect((await commit(remove)).ok).toBe(true);
    }));
}

function deletingTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('cannot be added to a deleting object, which can be updated otherwise', () =>
    withStore(makeStore, async ({ commit, box }) => {
      await commit(createBox({ id: 'a', finalizers: ['x'] }));
      await commit(remove);
      const more = await commit(update(withMeta(box('a'), { finalizers: ['x', 'z'] })));
      expect(conflictOf(more)?.reason).toBe('deleting');
      expect((await commit(update(withStatus(box('a'), { place: 'bin' })))).ok).toBe(true);
      expect(isDeleting(box('a'))).toBe(true);
    }));

  it('leave the mark in place, whatever a writer says', () =>
    withStore(makeStore, async ({ commit, box }) => {
      await commit(createBox({ id: 'a', finalizers: ['x'] }));
      await commit(remove);
      const { deletionRequestedAt } = box('a').meta;
      const { deletionRequestedAt: dropped, ...meta } = box('a').meta;
      expect(dropped).toBe(deletionRequestedAt);
      await commit(update({ ...box('a'), meta }));
      expect(box('a').meta.deletionRequestedAt).toBe(deletionRequestedAt);
      await commit(update(withMeta(box('a'), { deletionRequestedAt: 1 })));
      expect(box('a').meta.deletionRequestedAt).toBe(deletionRequestedAt);
    }));

  it('make a second delete do nothing', () =>
    withStore(makeStore, async ({ commit, store }) => {
      await commit(createBox({ id: 'a', finalizers: ['x'] }));
      await commit(remove);
      const view = store.view();
      expect(await commit(remove)).toEqual({ ok: true, revision: 2 });
      expect(store.view()).toBe(view);
      expect(await commit(remove, createBox({ id: 'b' }))).toEqual({ ok: true, revision: 3 });
    }));

  it('show in events as updates, then as a delete of what was last there', () =>
    withStore(makeStore, async ({ commit, box, store }) => {
      const seen = recorder();
      store.subscribe(seen);
      await commit(createBox({ id: 'a', finalizers: ['x'] }));
      await commit(remove);
      const last = box('a');
      await commit(update(withMeta(last, { finalizers: [], labels: { unseen: 'yes' } })));
      await turns();
      expect(seen.commits.map(summary)).toEqual([
        '1 created Box a',
        '2 updated Box a',
        '3 deleted Box a',
      ]);
      expect(seen.commits[2]?.events[0]?.object).toEqual(last);
      expect(seen.commits[2]?.events[0]?.previous).toEqual(last);
    }));
}
