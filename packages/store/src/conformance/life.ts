/**
 * Waiting for revisions, compaction, the end.
 */
import { withStatus } from '@skep/api';
import {
  Box,
  codeOf,
  createBox,
  recorder,
  turns,
  update,
  withStore,
  type ConformanceKit,
  type MakeStore,
} from './kit.js';

/** Registers the tests of a store's life. */
export function lifeSuite(kit: ConformanceKit, makeStore: MakeStore): void {
  kit.describe('waitFor', () => waitTests(kit, makeStore));
  kit.describe('compact', () => compactTests(kit, makeStore));
  kit.describe('close', () => closeTests(kit, makeStore));
}

function waitTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('resolves once the view is there', () =>
    withStore(makeStore, async ({ commit, store }) => {
      const reached: number[] = [];
      const waits = [2, 1, 3, 2].map(async (revision) => {
        await store.waitFor(revision);
        reached.push(revision);
        expect(store.view().revision >= revision).toBe(true);
      });
      await store.waitFor(0);
      await turns();
      expect(reached).toEqual([]);
      await commit(createBox({ id: 'a' }));
      await turns();
      expect(reached).toEqual([1]);
      await commit(createBox({ id: 'b' }));
      await turns();
      expect(reached).toEqual([1, 2, 2]);
      await commit(createBox({ id: 'c' }));
      await Promise.all(waits);
      await store.waitFor(2);
    }));

  it('rejects when the store closes before', () =>
    withStore(makeStore, async ({ store }) => {
      const wait = codeOf(store.waitFor(5));
      await store.close();
      expect(await wait).toBe('unavailable');
      expect(await codeOf(store.waitFor(5))).toBe('unavailable');
      expect(await codeOf(store.waitFor(0))).toBe('none');
    }));
}

function compactTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('changes nothing but how far back watches reach', () =>
    withStore(makeStore, async ({ commit, box, store }) => {
      await commit(createBox({ id: 'a' }));
      const old = store.view();
      await commit(update(withStatus(box('a'), { place: 'shelf' })));
      const view = store.view();
      await store.compact(1);
      await store.compact(1);
      await store.compact(0);
      await store.compact(99);
      expect(store.view()).toBe(view);
      expect([old.get(Box, 'a')?.status, box('a').status]).toEqual([{}, { place: 'shelf' }]);
      expect(await commit(update(box('a')))).toEqual({ ok: true, revision: 3 });
    }));
}

function closeTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('delivers what was committed, then ends all watches and refuses commits', () =>
    withStore(makeStore, async ({ commit, store }) => {
      const seen = recorder();
      const ends: string[] = [];
      store.subscribe(seen);
      store.watch({ kinds: ['Note'] }).subscribe({
        complete: () => ends.push('complete'),
      });
      const iterator = store.watchAsync()[Symbol.asyncIterator]();
      await commit(createBox({ id: 'a' }));
      const last = commit(createBox({ id: 'b' }));
      const closed = store.close();
      expect(await codeOf(commit(createBox({ id: 'c' })))).toBe('unavailable');
      expect((await last).ok).toBe(true);
      await closed;
      expect(seen.commits.map((event) => event.revision)).toEqual([1, 2]);
      expect([seen.ends, ends]).toEqual([['unavailable'], ['complete']]);
      const rest = [await iterator.next(), await iterator.next(), await iterator.next()];
      expect(rest.map((result) => result.done)).toEqual([false, false, true]);
      expect(await codeOf(store.batch({ actor: 'tester', changes: [] }))).toBe('unavailable');
      expect(await codeOf(store.compact(1))).toBe('unavailable');
    }));

  it('may be asked for twice, and leaves views readable', () =>
    withStore(makeStore, async ({ commit, store }) => {
      await commit(createBox({ id: 'a' }));
      await Promise.all([store.close(), store.close()]);
      expect(store.view().get(Box, 'a')?.meta.id).toBe('a');
      const late = recorder();
      store.subscribe(late);
      await turns();
      expect(late.ends).toEqual(['unavailable']);
    }));
}
