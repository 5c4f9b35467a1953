/** How a store gets on with backends that are slow, late, out of order, full or broken. */
import { describe, expect, it } from '@jest/globals';
import { SkepError, withMeta, withStatus } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import {
  Box,
  KINDS,
  fixtureOf,
  codeOf,
  conflictOf,
  createBox,
  createNote,
  newBox,
  recorder,
  summary,
  turns,
  update,
  type Fixture,
} from './conformance/kit.js';
import type { Backend, CommitRecord, Store } from './index.js';
import { memoryBackend, openStore } from './index.js';

/** A backend whose answers a test decides; `send` is a commit of another writer. */
class FakeBackend implements Backend {
  readonly appended: CommitRecord[] = [];
  isClosed = false;
  loaded: Awaited<ReturnType<Backend['load']>> = { revision: 0, objects: [], commits: [] };
  answer: (record: CommitRecord) => Promise<'appended' | 'conflict'> = () =>
    Promise.resolve('appended');
  #listener: (record: CommitRecord) => void = () => undefined;

  load(): ReturnType<Backend['load']> {
    return Promise.resolve(this.loaded);
  }

  async append(record: CommitRecord): Promise<'appended' | 'conflict'> {
    const outcome = await this.answer(record);
    if (outcome === 'appended') this.appended.push(record);
    return outcome;
  }

  subscribe(listener: (record: CommitRecord) => void): { unsubscribe(): void } {
    this.#listener = listener;
    return { unsubscribe: () => (this.#listener = () => undefined) };
  }

  send(...records: readonly CommitRecord[]): void {
    for (const record of records) this.#listener(record);
  }

  compact(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

interface BackendFixture extends Fixture {
  readonly backend: FakeBackend;
}

async function open(backend = new FakeBackend()): Promise<BackendFixture> {
  const clock = new VirtualClock();
  const store: Store = await openStore({ kinds: KINDS, clock, backend });
  return { ...fixtureOf(store, clock), backend };
}

function written(revision: number, id: string): CommitRecord {
  const object = newBox({ id });
  const meta = { ...object.meta, version: revision };
  return { revision, actor: 'other', written: [{ ...object, meta }], deleted: [] };
}

function deleted(revision: number, id: string): CommitRecord {
  return { revision, actor: 'other', written: [], deleted: [{ kind: 'Box', id }] };
}

describe('commits of other writers', () => {
  it('are taken in any order and any number of times, and applied once in order', async () => {
    const { backend, store } = await open();
    const seen = recorder();
    store.subscribe(seen);
    backend.send(written(2, 'b'), deleted(3, 'a'), written(2, 'b'));
    expect(store.view().revision).toBe(0);
    backend.send(written(1, 'a'), written(1, 'a'), deleted(3, 'a'));
    await turns();
    expect(seen.commits.map(summary)).toEqual([
      '1 created Box a',
      '2 created Box b',
      '3 deleted Box a',
    ]);
    expect(seen.commits[0]?.actor).toBe('other');
  });

  it('may tell deletions last, even of objects whose name went to another', async () => {
    const { backend, store } = await open();
    const named = (revision: number, id: string): CommitRecord => ({
      ...written(revision, id),
      written: written(revision, id).written.map((box) => withMeta(box, { name: 'one' })),
    });
    backend.send(named(1, 'a'), { ...named(2, 'b'), deleted: [{ kind: 'Box', id: 'a' }] });
    expect(store.view().getByName(Box, 'one')?.meta.id).toBe('b');
  });

  it('that come while the store is being opened are not missed', async () => {
    const backend = new FakeBackend();
    backend.loaded = { revision: 1, objects: [...written(1, 'a').written], commits: [] };
    const opening = open(backend);
    backend.send(written(3, 'c'), written(2, 'b'), written(1, 'a'));
    const { store } = await opening;
    expect([store.view().revision, store.view().count(Box)]).toEqual([3, 3]);
  });

  it('make a commit that met them be checked again', async () => {
    const { backend, commit, box, store } = await open();
    await commit(createBox({ id: 'a' }));
    backend.answer = ({ revision }) => Promise.resolve(revision === 2 ? 'conflict' : 'appended');
    const stale = commit(update(withStatus(box('a'), { place: 'x' })));
    const unrelated = commit(createNote('n'));
    await turns();
    backend.send(written(2, 'a'));
    expect(conflictOf(await stale)?.reason).toBe('version');
    expect(await unrelated).toEqual({ ok: true, revision: 3 });
    expect(store.view().revision).toBe(3);
  });

  it('wait for the store’s own commit that is not answered yet', async () => {
    const { backend, commit, store } = await open();
    let answer: (outcome: 'appended') => void = () => undefined;
    backend.answer = () => new Promise((resolve) => (answer = resolve));
    const own = commit(createBox({ id: 'own' }));
    await turns();
    backend.send(written(2, 'b'));
    expect(store.view().revision).toBe(0);
    answer('appended');
    expect(await own).toEqual({ ok: true, revision: 1 });
    expect(store.view().revision).toBe(2);
  });

  it('may be an echo of the store’s own', async () => {
    const { backend, commit, store } = await open();
    backend.answer = (record) => {
      backend.send(record);
      return Promise.resolve('appended');
    };
    const seen = recorder();
    store.subscribe(seen);
    expect(await commit(createBox({ id: 'a' }))).toEqual({ ok: true, revision: 1 });
    expect(await commit(createBox({ id: 'b' }))).toEqual({ ok: true, revision: 2 });
    await turns();
    expect(seen.commits.map(summary)).toEqual(['1 created Box a', '2 created Box b']);
  });
});

describe('a backend that fails', () => {
  it('fails the commit and leaves the store as it was', async () => {
    const { backend, commit, store } = await open();
    backend.answer = () => Promise.reject(new SkepError('unavailable', 'disk full'));
    expect(await codeOf(commit(createBox({ id: 'a' })))).toBe('unavailable');
    backend.answer = () => Promise.resolve('appended');
    expect(store.view().revision).toBe(0);
    expect(await commit(createBox({ id: 'a' }))).toEqual({ ok: true, revision: 1 });
  });

  it('may have kept the commit all the same, and says so as to any other store', async () => {
    const { backend, commit, store } = await open();
    backend.answer = (record) => {
      backend.answer = () => Promise.resolve('appended');
      void turns().then(() => backend.send(record));
      return Promise.reject(new SkepError('unavailable', 'timed out'));
    };
    expect(await codeOf(commit(createBox({ id: 'a' })))).toBe('unavailable');
    await store.waitFor(1);
    expect(store.view().get(Box, 'a')?.meta.version).toBe(1);
    expect(await commit(createBox({ id: 'b' }))).toEqual({ ok: true, revision: 2 });
  });

  it('by never delivering who was first is given up after 30 s', async () => {
    const { backend, commit, clock } = await open();
    backend.answer = () => Promise.resolve('conflict');
    const code = codeOf(commit(createBox({ id: 'a' })));
    await clock.advance(29_999);
    backend.answer = () => Promise.resolve('appended');
    const next = commit(createBox({ id: 'b' }));
    await clock.advance(1);
    expect(await code).toBe('unavailable');
    expect((await next).ok).toBe(true);
    expect(clock.pending()).toEqual([]);
  });

  it('by always letting another be first is given up after 100 times', async () => {
    const { backend, commit, store } = await open();
    backend.answer = ({ revision }) => {
      backend.send(written(revision, `other${revision}`));
      return Promise.resolve('conflict');
    };
    expect(await codeOf(commit(createBox({ id: 'a' })))).toBe('aborted');
    expect(store.view().revision).toBe(100);
  });

  it('by losing its log closes the store, which says so', async () => {
    const { backend, commit, store } = await open();
    const seen = recorder();
    const errors: unknown[] = [];
    store.subscribe(seen);
    store.watch().subscribe({ error: (reason: unknown) => errors.push(reason) });
    backend.send(deleted(1, 'nobody'));
    await turns();
    expect([seen.ends, errors.length, backend.isClosed]).toEqual([['unavailable'], 1, true]);
    await expect(commit(createBox({ id: 'a' }))).rejects.toThrow(/lost the log .*Box nobody/);
    backend.send(written(1, 'a'));
    expect(store.view().revision).toBe(0);
  });

  it('by leaving a gap closes the store after 10,000 commits behind it', async () => {
    const { backend, commit } = await open();
    for (let revision = 2; revision <= 10_001; revision += 1) backend.send(written(revision, 'a'));
    expect(backend.isClosed).toBe(false);
    backend.send(written(10_002, 'a'));
    await expect(commit(createBox({ id: 'a' }))).rejects.toThrow('but not commit 1');
  });

  it.each([
    ['a gap', { revision: 1, objects: [], commits: [written(3, 'a')] }, 'out-of-sequence'],
    [
      'an unknown kind',
      { revision: 1, objects: [{ ...newBox({ id: 'a' }), kind: 'Alien' }], commits: [] },
      'invalid-argument',
    ],
  ])('by having kept %s cannot be opened, and is closed', async (_what, loaded, code) => {
    const backend = new FakeBackend();
    backend.loaded = loaded;
    expect(await codeOf(open(backend))).toBe(code);
    expect(backend.isClosed).toBe(true);
  });
});

describe('a batch', () => {
  it('takes smaller pieces where the backend finds them too big', async () => {
    const { backend, store } = await open();
    backend.answer = ({ written: { length } }) =>
      length > 60
        ? Promise.reject(new SkepError('resource-exhausted', `${length} is too big`))
        : Promise.resolve('appended');
    const changes = Array.from({ length: 230 }, (_, number) => createBox({ id: `b${number}` }));
    const result = await store.batch({ actor: 'tester', changes });
    expect(result).toEqual({ committed: 230, revision: 5 });
    expect(backend.appended.map((record) => record.written.length)).toEqual([50, 50, 50, 50, 30]);
  });

  it('says how far it came when the backend fails', async () => {
    const { backend, store } = await open();
    backend.answer = ({ revision }) =>
      revision < 3
        ? Promise.resolve('appended')
        : Promise.reject(new SkepError('resource-exhausted', 'full', { details: { size: 1 } }));
    const changes = Array.from({ length: 500 }, (_, number) => createBox({ id: `b${number}` }));
    const failed = store.batch({ actor: 'tester', changes });
    await expect(failed).rejects.toMatchObject({
      code: 'resource-exhausted',
      details: { committed: 400, size: 1 },
    });
  });
});

describe('appendNow', () => {
  it('that meets a conflict is tried again with append', async () => {
    let other: (record: CommitRecord) => void = () => undefined;
    let conflicts = 0;
    const backend: Backend = {
      ...memoryBackend(),
      appendNow: ({ revision }) => {
        if (revision > 1) return 'appended';
        conflicts += 1;
        return 'conflict';
      },
      append: ({ revision }) => {
        if (revision > 1) return Promise.resolve('appended');
        other(written(1, 'first'));
        return Promise.resolve('conflict');
      },
      subscribe: (listener) => {
        other = listener;
        return { unsubscribe: () => undefined };
      },
    };
    const store = await openStore({ kinds: KINDS, clock: new VirtualClock(), backend });
    const { commit } = fixtureOf(store, new VirtualClock());
    expect(await commit(createBox({ id: 'a' }))).toEqual({ ok: true, revision: 2 });
    await turns();
    const now = commit(createBox({ id: 'b' }));
    expect(store.view().revision).toBe(3);
    expect([(await now).ok, conflicts]).toEqual([true, 1]);
  });
});
