/**
 * A controller that makes one child for each parent, over a store whose view and watch lag at
 * random. The ids of the children do not follow from anything, so nothing but reading its own
 * writes keeps it from making one twice.
 */
import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@skep/api';
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
