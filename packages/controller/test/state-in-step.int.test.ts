/**
 * Law 1 for memory that a controller keeps: at every pass it says what the view says, also while
 * the view runs ahead of the watch, or behind it.
 */
import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@skep/api';
import { laggingStore } from '../src/__fixtures__/lagging-store.js';
import { Child, child, childrenOf, Parent, parent, world } from '../src/__fixtures__/world.js';
import { create, noChanges } from '../src/changes.js';
import { ControllerGroup } from '../src/controller-group.js';
import type { PlanController } from '../src/contract.js';

describe('state and caches', () => {
  it.each([1, 2, 3])('are in step with the view of every pass (seed %d)', async (seed) => {
    const inner = world();
    const random = seededRandom(seed);
    const store = laggingStore(inner.store, { clock: inner.clock, random, delayMsMax: 60 });
    const group = new ControllerGroup({ ...inner.seams, store });
    const cache = group.informer(Child);
    let count = 0;
    const faults: string[] = [];
    let passes = 0;
    const counting: PlanController = {
      name: 'counting',
      for: Parent,
      owns: [Child],
      caches: [cache],
      state: {
        rebuild: (view) => {
          count = view.count(Child);
        },
        observe: (events) => {
          for (const { type, object } of events) {
            if (object.kind === 'Child' && type === 'created') count += 1;
          }
        },
      },
      plan: (view, key) => {
        passes += 1;
        const there = view.count(Child);
        if (count !== there) faults.push(`state ${count}, view ${there}`);
        if (cache.size !== there) faults.push(`cache ${cache.size}, view ${there}`);
        const mine = view.count(Child, childrenOf(key));
        return mine >= 2 ? noChanges : { changes: [create(child(`${key}/${mine}`, key))] };
      },
    };
    await group.add(counting).start();
    for (let i = 0; i < 60; i += 1) {
      await store.commit({ actor: 'user', changes: [create(parent(`${i}`))] });
      if (i % 3 === 0) await inner.clock.advance(random.int(15));
    }
    await inner.clock.advance(10_000);
    expect(faults).toEqual([]);
    expect(passes).toBeGreaterThan(120);
    expect([store.view().count(Child), group.isIdle()]).toEqual([120, true]);
    await group.stop();
  });
});
