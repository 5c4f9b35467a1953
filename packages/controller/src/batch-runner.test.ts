import { describe, expect, it } from '@jest/globals';
import { seededRandom, withStatus } from '@skep/api';
import type { View } from '@skep/store';
import { laggingStore } from './__fixtures__/lagging-store.js';
import { Child, child, Parent, parent, world, type World } from './__fixtures__/world.js';
import { create, update } from './changes.js';
import { startController } from './controller-group.js';
import type { Controller } from './controller.js';
import type { BatchController, BatchPlan, PassResult, PlanGroup } from './contract.js';

/** Marks every parent as seen, one group for each. */
function mark(view: View, keys: readonly string[]): BatchPlan {
  const groups = keys.flatMap((key): PlanGroup[] => {
    const object = view.get(Parent, key);
    if (object === undefined || object.status.seen === object.spec.wanted) return [];
    const next = withStatus(object, { seen: object.spec.wanted });
    return [{ keys: [key], changes: [update(next)] }];
  });
  return { groups };
}

async function run(
  made: World,
  definition: Omit<BatchController, 'name' | 'for'>,
): Promise<{ controller: Controller; results: PassResult[] }> {
  const results: PassResult[] = [];
  const full = { name: 'batch', for: Parent, ...definition };
  const controller = await startController(full, made.seams);
  controller.result$.subscribe((result) => results.push(result));
  await made.clock.flush();
  return { controller, results };
}

async function withParents(count: number, made: World = world()): Promise<World> {
  for (let i = 0; i < count; i += 1) await made.commit(create(parent(`${i}`)));
  return made;
}

describe('planBatch', () => {
  it('gets all dirty keys together', async () => {
    const made = await withParents(3);
    const batches: (readonly string[])[] = [];
    const { controller } = await run(made, {
      planBatch: (view, keys) => {
        batches.push(keys);
        return mark(view, keys);
      },
    });
    expect(batches).toEqual([
      ['0', '1', '2'],
      ['0', '1', '2'],
    ]);
    expect(controller.isIdle()).toBe(true);
  });

  it('gets at most batchMax keys in a pass', async () => {
    const made = await withParents(5);
    const sizes: number[] = [];
    await run(made, {
      batchMax: 2,
      planBatch: (_view, keys) => {
        sizes.push(keys.length);
        return { groups: [] };
      },
    });
    expect(sizes).toEqual([2, 2, 1]);
  });

  it('retries the keys of a group that met a conflict, and commits the others', async () => {
    const made = await withParents(3);
    let isFirst = true;
    const { results } = await run(made, {
      planBatch: (view, keys) => {
        if (isFirst) void made.edit('1', { wanted: 5 });
        isFirst = false;
        return mark(view, keys);
      },
    });
    const seen = made.store.view().list(Parent);
    expect(seen.map(({ meta, status }) => `${meta.id}:${status.seen}`).sort()).toEqual([
      '0:1',
      '1:5',
      '2:1',
    ]);
    const first = results.slice(0, 3).map(({ key, outcome }) => `${key} ${outcome}`);
    expect(first).toEqual(['0 committed', '1 conflict', '2 committed']);
  });

  it('counts a key of several groups as its worst', async () => {
    const made = await withParents(1);
    let passes = 0;
    const { results } = await run(made, {
      planBatch: () => {
        passes += 1;
        if (passes > 1) return { groups: [] };
        const conflicting = create(parent('0'));
        return {
          groups: [
            { keys: ['0'], changes: [create(child('x', '0'))] },
            { keys: ['0', 'elsewhere'], changes: [conflicting] },
            { keys: ['0'], changes: [create(child('y', '0'))] },
          ],
        };
      },
    });
    expect(made.store.view().count(Child)).toBe(2);
    expect(results[0]).toMatchObject({ key: '0', outcome: 'conflict', changes: 2, revision: 3 });
    expect(results.slice(1).map(({ key }) => key)).toEqual(['0', 'elsewhere']);
  });

  it('looks again at the times of the plan, and tells its events', async () => {
    const made = await withParents(2);
    const start = made.clock.now();
    const { controller } = await run(made, {
      planBatch: (view, _keys, now) => {
        const regarding = view.get(Parent, '0') ?? parent('0');
        return {
          groups: [],
          requeueAt: now === start ? new Map([['0', start + 500]]) : new Map(),
          events: [{ regarding, type: 'normal', reason: 'Seen', message: `${now - start}` }],
        };
      },
    });
    expect(controller.nextAt()).toBe(start + 500);
    await made.clock.advance(1000);
    expect(controller.nextAt()).toBeUndefined();
    expect(made.store.view().revision).toBe(4);
  });

  it('refuses a group that is too large, not the others', async () => {
    const made = await withParents(2);
    const { controller, results } = await run(made, {
      planBatch: (_view, keys) => ({
        groups: keys.map((key) => ({
          keys: [key],
          changes: Array.from({ length: key === '0' ? 201 : 200 }, (_, i) =>
            create(child(`${key}/${i}`, key)),
          ),
        })),
      }),
    });
    expect(results.slice(0, 2).map(({ outcome }) => outcome)).toEqual(['failed', 'committed']);
    expect(controller.explain('0').lastError).toMatch(/a group of 201 changes; most is 200/);
  });
});

describe('planBatch that throws', () => {
  it('isolates the poisoned key, and serves all others', async () => {
    const made = await withParents(64);
    const sizes: number[] = [];
    const withPoison: number[] = [];
    const { controller } = await run(made, {
      planBatch: (view, keys) => {
        sizes.push(keys.length);
        if (keys.includes('37')) withPoison.push(keys.length);
        if (keys.includes('37')) throw new Error('poison');
        return mark(view, keys);
      },
    });
    const seen = made.store.view().list(Parent);
    expect(seen.filter(({ status }) => status.seen === 1)).toHaveLength(63);
    expect(controller.explain('37')).toMatchObject({ state: 'backoff', lastError: 'poison' });
    expect(withPoison.splice(0)).toEqual([64, 32, 16, 8, 4, 2, 1]);
    expect(sizes.length).toBeLessThan(40);
    for (let i = 0; i < 64; i += 1) if (i !== 37) await made.edit(`${i}`, { wanted: 2 });
    await made.clock.advance(5);
    expect(controller.explain('37').attempts).toBe(2);
    expect(withPoison).toEqual([1]);
    const messages = new Set(made.logs.map(({ message }) => message));
    expect([...messages]).toEqual(['batch failed, trying smaller ones', 'reconcile failed']);
  });

  it('treats a requeueAt that is no time the same way', async () => {
    const made = await withParents(1);
    const { controller } = await run(made, {
      planBatch: () => ({ groups: [], requeueAt: new Map([['0', Infinity]]) }),
    });
    expect(controller.explain('0').lastError).toMatch(/not a time/);
  });
});

describe('planBatch on a view that lags', () => {
  it('sees all that its last pass wrote, about whatever key', async () => {
    // Each parent takes the lowest number that no other has: stale reads would give one twice.
    const inner = world();
    const lag = { clock: inner.clock, random: seededRandom('lag'), delayMsMax: 40 };
    const store = laggingStore(inner.store, lag);
    const made: World = {
      ...inner,
      store,
      seams: { ...inner.seams, store },
      commit: (...changes) => store.commit({ actor: 'user', changes }),
    };
    const planBatch = (view: View, keys: readonly string[]): BatchPlan => {
      const taken = new Set(view.list(Parent).map(({ status }) => status.seen));
      const groups = keys.flatMap((key): PlanGroup[] => {
        const object = view.get(Parent, key);
        if (object === undefined || object.status.seen !== undefined) return [];
        let seen = 0;
        while (taken.has(seen)) seen += 1;
        taken.add(seen);
        return [{ keys: [key], changes: [update(withStatus(object, { seen }))] }];
      });
      return { groups };
    };
    const { controller } = await run(made, { planBatch });
    for (let i = 0; i < 60; i += 1) {
      await made.commit(create(parent(`${i}`)));
      await made.clock.advance(lag.random.int(12));
    }
    await made.clock.advance(5000);
    const numbers = store
      .view()
      .list(Parent)
      .map(({ status }) => status.seen ?? -1);
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i));
    expect(controller.isIdle()).toBe(true);
  });
});
