/** Commits that go to the backend together: which do, and that nobody can tell but by the speed. */
import { describe, expect, it } from '@jest/globals';
import { Lease, SkepError, newObject, seededRandom, withMeta, withStatus } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import {
  Box,
  KINDS,
  codeOf,
  conflictOf,
  createBox,
  createNote,
  fixtureOf,
  recorder,
  summary,
  turns,
  update,
  type Fixture,
} from './conformance/kit.js';
import { randomChanges } from './conformance/model.js';
import type { Backend, CommitRecord, CommitResult, Transaction } from './index.js';
import { memoryBackend, memoryStore, openStore } from './index.js';

/** Keeps what came together; `refuse` may throw or answer for a group. */
class GroupBackend implements Backend {
  readonly groups: number[] = [];
  refuse: (records: readonly CommitRecord[]) => 'appended' | 'conflict' = () => 'appended';
  readonly #nothing = memoryBackend();
  readonly load = this.#nothing.load;
  readonly subscribe = this.#nothing.subscribe;
  readonly compact = this.#nothing.compact;
  readonly close = this.#nothing.close;

  append(record: CommitRecord): Promise<'appended' | 'conflict'> {
    return this.appendAll([record]);
  }

  async appendAll(records: readonly CommitRecord[]): Promise<'appended' | 'conflict'> {
    await Promise.resolve();
    const outcome = this.refuse(records);
    if (outcome === 'appended') this.groups.push(records.length);
    return outcome;
  }
}

async function open(): Promise<Fixture & { readonly backend: GroupBackend }> {
  const [clock, backend] = [new VirtualClock(), new GroupBackend()];
  const store = await openStore({ kinds: KINDS, clock, backend });
  return { ...fixtureOf(store, clock), backend };
}

const reasons = (results: readonly CommitResult[]): readonly string[] =>
  results.map((result) => conflictOf(result)?.reason ?? 'ok');

describe('commits asked for together', () => {
  it('go to the backend together when they touch nothing in common', async () => {
    const { backend, commit, store } = await open();
    const seen = recorder();
    store.subscribe(seen);
    const results = await Promise.all(['a', 'b', 'c'].map((id) => commit(createBox({ id }))));
    expect(results).toEqual([1, 2, 3].map((revision) => ({ ok: true, revision })));
    expect(backend.groups).toEqual([3]);
    await turns();
    expect(seen.commits.map(summary)).toEqual([
      '1 created Box a',
      '2 created Box b',
      '3 created Box c',
    ]);
    expect(
      store
        .view()
        .list(Box)
        .map(({ meta }) => meta.version),
    ).toEqual([1, 2, 3]);
  });

  it('are at most 128 in a group', async () => {
    const { backend, commit } = await open();
    const ids = Array.from({ length: 300 }, (_, number) => `b${number}`);
    await Promise.all(ids.map((id) => commit(createBox({ id }))));
    expect(backend.groups).toEqual([128, 128, 44]);
  });

  it('wait for those whose objects they write, expect, or take the names of', async () => {
    const { backend, commit, box, store } = await open();
    await commit(createBox({ id: 'a', name: 'one' }), createBox({ id: 'b', name: 'two' }));
    const spec = { holder: 'm', term: 1, durationMs: 1, acquiredAt: 0, renewedAt: 0 };
    backend.groups.length = 0;
    const lease = { type: 'lease', id: 'l', holder: 'm', term: 1 } as const;
    const results = await Promise.all([
      commit(update(withMeta(box('a'), { name: 'free' }))),
      commit(createBox({ id: 'c', name: 'ONE' })),
      commit(update(withStatus(box('a'), { place: 'x' }))),
      commit({ type: 'delete', kind: 'Box', id: 'b' }),
      commit(createBox({ id: 'b', name: 'two' })),
      commit({ type: 'create', object: newObject(Lease, { id: 'l', spec }) }),
      store.commit({ actor: 'm', expect: [lease], changes: [createNote('n')] }),
    ]);
    expect(reasons(results)).toEqual(['ok', 'ok', 'version', 'ok', 'ok', 'ok', 'ok']);
    expect(store.view().getByName(Box, 'one')?.meta.id).toBe('c');
    expect(backend.groups.reduce((sum, size) => sum + size, 0)).toBe(6);
  });

  it('are each tried alone when the backend refuses them together', async () => {
    const { backend, commit, store } = await open();
    backend.refuse = (records) => {
      const isTooBig = records.some(({ written }) => written[0]?.meta.id === 'b');
      if (isTooBig) throw new SkepError('resource-exhausted', 'b is too big');
      return 'appended';
    };
    const codes = await Promise.all(['a', 'b', 'c'].map((id) => codeOf(commit(createBox({ id })))));
    expect(codes).toEqual(['none', 'resource-exhausted', 'none']);
    expect(backend.groups).toEqual([1, 1]);
    expect([store.view().revision, store.view().count(Box)]).toEqual([2, 2]);
  });

  it('that throw fail alone', async () => {
    const { commit, store } = await open();
    const codes = await Promise.all([
      codeOf(commit(createBox({ id: 'a' }))),
      codeOf(commit({ type: 'delete', kind: 'Alien', id: 'x' })),
      codeOf(commit(createBox({ id: 'b' }))),
    ]);
    expect(codes).toEqual(['none', 'invalid-argument', 'none']);
    expect(store.view().revision).toBe(2);
  });

  it('get their answers when the store closes', async () => {
    const { commit, store } = await open();
    const results = ['a', 'b', 'c'].map((id) => commit(createBox({ id })));
    const closed = store.close();
    expect(reasons(await Promise.all(results))).toEqual(['ok', 'ok', 'ok']);
    expect(await codeOf(commit(createBox({ id: 'd' })))).toBe('unavailable');
    await closed;
  });

  it('do what they do one by one', async () => {
    const { backend, store, clock } = await open();
    const single = memoryStore({ kinds: KINDS, clock });
    const random = seededRandom('groups');
    for (let round = 0; round < 200; round += 1) {
      const boxes = new Map(
        store
          .view()
          .list(Box)
          .map((box) => [box.meta.id, box]),
      );
      const transactions: Transaction[] = Array.from({ length: 1 + random.int(6) }, () => ({
        actor: 'tester',
        changes: randomChanges(boxes, random),
      }));
      // Each store has objects of its own: what is handed in belongs to it.
      const copies = structuredClone(transactions);
      const together = await Promise.all(transactions.map((next) => store.commit(next)));
      const alone: CommitResult[] = [];
      for (const next of copies) alone.push(await single.commit(next));
      expect(together).toEqual(alone);
    }
    const byId = (a: Box, b: Box): number => (a.meta.id < b.meta.id ? -1 : 1);
    const [one, two] = [store, single].map((each) => [...each.view().list(Box)].sort(byId));
    expect(one).toEqual(two);
    expect(backend.groups.some((size) => size > 1)).toBe(true);
  });
});
