/**
 * Several stores over one backend: one order of commits, conflicts instead of lost updates.
 */
import {
  Lease,
  canonicalJson,
  compareText,
  newObject,
  seededRandom,
  withSpec,
  withStatus,
  type LeaseSpec,
} from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import type { Store } from '../contract.js';
import {
  Box,
  KINDS,
  fixtureOf,
  codeOf,
  conflictOf,
  createBox,
  createNote,
  optionsOf,
  recorder,
  summary,
  update,
  type Fixture,
  type ConformanceKit,
  type MakeStoreGroup,
  type StoreGroup,
} from './kit.js';
import { randomChanges } from './model.js';

interface SharedFixture {
  readonly clock: VirtualClock;
  readonly group: StoreGroup;
  /** Opens another store of the group. */
  open(): Promise<Fixture>;
}

/** Registers the tests of several stores over one backend. */
export function sharedSuite(
  kit: ConformanceKit,
  makeGroup: MakeStoreGroup,
  randomCommits: number,
): void {
  kit.describe('stores that share a backend', () => {
    followTests(kit, makeGroup);
    raceTests(kit, makeGroup);
    agreementTests(kit, makeGroup, randomCommits);
  });
  kit.describe('stores opened later', () => joinTests(kit, makeGroup));
}

/** Runs a test with a group of its own; closes the stores it opened. */
async function withGroup(
  makeGroup: MakeStoreGroup,
  test: (fixture: SharedFixture) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock();
  const group = await makeGroup(clock);
  const opened: Store[] = [];
  const open = async (): Promise<Fixture> => {
    const store = await group.open(optionsOf(clock));
    opened.push(store);
    return fixtureOf(store, clock);
  };
  try {
    await test({ clock, group, open });
  } finally {
    for (const store of opened) await store.close();
  }
}

function followTests({ it, expect }: ConformanceKit, makeGroup: MakeStoreGroup): void {
  it('see each other’s commits, whole and in the order of their changes', () =>
    withGroup(makeGroup, async ({ group, open }) => {
      const [one, two] = [await open(), await open()];
      const [seenByOne, seenByTwo] = [recorder(), recorder()];
      one.store.subscribe(seenByOne);
      two.store.subscribe(seenByTwo);
      await one.commit(createBox({ id: 'a' }), createNote('n'));
      await group.settle();
      await two.commit(
        { type: 'delete', kind: 'Note', id: 'n' },
        update(withStatus(two.box('a'), { place: 'shelf' })),
        createBox({ id: 'b' }),
      );
      await group.settle();
      expect(seenByOne.commits.map(summary)).toEqual([
        '1 created Box a, created Note n',
        '2 deleted Note n, updated Box a, created Box b',
      ]);
      expect(canonicalJson(seenByTwo.commits)).toBe(canonicalJson(seenByOne.commits));
      expect(contentOf(one.store)).toBe(contentOf(two.store));
    }));

  it('go on when one of them closes', () =>
    withGroup(makeGroup, async ({ group, open }) => {
      const [one, two] = [await open(), await open()];
      await one.commit(createBox({ id: 'a' }));
      await one.store.close();
      await group.settle();
      expect((await two.commit(update(withStatus(two.box('a'), { place: 'x' })))).ok).toBe(true);
      expect(await codeOf(one.commit(createBox({ id: 'b' })))).toBe('unavailable');
    }));
}

function raceTests({ it, expect }: ConformanceKit, makeGroup: MakeStoreGroup): void {
  it('lose no update: of two from one version, one meets a conflict', () =>
    withGroup(makeGroup, async ({ group, open }) => {
      const [one, two] = [await open(), await open()];
      await one.commit(createBox({ id: 'a', name: 'one' }));
      await group.settle();
      const results = await Promise.all([
        one.commit(update(withStatus(one.box('a'), { place: 'one' }))),
        two.commit(update(withStatus(two.box('a'), { place: 'two' }))),
      ]);
      const reasons = results.map((result) => conflictOf(result)?.reason ?? 'ok');
      expect([...reasons].sort(compareText)).toEqual(['ok', 'version']);
      const ids = await Promise.all([
        one.commit(createBox({ id: 'b', name: 'new' })),
        two.commit(createBox({ id: 'b' })),
      ]);
      expect(ids.map((result) => conflictOf(result)?.reason ?? 'ok').sort(compareText)).toEqual([
        'already-exists',
        'ok',
      ]);
      await group.settle();
      expect(contentOf(one.store)).toBe(contentOf(two.store));
    }));

  it('both get through when they do not meet', () =>
    withGroup(makeGroup, async ({ group, open }) => {
      const benches = [await open(), await open(), await open()];
      const results = await Promise.all(
        Array.from({ length: 30 }, (_, number) =>
          (benches[number % 3] as Fixture).commit(createBox({ id: `b${number}` })),
        ),
      );
      const revisions = results.map((result) => (result.ok ? result.revision : 0));
      expect(revisions.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, n) => n + 1));
      await group.settle();
      expect(benches.map(({ store }) => store.view().count(Box))).toEqual([30, 30, 30]);
    }));

  it('take no write of a leader that was replaced, however old its view is', () =>
    withGroup(makeGroup, async ({ group, open }) => {
      const [old, young] = [await open(), await open()];
      const spec: LeaseSpec = { holder: 'm1', term: 1, durationMs: 1, acquiredAt: 0, renewedAt: 0 };
      await old.commit({ type: 'create', object: newObject(Lease, { id: 'leader', spec }) });
      await group.settle();
      const lease = young.store.view().get(Lease, 'leader');
      if (lease === undefined) throw new Error('the lease did not arrive');
      await young.commit(update(withSpec(lease, { ...spec, holder: 'm2', term: 2 })));
      const late = await old.store.commit({
        actor: 'm1',
        expect: [{ type: 'lease', id: 'leader', holder: 'm1', term: 1 }],
        changes: [createBox({ id: 'late' })],
      });
      expect(conflictOf(late)?.reason).toBe('lease');
      await group.settle();
      expect([old, young].map(({ store }) => store.view().get(Box, 'late'))).toEqual([
        undefined,
        undefined,
      ]);
    }));
}

function agreementTests(
  { it, expect }: ConformanceKit,
  makeGroup: MakeStoreGroup,
  randomCommits: number,
): void {
  it(`agree after ${randomCommits} random commits, and saw the same`, () =>
    withGroup(makeGroup, async ({ clock, group, open }) => {
      const random = seededRandom('shared');
      const benches = [await open(), await open(), await open()];
      const seen = benches.map(({ store }) => {
        const listener = recorder();
        store.subscribe(listener);
        return listener;
      });
      for (let step = 0; step < randomCommits; step += 1) {
        const { store } = benches[random.int(3)] as Fixture;
        const boxes = new Map(
          store
            .view()
            .list(Box)
            .map((box) => [box.meta.id, box]),
        );
        const changes = randomChanges(boxes, random);
        await store.commit({ actor: 'tester', changes });
        if (random.int(4) === 0) await clock.advance(random.int(20));
      }
      await group.settle();
      const contents = benches.map(({ store }) => contentOf(store));
      expect(contents.map((content) => content === contents[0])).toEqual([true, true, true]);
      const streams = seen.map(({ commits }) => canonicalJson(commits));
      expect(streams.map((stream) => stream === streams[0])).toEqual([true, true, true]);
      expect(seen.map(({ ends }) => ends.length)).toEqual([0, 0, 0]);
    }));
}

function joinTests({ it, expect }: ConformanceKit, makeGroup: MakeStoreGroup): void {
  it('have what is there and the commits that the backend kept', () =>
    withGroup(makeGroup, async ({ group, open }) => {
      const one = await open();
      await one.commit(createBox({ id: 'a', finalizers: ['x'] }), createBox({ id: 'b' }));
      await one.commit({ type: 'delete', kind: 'Box', id: 'a' }, createNote('n'));
      await one.commit({ type: 'delete', kind: 'Box', id: 'b' });
      const two = await open();
      expect(contentOf(two.store)).toBe(contentOf(one.store));
      const seen = recorder();
      two.store.subscribe(seen, { fromRevision: 1 });
      await one.commit(createNote('m'));
      await group.settle();
      expect(seen.commits.map(summary)).toEqual([
        '2 updated Box a, created Note n',
        '3 deleted Box b',
        '4 created Note m',
      ]);
      expect((await two.commit(createBox({ id: 'b' }))).ok).toBe(true);
    }));

  it('find everything after the others are gone', () =>
    withGroup(makeGroup, async ({ open }) => {
      const one = await open();
      await one.commit(createBox({ id: 'a', name: 'Name' }, { color: 'red', tags: ['x'] }));
      await one.commit(update(withStatus(one.box('a'), { place: 'shelf' })));
      const content = contentOf(one.store);
      await one.store.close();
      const two = await open();
      expect(contentOf(two.store)).toBe(content);
      expect(two.store.view().getByName(Box, 'name')?.meta.id).toBe('a');
      expect(two.store.view().list(Box, { index: 'place', key: 'shelf' }).length).toBe(1);
      expect(await two.commit(update(two.box('a')))).toEqual({ ok: true, revision: 3 });
    }));

  it('are exact after a compaction at any revision', () =>
    withGroup(makeGroup, async ({ group, open }) => {
      const one = await open();
      for (const place of ['one', 'two', 'three', 'four']) {
        const box = one.store.view().get(Box, 'a');
        if (box === undefined) await one.commit(createBox({ id: 'a' }), createBox({ id: place }));
        else await one.commit(update(withStatus(box, { place })), createBox({ id: place }));
      }
      await one.commit({ type: 'delete', kind: 'Box', id: 'two' });
      await one.store.compact(3);
      await group.settle();
      const two = await open();
      expect(contentOf(two.store)).toBe(contentOf(one.store));
      const [seen, tooOld] = [recorder(), recorder()];
      two.store.subscribe(seen, { fromRevision: 3 });
      two.store.subscribe(tooOld, { fromRevision: 2 });
      await group.settle();
      expect(seen.commits.map(summary)).toEqual([
        '4 updated Box a, created Box four',
        '5 deleted Box two',
      ]);
      expect(seen.commits[0]?.events[0]?.previous?.status).toEqual({ place: 'three' });
      expect(tooOld.ends).toEqual(['compacted']);
    }));
}

/** Everything in a store as text: equal contents give equal texts. */
function contentOf(store: Store): string {
  const view = store.view();
  const objects = KINDS.flatMap((kind) => [...view.list(kind as typeof Box)]);
  const key = (object: (typeof objects)[number]): string => `${object.kind}/${object.meta.id}`;
  objects.sort((a, b) => compareText(key(a), key(b)));
  return canonicalJson({ revision: view.revision, objects });
}
