/**
 * Create, update, delete: versions, stamps, names, limits, atomicity, batches.
 */
import { withMeta, withSpec, withStatus } from '@skep/api';
import { CHANGES_MAX, type Change } from '../contract.js';
import {
  Box,
  Note,
  codeOf,
  codeOfCall,
  conflictOf,
  createBox,
  createNote,
  newBox,
  update,
  withStore,
  type ConformanceKit,
  type MakeStore,
} from './kit.js';

/** Registers the tests of single objects and of whole transactions. */
export function changeSuite(kit: ConformanceKit, makeStore: MakeStore): void {
  kit.describe('changes of an object', () => {
    stampTests(kit, makeStore);
    versionTests(kit, makeStore);
  });
  kit.describe('names', () => nameTests(kit, makeStore));
  kit.describe('transactions', () => {
    atomicityTests(kit, makeStore);
    limitTests(kit, makeStore);
  });
  kit.describe('batches', () => batchTests(kit, makeStore));
}

function stampTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('starts empty at revision 0', () =>
    withStore(makeStore, async ({ store }) => {
      expect(store.view().revision).toBe(0);
      expect(store.view().list(Box)).toEqual([]);
      expect(store.kinds.map((kind) => kind.name)).toEqual(['Box', 'Note', 'Lease']);
      await Promise.resolve();
    }));

  it('stamps a new object, whatever its meta says', () =>
    withStore(makeStore, async ({ commit, box, clock }) => {
      const stale = withMeta(newBox({ id: 'a', name: 'A', labels: { x: '1' } }, { color: 'red' }), {
        version: 7,
        generation: 9,
        createdAt: 1,
        updatedAt: 2,
        deletionRequestedAt: 3,
      });
      expect(await commit({ type: 'create', object: stale })).toEqual({ ok: true, revision: 1 });
      const now = clock.now();
      const { meta, spec, status, kind } = box('a');
      expect({ kind, spec, status }).toEqual({ kind: 'Box', spec: stale.spec, status: {} });
      const { labels, version, generation, createdAt, updatedAt } = meta;
      expect({ labels, version, generation, createdAt, updatedAt }).toEqual({
        labels: { x: '1' },
        version: 1,
        generation: 1,
        createdAt: now,
        updatedAt: now,
      });
      expect('deletionRequestedAt' in meta).toBe(false);
    }));

  it('gives each write the revision of its commit as version', () =>
    withStore(makeStore, async ({ commit, box, clock }) => {
      await commit(createBox({ id: 'a' }), createBox({ id: 'b' }));
      const createdAt = clock.now();
      await clock.advance(5_000);
      await commit(update(withStatus(box('a'), { place: 'shelf' })));
      expect([box('a').meta.version, box('b').meta.version]).toEqual([2, 1]);
      expect([box('a').meta.createdAt, box('a').meta.updatedAt]).toEqual([
        createdAt,
        createdAt + 5_000,
      ]);
    }));

  it('raises the generation when the spec differs in content, and only then', () =>
    withStore(makeStore, async ({ commit, box }) => {
      await commit(createBox({ id: 'a' }, { color: 'red', tags: ['x'] }));
      const { spec } = box('a');
      await commit(update(withStatus(box('a'), { place: 'shelf' })));
      await commit(update(withMeta(box('a'), { labels: { x: '1' } })));
      await commit(update(withSpec(box('a'), { size: 1, tags: ['x'], color: 'red' })));
      expect(box('a').meta.generation).toBe(1);
      expect(box('a').spec).toEqual(spec);
      await commit(update(withSpec(box('a'), { ...spec, tags: ['x', 'y'] })));
      expect(box('a').meta.generation).toBe(2);
    }));
}

function versionTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('refuses a second object with the id, an update or delete of none', () =>
    withStore(makeStore, async ({ commit }) => {
      await commit(createBox({ id: 'a' }));
      const twice = conflictOf(await commit(createBox({ id: 'a' })));
      expect([twice?.reason, twice?.kind, twice?.id, twice?.version]).toEqual([
        'already-exists',
        'Box',
        'a',
        1,
      ]);
      const gone = conflictOf(await commit(update(newBox({ id: 'b' }))));
      expect([gone?.reason, gone?.id, gone?.version]).toEqual(['not-found', 'b', 0]);
      const none = conflictOf(await commit({ type: 'delete', kind: 'Box', id: 'b' }));
      expect(none?.reason).toBe('not-found');
    }));

  it('refuses an update or delete that was made from another version', () =>
    withStore(makeStore, async ({ commit, box, store }) => {
      await commit(createBox({ id: 'a' }));
      const before = box('a');
      await commit(update(withStatus(before, { place: 'shelf' })));
      const stale = conflictOf(await commit(update(withStatus(before, { place: 'floor' }))));
      expect([stale?.reason, stale?.version]).toEqual(['version', 2]);
      const old = await commit({ type: 'delete', kind: 'Box', id: 'a', version: 1 });
      expect(conflictOf(old)?.reason).toBe('version');
      expect(store.view().revision).toBe(2);
      expect(box('a').status).toEqual({ place: 'shelf' });
    }));

  it('deletes at a version, or whatever is there, and takes the id again', () =>
    withStore(makeStore, async ({ commit, box, store }) => {
      await commit(createBox({ id: 'a' }), createBox({ id: 'b' }));
      await commit({ type: 'delete', kind: 'Box', id: 'a', version: 1 });
      await commit({ type: 'delete', kind: 'Box', id: 'b' });
      expect(store.view().count(Box)).toBe(0);
      expect(await commit(createBox({ id: 'a' }))).toEqual({ ok: true, revision: 4 });
      expect(box('a').meta.generation).toBe(1);
    }));

  it('writes an update that changes nothing', () =>
    withStore(makeStore, async ({ commit, box }) => {
      await commit(createBox({ id: 'a' }));
      expect(await commit(update(box('a')))).toEqual({ ok: true, revision: 2 });
      expect([box('a').meta.version, box('a').meta.generation]).toEqual([2, 1]);
    }));

  it('keeps kinds apart', () =>
    withStore(makeStore, async ({ commit, store }) => {
      await commit(createBox({ id: 'a' }), createNote('a', 'hello'));
      await commit({ type: 'delete', kind: 'Box', id: 'a' });
      expect(store.view().get(Note, 'a')?.spec).toEqual({ text: 'hello' });
      expect(store.view().get(Box, 'a')).toBe(undefined);
    }));
}

function nameTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('are unique without regard to case', () =>
    withStore(makeStore, async ({ commit, store }) => {
      await commit(createBox({ id: 'a', name: 'Front' }));
      const taken = conflictOf(await commit(createBox({ id: 'b', name: 'fRONT' })));
      expect([taken?.reason, taken?.id]).toEqual(['name-taken', 'b']);
      expect(store.view().getByName(Box, 'FRONT')?.meta.id).toBe('a');
      expect(store.view().getByName(Box, 'back')).toBe(undefined);
    }));

  it('are free again after a rename or a delete', () =>
    withStore(makeStore, async ({ commit, box, store }) => {
      await commit(createBox({ id: 'a', name: 'one' }), createBox({ id: 'b', name: 'two' }));
      const taken = conflictOf(await commit(update(withMeta(box('a'), { name: 'Two' }))));
      expect(taken?.reason).toBe('name-taken');
      await commit(update(withMeta(box('a'), { name: 'three' })));
      await commit({ type: 'delete', kind: 'Box', id: 'b' });
      await commit(createBox({ id: 'c', name: 'one' }), createBox({ id: 'd', name: 'two' }));
      const ids = ['one', 'two', 'three'].map((name) => store.view().getByName(Box, name)?.meta.id);
      expect(ids).toEqual(['c', 'd', 'a']);
    }));

  it('may change in case', () =>
    withStore(makeStore, async ({ commit, box, store }) => {
      await commit(createBox({ id: 'a', name: 'one' }));
      await commit(update(withMeta(box('a'), { name: 'ONE' })));
      expect(store.view().getByName(Box, 'one')?.meta.name).toBe('ONE');
    }));

  it('pass from one object to another within a transaction, in the order of the changes', () =>
    withStore(makeStore, async ({ commit, box, store }) => {
      await commit(createBox({ id: 'a', name: 'one' }));
      const tooEarly = await commit(
        createBox({ id: 'b', name: 'one' }),
        update(withMeta(box('a'), { name: 'two' })),
      );
      expect(conflictOf(tooEarly)?.reason).toBe('name-taken');
      const twice = await commit(
        createBox({ id: 'b', name: 'new' }),
        createBox({ id: 'c', name: 'NEW' }),
      );
      expect(conflictOf(twice)?.id).toBe('c');
      await commit(
        update(withMeta(box('a'), { name: 'two' })),
        createBox({ id: 'b', name: 'one' }),
      );
      await commit({ type: 'delete', kind: 'Box', id: 'b' }, createBox({ id: 'c', name: 'one' }));
      expect(store.view().getByName(Box, 'one')?.meta.id).toBe('c');
      expect(store.view().getByName(Box, 'two')?.meta.id).toBe('a');
    }));

  it('that are empty are no names', () =>
    withStore(makeStore, async ({ commit, store }) => {
      await commit(createBox({ id: 'a' }), createBox({ id: 'b' }));
      expect(store.view().count(Box)).toBe(2);
      expect(store.view().getByName(Box, '')).toBe(undefined);
    }));

  it('of a kind without unique names may be equal and cannot be asked for', () =>
    withStore(makeStore, async ({ commit, store }) => {
      await commit(createNote('a'), createNote('b'));
      expect(store.view().count(Note)).toBe(2);
      expect(codeOfCall(() => store.view().getByName(Note, 'a'))).toBe('invalid-argument');
    }));
}

function atomicityTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('happen whole or not at all', () =>
    withStore(makeStore, async ({ commit, box, store }) => {
      await commit(
        createBox({ id: 'a', name: 'one' }, { color: 'red' }),
        createBox({ id: 'b' }),
        createBox({ id: 'z' }),
      );
      const before = store.view();
      const result = await commit(
        update(withSpec(box('a'), { size: 9, color: 'blue' })),
        { type: 'delete', kind: 'Box', id: 'b' },
        createBox({ id: 'c', name: 'new' }),
        createBox({ id: 'z' }),
      );
      expect(conflictOf(result)?.reason).toBe('already-exists');
      expect(store.view()).toBe(before);
      expect(store.view().list(Box, { index: 'color', key: 'blue' })).toEqual([]);
      expect(store.view().getByName(Box, 'new')).toBe(undefined);
      expect(store.view().get(Box, 'b')?.meta.version).toBe(1);
    }));

  it('without changes write nothing', () =>
    withStore(makeStore, async ({ commit, store }) => {
      expect(await commit()).toEqual({ ok: true, revision: 0 });
      await commit(createBox({ id: 'a' }));
      const view = store.view();
      expect(await commit()).toEqual({ ok: true, revision: 1 });
      expect(store.view()).toBe(view);
    }));

  it('that are started together go through one after the other', () =>
    withStore(makeStore, async ({ commit, box, store }) => {
      await commit(createBox({ id: 'a' }));
      const before = box('a');
      const results = await Promise.all([
        commit(update(withStatus(before, { place: 'one' }))),
        commit(createBox({ id: 'b' })),
        commit(update(withStatus(before, { place: 'two' }))),
      ]);
      expect(results.map((result) => conflictOf(result)?.reason ?? 'ok')).toEqual([
        'ok',
        'ok',
        'version',
      ]);
      expect(box('a').status).toEqual({ place: 'one' });
      expect(store.view().revision).toBe(3);
    }));

  it('show in the view when they resolve', () =>
    withStore(makeStore, async ({ commit, store }) => {
      const result = await commit(createBox({ id: 'a' }));
      expect(result.ok && store.view().revision >= result.revision).toBe(true);
      expect(store.view().get(Box, 'a')?.meta.id).toBe('a');
    }));
}

function limitTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('refuse what no store could do', () =>
    withStore(makeStore, async ({ commit, box, store }) => {
      await commit(createBox({ id: 'a' }));
      const twice = commit(update(box('a')), { type: 'delete', kind: 'Box', id: 'a' });
      expect(await codeOf(twice)).toBe('invalid-argument');
      const alien: Change = { type: 'delete', kind: 'Alien', id: 'a' };
      expect(await codeOf(commit(alien))).toBe('invalid-argument');
      expect(await codeOf(commit(createBox({ id: '' })))).toBe('invalid-argument');
      expect(store.view().revision).toBe(1);
    }));

  it('take 200 changes and no more', () =>
    withStore(makeStore, async ({ commit, store }) => {
      const changes = numbered(CHANGES_MAX + 1);
      expect(await codeOf(commit(...changes))).toBe('resource-exhausted');
      expect(store.view().revision).toBe(0);
      expect(await commit(...changes.slice(1))).toEqual({ ok: true, revision: 1 });
      expect(store.view().count(Box)).toBe(CHANGES_MAX);
    }));
}

function batchTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('split into pieces of 200', () =>
    withStore(makeStore, async ({ store }) => {
      const result = await store.batch({ actor: 'tester', changes: numbered(450) });
      expect(result).toEqual({ committed: 450, revision: 3 });
      const versions = ['b0', 'b199', 'b200', 'b399', 'b400', 'b449'].map(
        (id) => store.view().get(Box, id)?.meta.version,
      );
      expect(versions).toEqual([1, 1, 2, 2, 3, 3]);
    }));

  it('stop at a conflict and say how far they came', () =>
    withStore(makeStore, async ({ commit, store }) => {
      await commit(createBox({ id: 'b250' }));
      const result = await store.batch({ actor: 'tester', changes: numbered(450) });
      expect([result.committed, result.revision, result.conflict?.id]).toEqual([200, 2, 'b250']);
      expect(store.view().count(Box)).toBe(201);
    }));

  it('carry their expectations in each piece, but for what they wrote themselves', () =>
    withStore(makeStore, async ({ commit, box, store }) => {
      await commit(createBox({ id: 'a' }), createBox({ id: 'z' }));
      const expect1 = { type: 'version', kind: 'Box', id: 'a', version: 1 } as const;
      const changes = [update(box('a')), ...numbered(300)];
      const own = await store.batch({ actor: 'tester', expect: [expect1], changes });
      expect([own.committed, own.conflict]).toEqual([301, undefined]);
      const foreign = store.batch({
        actor: 'tester',
        expect: [{ type: 'version', kind: 'Box', id: 'z', version: 1 }],
        changes: numbered(300, 'c'),
      });
      const between = commit(update(box('z')));
      expect([(await foreign).committed, (await foreign).conflict?.reason]).toEqual([
        200,
        'version',
      ]);
      expect((await between).ok).toBe(true);
    }));

  it('of nothing commit nothing', () =>
    withStore(makeStore, async ({ store }) => {
      const result = await store.batch({ actor: 'tester', changes: [] });
      expect(result).toEqual({ committed: 0, revision: 0 });
    }));
}

function numbered(count: number, prefix = 'b'): readonly Change[] {
  return Array.from({ length: count }, (_, number) => createBox({ id: `${prefix}${number}` }));
}
