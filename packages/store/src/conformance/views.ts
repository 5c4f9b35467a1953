/**
 * Views: consistent, immutable, exact for as long as they are held.
 */
import {
  byIndex,
  compareText,
  isEqual,
  seededRandom,
  withStatus,
  type IndexKeys,
  type StoredObject,
} from '@skep/api';
import type { View } from '../contract.js';
import {
  Box,
  Note,
  codeOfCall,
  conflictOf,
  createBox,
  update,
  withStore,
  type Fixture,
  type BoxSpec,
  type BoxStatus,
  type ConformanceKit,
  type MakeStore,
} from './kit.js';
import { NAMES, WORDS, modelCommit, randomChanges, type ModelState } from './model.js';

/** Registers the tests of views. */
export function viewSuite(kit: ConformanceKit, makeStore: MakeStore, randomCommits: number): void {
  kit.describe('views', () => readTests(kit, makeStore));
  kit.describe('old views', () => oldViewTests(kit, makeStore, randomCommits));
}

function readTests({ it, expect }: ConformanceKit, makeStore: MakeStore): void {
  it('are the same object until something is committed', () =>
    withStore(makeStore, async ({ commit, store }) => {
      const empty = store.view();
      expect(store.view()).toBe(empty);
      await commit(createBox({ id: 'a' }));
      const view = store.view();
      expect(view === empty).toBe(false);
      expect(store.view()).toBe(view);
      await commit(createBox({ id: 'a' }));
      expect(store.view()).toBe(view);
    }));

  it('list by index: one key, several keys, none', () =>
    withStore(makeStore, async ({ commit, store }) => {
      await commit(
        createBox({ id: 'a' }, { color: 'red', tags: ['x', 'y'] }),
        createBox({ id: 'b' }, { color: 'red', tags: ['y', 'y'] }),
        createBox({ id: 'c' }),
      );
      const view = store.view();
      const found = (index: string, key: string) => [
        idsOf(view.list(Box, byIndex(Box, index, key))).join(),
        view.count(Box, byIndex(Box, index, key)),
      ];
      expect(found('color', 'red')).toEqual(['a,b', 2]);
      expect(found('tag', 'x')).toEqual(['a', 1]);
      expect(found('tag', 'y')).toEqual(['a,b', 2]);
      expect(found('color', 'blue')).toEqual(['', 0]);
      expect([idsOf(view.list(Box)).join(), view.count(Box)]).toEqual(['a,b,c', 3]);
    }));

  it('follow an object from key to key', () =>
    withStore(makeStore, async ({ commit, box, store }) => {
      await commit(createBox({ id: 'a' }), createBox({ id: 'b' }));
      await commit(update(withStatus(box('a'), { place: 'shelf' })));
      await commit(update(withStatus(box('b'), { place: 'shelf' })));
      await commit(update(withStatus(box('a'), { place: 'floor' })));
      const at = (key: string) => idsOf(store.view().list(Box, byIndex(Box, 'place', key)));
      expect([at('shelf'), at('floor')]).toEqual([['b'], ['a']]);
      await commit({ type: 'delete', kind: 'Box', id: 'b' });
      expect([at('shelf'), at('floor')]).toEqual([[], ['a']]);
    }));

  it('refuse kinds and indexes that are not there', () =>
    withStore(makeStore, async ({ store }) => {
      const view = store.view();
      const alien = { ...Box, name: 'Alien' };
      expect(codeOfCall(() => view.get(alien, 'a'))).toBe('invalid-argument');
      expect(codeOfCall(() => view.list(alien))).toBe('invalid-argument');
      expect(codeOfCall(() => view.list(Box, byIndex(Box, 'weight', '1')))).toBe(
        'invalid-argument',
      );
      await Promise.resolve();
    }));
}

function oldViewTests(kit: ConformanceKit, makeStore: MakeStore, randomCommits: number): void {
  const { it, expect } = kit;
  it('keep what was deleted, hide what came later', () =>
    withStore(makeStore, async ({ commit, box, store }) => {
      await commit(createBox({ id: 'a', name: 'one' }, { color: 'red' }));
      const old = store.view();
      await commit(update(withStatus(box('a'), { place: 'shelf' })));
      await commit({ type: 'delete', kind: 'Box', id: 'a' });
      await commit(createBox({ id: 'b', name: 'one' }, { color: 'red' }));
      expect([old.revision, store.view().revision]).toEqual([1, 4]);
      expect(old.get(Box, 'a')?.status).toEqual({});
      expect(old.get(Box, 'b')).toBe(undefined);
      expect(old.getByName(Box, 'ONE')?.meta.id).toBe('a');
      expect(idsOf(old.list(Box, byIndex(Box, 'color', 'red')))).toEqual(['a']);
      expect([
        old.count(Box),
        old.count(Note),
        old.count(Box, byIndex(Box, 'place', 'shelf')),
      ]).toEqual([1, 0, 0]);
    }));

  it(`stay exact under ${randomCommits} random commits`, () =>
    withStore(makeStore, (fixture) => compareWithModel(kit, fixture, randomCommits)));
}

/** Commits at random to the store and to the model; views of any age must be what the model was. */
async function compareWithModel(
  { expect }: ConformanceKit,
  { store, clock }: Fixture,
  randomCommits: number,
): Promise<void> {
  const random = seededRandom('views');
  const held: { readonly view: View; readonly state: ModelState }[] = [];
  let state: ModelState = new Map();
  for (let step = 0; step < randomCommits; step += 1) {
    const changes = randomChanges(state, random);
    const stamp = { revision: store.view().revision + 1, now: clock.now() };
    const wanted = modelCommit(state, changes, stamp);
    const result = await store.commit({ actor: 'tester', changes });
    const reason = conflictOf(result)?.reason;
    if (reason !== (wanted.ok ? undefined : wanted.reason)) {
      expect({ step, reason }).toEqual({ step, ...wanted });
    }
    if (wanted.ok) ({ state } = wanted);
    const place = held.length < 40 ? held.length : random.int(40);
    held[place] = { view: store.view(), state };
    const { view, state: then } = held[random.int(held.length)] as (typeof held)[number];
    expectSame({ expect }, view, then, `view ${view.revision} after step ${step}`);
  }
  for (const { view, state: then } of held) {
    expectSame({ expect }, view, then, `view ${view.revision} at the end`);
  }
}

/** Compares all that a view can be asked with the model's state. */
function expectSame(
  { expect }: Pick<ConformanceKit, 'expect'>,
  view: View,
  state: ModelState,
  what: string,
): void {
  const wanted = [...state.values()].sort(byId);
  expectEqual(expect, what, [...view.list(Box)].sort(byId), wanted);
  expectEqual(expect, what, view.count(Box), wanted.length);
  for (let number = 0; number < 30; number += 1) {
    const id = `box${number}`;
    expectEqual(expect, `${what}: ${id}`, view.get(Box, id), state.get(id));
  }
  for (const name of NAMES) {
    const named = wanted.find(({ meta }) => meta.name.toLowerCase() === name.toLowerCase());
    expectEqual(expect, `${what}: name ${name}`, view.getByName(Box, name), named);
  }
  for (const [index, keysOf] of Object.entries(Box.indexes)) {
    for (const word of WORDS) {
      const selector = byIndex(Box, index, word);
      const under = wanted.filter((box) => hasKey(keysOf(box), word));
      expectEqual(
        expect,
        `${what}: ${index} ${word}`,
        [...view.list(Box, selector)].sort(byId),
        under,
      );
      expectEqual(expect, `${what}: ${index} ${word}`, view.count(Box, selector), under.length);
    }
  }
}

/** Compares first and asserts then: assertions cost more than a hundred thousand comparisons. */
function expectEqual(
  expect: ConformanceKit['expect'],
  what: string,
  actual: unknown,
  wanted: unknown,
): void {
  if (!isEqual(actual, wanted)) expect({ what, actual }).toEqual({ what, actual: wanted });
}

function hasKey(keys: IndexKeys, key: string): boolean {
  return typeof keys === 'string' ? keys === key : (keys ?? []).includes(key);
}

function byId(a: StoredObject<BoxSpec, BoxStatus>, b: StoredObject<BoxSpec, BoxStatus>): number {
  return compareText(a.meta.id, b.meta.id);
}

function idsOf(objects: readonly StoredObject[]): readonly string[] {
  return objects.map((object) => object.meta.id).sort(compareText);
}
