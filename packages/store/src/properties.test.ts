/** Laws of the store under fast-check: shrinkable scenarios next to the suites' seeded ones. */
import { describe, expect, it } from '@jest/globals';
import { canonicalJson, compareText, seededRandom, type Random } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import * as fc from 'fast-check';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Box, KINDS, fixtureOf, createBox, recorder, turns, update } from './conformance/kit.js';
import { modelCommit, randomChanges, type ModelState } from './conformance/model.js';
import {
  memoryStore,
  openStore,
  sharedMemoryLog,
  type CommitEvent,
  type CommitRecord,
  type Store,
  type View,
} from './index.js';
import { recordOf } from './commit-record.js';

function boxesOf(view: View): readonly Box[] {
  return [...view.list(Box)].sort((a, b) => compareText(a.meta.id, b.meta.id));
}

function textOf(view: View): string {
  return canonicalJson(boxesOf(view));
}

/** One random commit on what the store shows. */
function commitRandomly(store: Store, random: Random): Promise<unknown> {
  const state: ModelState = new Map(
    store
      .view()
      .list(Box)
      .map((box) => [box.meta.id, box]),
  );
  return store.commit({ actor: 'tester', changes: randomChanges(state, random) });
}

/** The boxes after a sequence of commits. */
function replayed(commits: readonly CommitEvent[], onto: readonly Box[]): string {
  const boxes = new Map(onto.map((box) => [box.meta.id, box]));
  for (const { type, object } of commits.flatMap((commit) => commit.events)) {
    if (type === 'deleted') boxes.delete(object.meta.id);
    else boxes.set(object.meta.id, object as Box);
  }
  return canonicalJson([...boxes.values()].sort((a, b) => compareText(a.meta.id, b.meta.id)));
}

describe('properties', () => {
  it('a commit does what the model does, or meets the conflict that the model meets', async () => {
    const property = fc.asyncProperty(fc.array(fc.nat(), { maxLength: 20 }), async (seeds) => {
      const clock = new VirtualClock();
      const store = memoryStore({ kinds: KINDS, clock });
      let state: ModelState = new Map();
      for (const seed of seeds) {
        const changes = randomChanges(state, seededRandom(seed));
        const stamp = { revision: store.view().revision + 1, now: clock.now() };
        const wanted = modelCommit(state, changes, stamp);
        const result = await store.commit({ actor: 'tester', changes });
        expect(result.ok ? 'ok' : result.conflict.reason).toBe(wanted.ok ? 'ok' : wanted.reason);
        if (wanted.ok) ({ state } = wanted);
      }
      expect(boxesOf(store.view())).toEqual(
        [...state.values()].sort((a, b) => compareText(a.meta.id, b.meta.id)),
      );
    });
    await fc.assert(property, { numRuns: 50 });
  });

  it('an old view and the commits after it give every later view', async () => {
    const steps = fc.integer({ min: 1, max: 30 });
    const property = fc.asyncProperty(fc.nat(), steps, async (seed, count) => {
      const random = seededRandom(seed);
      const store = memoryStore({ kinds: KINDS, clock: new VirtualClock() });
      const views = [{ view: store.view(), text: textOf(store.view()) }];
      const seen = recorder();
      store.subscribe(seen);
      for (let step = 0; step < count; step += 1) {
        await commitRandomly(store, random);
        const view = store.view();
        if (views.at(-1)?.view !== view) views.push({ view, text: textOf(view) });
      }
      await turns();
      const [from, to] = [random.int(views.length), random.int(views.length)].sort((a, b) => a - b);
      const [old, young] = [views[from ?? 0], views[to ?? 0]];
      if (old === undefined || young === undefined) throw new Error('no such view');
      expect(textOf(old.view)).toBe(old.text);
      const between = seen.commits.filter(
        ({ revision }) => revision > old.view.revision && revision <= young.view.revision,
      );
      expect(replayed(between, boxesOf(old.view))).toBe(young.text);
    });
    await fc.assert(property, { numRuns: 50 });
  });

  it('a follower that hears of commits in any order ends where the writer is', async () => {
    const property = fc.asyncProperty(fc.nat(), fc.nat({ max: 20 }), async (seed, count) => {
      const random = seededRandom(seed);
      const store = memoryStore({ kinds: KINDS, clock: new VirtualClock() });
      const seen = recorder();
      store.subscribe(seen);
      for (let step = 0; step < count; step += 1) await commitRandomly(store, random);
      await turns();
      const records = seen.commits.map(recordOf);
      const heard = records.flatMap((record) =>
        random.int(3) === 0 ? [record, record] : [record],
      );
      for (let at = heard.length - 1; at > 0; at -= 1) {
        const other = random.int(at + 1);
        [heard[at], heard[other]] = [heard[other] as CommitRecord, heard[at] as CommitRecord];
      }
      const follower = await followerOf(heard);
      const followed = recorder();
      follower.subscribe(followed, { fromRevision: 0 });
      await turns();
      expect(textOf(follower.view())).toBe(textOf(store.view()));
      expect(canonicalJson(followed.commits)).toBe(canonicalJson(seen.commits));
    });
    await fc.assert(property, { numRuns: 50 });
  });

  it('stores on one late log agree, and every commit is one revision', async () => {
    const property = fc.asyncProperty(fc.nat(), fc.nat({ max: 30 }), async (seed, count) => {
      const random = seededRandom(seed);
      const clock = new VirtualClock({ turn: turns });
      const log = sharedMemoryLog({ clock, deliveryDelayMs: () => random.int(30), commitsMax: 5 });
      const open = () => openStore({ kinds: KINDS, clock, backend: log.backend() });
      const stores = [await open(), await open()];
      const pending: Promise<unknown>[] = [];
      for (let step = 0; step < count; step += 1) {
        pending.push(commitRandomly(stores[random.int(stores.length)] as Store, random));
        if (random.int(3) === 0) await clock.advance(random.int(20));
        if (random.int(10) === 0) stores.push(await open());
        if (random.int(10) === 0) await stores[0]?.compact(random.int(log.revision + 1));
      }
      await Promise.all(pending);
      await clock.advance(10_000);
      const revisions = stores.map((store) => store.view().revision);
      expect(revisions).toEqual(stores.map(() => log.revision));
      const texts = new Set(stores.map((store) => textOf(store.view())));
      expect(texts.size).toBe(1);
    });
    await fc.assert(property, { numRuns: 50 });
  });
});

describe('memory', () => {
  it('of what was replaced is free when neither a view nor the log holds it', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const clock = new VirtualClock();
    const store = memoryStore({ kinds: KINDS, clock, log: { commitsMax: 1 } });
    const { commit, box } = fixtureOf(store, clock);
    await commit(createBox({ id: 'a' }));
    const held = store.view();
    const replaced: WeakRef<object>[] = [];
    for (let number = 0; number < 5; number += 1) {
      replaced.push(new WeakRef(box('a')));
      await commit(update(box('a')));
    }
    // The held view has to keep its own version of the box, and once it was read, only that.
    expect(held.get(Box, 'a')?.meta.version).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    // The last one is `previous` of the commit that the log keeps.
    const isThere = replaced.map((reference) => reference.deref() !== undefined);
    expect(isThere).toEqual([true, false, false, false, true]);
    expect(held.get(Box, 'a')?.meta.version).toBe(1);
  });
});

/** A store that hears of these commits from its backend. */
async function followerOf(heard: readonly CommitRecord[]): Promise<Store> {
  let listener: (record: CommitRecord) => void = () => undefined;
  const store = await openStore({
    kinds: KINDS,
    clock: new VirtualClock(),
    backend: {
      load: () => Promise.resolve({ revision: 0, objects: [], commits: [] }),
      append: () => Promise.resolve('appended'),
      subscribe: (given) => {
        listener = given;
        return { unsubscribe: () => undefined };
      },
      compact: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
  });
  for (const record of heard) listener(record);
  return store;
}
