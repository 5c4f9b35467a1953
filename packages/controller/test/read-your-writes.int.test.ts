/**
 * A controller that makes one child for each parent, over a store whose view and watch lag at
 * random. The ids of the children do not follow from anything, so nothing but reading its own
 * writes keeps it from making one twice.
 */
import { describe, expect, it } from '@jest/globals';
import { compareText, seededRandom } from '@skep/api';
import type { Change, View } from '@skep/store';
import { laggingStore } from '../src/__fixtures__/lagging-store.js';
import { Child, child, childrenOf, Parent, parent, world } from '../src/__fixtures__/world.js';
import { create, noChanges } from '../src/changes.js';
import { ControllerGroup } from '../src/controller-group.js';
import type { ControllerDefinition } from '../src/contract.js';

const PARENTS = 500;

interface Counters {
  made: number;
  passes: number;
}

function childFor(view: View, key: string, counters: Counters): readonly Change[] {
  counters.passes += 1;
  if (view.get(Parent, key) === undefined || view.count(Child, childrenOf(key)) > 0) return [];
  counters.made += 1;
  return [create(child(`child ${counters.made}`, key))];
}

const base = { name: 'one-child', for: Parent, owns: [Child] } as const;

const forms: Record<string, (counters: Counters) => ControllerDefinition> = {
  plan: (counters) => ({
    ...base,
    plan: (view, key) => {
      const changes = childFor(view, key, counters);
      return changes.length === 0 ? noChanges : { changes };
    },
  }),
  planBatch: (counters) => ({
    ...base,
    batchMax: 20,
    planBatch: (view, keys) => ({
      groups: keys.map((key) => ({ keys: [key], changes: childFor(view, key, counters) })),
    }),
  }),
  reconcile: (counters) => ({
    ...base,
    concurrency: 8,
    reconcile: async ({ view, commit }, key) => {
      const changes = childFor(view, key, counters);
      if (changes.length > 0) await commit(changes);
      return undefined;
    },
  }),
};

describe.each(Object.keys(forms))('one child per parent, by %s', (form) => {
  it.each([1, 2])('never a duplicate, though the view lags (seed %d)', async (seed) => {
    const inner = world();
    const random = seededRandom(seed);
    const store = laggingStore(inner.store, { clock: inner.clock, random, delayMsMax: 300 });
    const counters: Counters = { made: 0, passes: 0 };
    const group = new ControllerGroup({ ...inner.seams, store });
    group.add((forms[form] as (typeof forms)[string])(counters));
    await group.start();
    for (let i = 0; i < PARENTS; i += 1) {
      await store.commit({ actor: 'user', changes: [create(parent(`${i}`))] });
      // Somebody keeps touching parents, so that keys are woken while their view is old.
      await touch(`${random.int(i + 1)}`);
      if (i % 5 === 0) await inner.clock.advance(random.int(20));
    }
    await inner.clock.advance(60_000);
    expect(store.view().count(Child)).toBe(PARENTS);
    expect(counters.made).toBe(PARENTS);
    expect(counters.passes).toBeGreaterThan(PARENTS);
    expect([group.isIdle(), group.pending()]).toEqual([true, []]);
    await group.stop();

    async function touch(id: string): Promise<void> {
      const object = inner.store.view().get(Parent, id) ?? parent(id);
      const next = { ...object, spec: { ...object.spec, note: `${random.int(1000)}` } };
      await store.commit({ actor: 'user', changes: [{ type: 'update', object: next }] });
    }
  });
});

describe('ten thousand parents', () => {
  it.each(['plan', 'planBatch'])('have one child each, by %s', async (form) => {
    const parents = 10_000;
    const inner = world();
    const random = seededRandom(`ten thousand, ${form}`);
    const store = laggingStore(inner.store, { clock: inner.clock, random, delayMsMax: 500 });
    const counters: Counters = { made: 0, passes: 0 };
    const group = new ControllerGroup({ ...inner.seams, store });
    group.add((forms[form] as (typeof forms)[string])(counters));
    await group.start();
    for (let at = 0; at < parents; at += 100) {
      const ids = Array.from({ length: 100 }, (_, i) => `${at + i}`);
      await store.commit({ actor: 'user', changes: ids.map((id) => create(parent(id))) });
      // Old and new parents are touched while views are old: their keys wake again and again.
      const touched = new Set(Array.from({ length: 50 }, () => `${random.int(at + 100)}`));
      const changes = [...touched].sort(compareText).map((id): Change => {
        const object = inner.store.view().get(Parent, id) ?? parent(id);
        const spec = { ...object.spec, note: `${random.int(1000)}` };
        return { type: 'update', object: { ...object, spec } };
      });
      await store.commit({ actor: 'user', changes });
      await inner.clock.advance(random.int(100));
    }
    await inner.clock.advance(600_000);
    expect([group.isIdle(), group.pending()]).toEqual([true, []]);
    const owners = store
      .view()
      .list(Child)
      .map(({ spec }) => spec.parentId);
    expect([owners.length, new Set(owners).size]).toEqual([parents, parents]);
    // Not only no duplicate is left: none was ever asked for.
    expect(counters.made).toBe(parents);
    expect(counters.passes).toBeGreaterThan(parents);
    await group.stop();
  });
});
