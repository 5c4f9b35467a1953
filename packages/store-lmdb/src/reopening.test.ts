/** A store that is closed and opened again goes on where it was. */
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { canonicalJson, isSkepError, seededRandom, withSpec } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { memoryStore, type CommitEvent, type Store } from '@skep/store';
import { withFolder } from './__fixtures__/folders.js';
import { Part, contentOf, createPart, openFolder, randomChanges } from './__fixtures__/parts.js';
import { lmdbBackend } from './index.js';

const commit = (store: Store, ...changes: Parameters<Store['commit']>[0]['changes']) =>
  store.commit({ actor: 'tester', changes });

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (thrown: unknown) => (isSkepError(thrown) ? thrown.code : String(thrown)),
  );

/** What a watch from a revision gives: commits, or the code of how it ended. */
async function watched(
  store: Store,
  fromRevision: number,
): Promise<readonly CommitEvent[] | string> {
  const events: CommitEvent[] = [];
  let end = '';
  store.subscribe(
    {
      commit: (event) => events.push(event),
      ended: (reason) => {
        end = isSkepError(reason) ? reason.code : reason.message;
      },
    },
    { fromRevision },
  );
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
  return end === '' ? events : end;
}

describe('a store that is opened again', () => {
  it.each([
    ['a long log', { commitsMax: 1_000 }],
    ['a short log', { commitsMax: 5 }],
    ['a small log', { bytesMax: 3_000 }],
  ])('is what a store in memory is, after random commits and closings, with %s', (_what, log) =>
    withFolder(async (folder) => {
      const random = seededRandom('reopening');
      const clock = new VirtualClock();
      const memory = memoryStore({ kinds: [Part], clock });
      let store = await openFolder(folder, { log }, { clock });
      for (let step = 0; step < 60; step += 1) {
        const changes = randomChanges(memory, random, random.int(20) === 0 ? 9_000 : 100);
        await clock.advance(random.int(3));
        const copies = structuredClone(changes);
        expect(await commit(store, ...changes)).toEqual(await commit(memory, ...copies));
        if (random.int(20) === 0) await store.compact(random.int(store.view().revision + 1));
        if (random.int(6) > 0) continue;
        await store.close();
        store = await openFolder(folder, { log }, { clock });
        expect(contentOf(store)).toBe(contentOf(memory));
      }
      await store.close();
    }),
  );

  it('tells watchers what they missed, with what was before', () =>
    withFolder(async (folder) => {
      const first = await openFolder(folder);
      await commit(first, createPart('a', { size: 1 }), createPart('b'));
      const part = first.view().get(Part, 'a');
      if (part === undefined) throw new Error('no part');
      await commit(first, { type: 'update', object: withSpec(part, { size: 2, text: '' }) });
      await commit(first, { type: 'delete', kind: 'Part', id: 'b' }, createPart('c'));
      const before = await watched(first, 0);
      await first.close();
      const second = await openFolder(folder);
      expect(canonicalJson(await watched(second, 0))).toBe(canonicalJson(before));
      expect((await watched(second, 2)).length).toBe(1);
      expect(await commit(second, createPart('d'))).toEqual({ ok: true, revision: 4 });
      await second.close();
    }));

  it('says `compacted` where the log does not reach, bounded or compacted', () =>
    withFolder(async (folder) => {
      const log = { commitsMax: 8 };
      const first = await openFolder(folder, { log });
      for (let number = 1; number <= 30; number += 1) await commit(first, createPart(`p${number}`));
      await first.close();
      const second = await openFolder(folder, { log });
      expect([await watched(second, 20), (await watched(second, 22)).length]).toEqual([
        'compacted',
        8,
      ]);
      await second.compact(28);
      await second.close();
      const third = await openFolder(folder);
      expect([await watched(third, 27), (await watched(third, 28)).length]).toEqual([
        'compacted',
        2,
      ]);
      expect(third.view().count(Part)).toBe(30);
      await third.close();
    }));

  it('gives back room: a file opened again holds what is in use', () =>
    withFolder(async (folder) => {
      const log = { commitsMax: 1 };
      const first = await openFolder(folder, { log });
      const text = 'x'.repeat(100_000);
      for (const id of ['a', 'b', 'c', 'd']) await commit(first, createPart(id, { text }));
      for (const id of ['a', 'b', 'c', 'd']) {
        await commit(first, { type: 'delete', kind: 'Part', id });
      }
      await first.close();
      const file = join(folder, 'store.mdb');
      const before = statSync(file).size;
      await (await openFolder(folder)).close();
      expect([before > 400_000, statSync(file).size < 200_000]).toEqual([true, true]);
    }));

  it('leaves the file, its lock and the socket of its holder, for their owner alone', () =>
    withFolder(async (parent) => {
      const folder = join(parent, 'made');
      const store = await openFolder(folder);
      await commit(store, createPart('a'));
      await store.close();
      expect(readdirSync(folder)).toEqual(['holder-1.sock', 'store.mdb', 'store.mdb-lock']);
      expect(statSync(folder).mode & 0o777).toBe(0o700);
      expect(statSync(join(folder, 'store.mdb')).mode & 0o777).toBe(0o600);
      expect(statSync(join(folder, 'store.mdb-lock')).mode & 0o777).toBe(0o600);
    }));

  it('ignores what an opening left that was killed', () =>
    withFolder(async (folder) => {
      const first = await openFolder(folder);
      await commit(first, createPart('a'));
      await first.close();
      for (const name of ['store.new.mdb', 'store.new.mdb-lock']) {
        writeFileSync(join(folder, name), 'half');
      }
      const second = await openFolder(folder);
      expect(second.view().count(Part)).toBe(1);
      await second.close();
      expect(readdirSync(folder).filter((name) => name.includes('new'))).toEqual([]);
    }));
});

describe('commits asked for together', () => {
  it('are all kept', () =>
    withFolder(async (folder) => {
      const first = await openFolder(folder);
      const ids = Array.from({ length: 300 }, (_, number) => `p${number}`);
      const results = await Promise.all(ids.map((id) => commit(first, createPart(id))));
      expect(results.map((result) => (result.ok ? result.revision : 0))).toEqual(
        ids.map((_, at) => at + 1),
      );
      const content = contentOf(first);
      await first.close();
      const second = await openFolder(folder);
      expect(contentOf(second)).toBe(content);
      await second.close();
    }));
});

describe('limits', () => {
  it.each([
    { log: { commitsMax: 0 } },
    { log: { bytesMax: 0.5 } },
    { commitBytesMax: -1 },
    { bytesMax: Number.NaN },
  ])('that make no sense are refused: %j', (options) => {
    expect(() => lmdbBackend({ folder: '/nowhere', ...options })).toThrow(/at least 1/);
  });

  it('refuse a commit that is too large, and a batch makes it smaller', () =>
    withFolder(async (folder) => {
      const store = await openFolder(folder, { commitBytesMax: 4_000 });
      const parts = Array.from({ length: 40 }, (_, number) =>
        createPart(`p${number}`, { text: 'x'.repeat(200) }),
      );
      await expect(commit(store, ...parts)).rejects.toThrow(/at most 4000 are taken/);
      expect(store.view().revision).toBe(0);
      const result = await store.batch({ actor: 'tester', changes: parts });
      expect([result.committed, store.view().count(Part)]).toEqual([40, 40]);
      await store.close();
    }));

  it('refuse what the store has no room for, until there is room again', () =>
    withFolder(async (folder) => {
      const text = 'x'.repeat(10_000);
      const store = await openFolder(folder, { bytesMax: 50_000 });
      for (const id of ['a', 'b', 'c', 'd']) await commit(store, createPart(id, { text }));
      await expect(commit(store, createPart('e', { text }))).rejects.toThrow(/bytesMax/);
      expect([store.view().revision, store.view().count(Part)]).toEqual([4, 4]);
      expect((await commit(store, { type: 'delete', kind: 'Part', id: 'a' })).ok).toBe(true);
      expect((await commit(store, createPart('e', { text }))).ok).toBe(true);
      await store.close();
      const again = await openFolder(folder);
      expect([again.view().revision, again.view().count(Part)]).toEqual([6, 4]);
      await again.close();
    }));
});

describe('folders', () => {
  it('are made, but not their parents', () =>
    withFolder(async (folder) => {
      await expect(openFolder(join(folder, 'a', 'b'))).rejects.toMatchObject({ code: 'not-found' });
      await (await openFolder(join(folder, 'a'))).close();
    }));

  it('are no files', () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'file'), '');
      expect(await codeOf(openFolder(join(folder, 'file')))).toBe('invalid-argument');
      expect(await codeOf(openFolder(join(folder, 'file', 'x')))).toBe('invalid-argument');
    }));

  it('may have paths of any length', () =>
    withFolder(async (parent) => {
      const folder = join(parent, 'x'.repeat(150));
      const store = await openFolder(folder);
      await expect(openFolder(folder)).rejects.toThrow(/held by this process/);
      await store.close();
    }));

  it('that are gone do not end the store: it fails when it is closed, if at all', () =>
    withFolder(async (parent) => {
      const folder = join(parent, 'gone');
      const store = await openFolder(folder);
      rmSync(folder, { recursive: true });
      // The kernel keeps the file for as long as it is open.
      expect((await commit(store, createPart('a'))).ok).toBe(true);
      expect(await codeOf(store.close())).toBe('none');
    }));
});

describe('a backend', () => {
  it('is loaded once, and refuses what comes before and after', () =>
    withFolder(async (folder) => {
      const backend = lmdbBackend({ folder });
      const record = { revision: 1, actor: 'tester', written: [], deleted: [] };
      expect(await codeOf(backend.append(record))).toBe('unavailable');
      await backend.load();
      expect(await codeOf(backend.load())).toBe('failed-precondition');
      expect(await codeOf(backend.append({ ...record, revision: 2 }))).toBe('out-of-sequence');
      await Promise.all([backend.close(), backend.close()]);
      expect(await codeOf(backend.append(record))).toBe('unavailable');
      expect(await codeOf(backend.compact(1, () => []))).toBe('unavailable');
      expect(await codeOf(backend.load())).toBe('failed-precondition');
    }));
});
