import { describe, expect, it } from '@jest/globals';
import { isSkepError, sleepUntil, withStatus } from '@skep/api';
import { Event } from '@skep/api';
import { Child, child, Parent, parent, world, type World } from './__fixtures__/world.js';
import { create, update } from './changes.js';
import { startController } from './controller-group.js';
import type { Controller } from './controller.js';
import type { AsyncController } from './contract.js';

async function run(
  made: World,
  definition: Omit<AsyncController, 'name' | 'for'>,
): Promise<Controller> {
  const full = { name: 'async', for: Parent, ...definition };
  const controller = await startController(full, made.seams, { sliceKeys: 3 });
  await made.clock.flush();
  return controller;
}

async function withParents(count: number): Promise<World> {
  const made = world();
  for (let i = 0; i < count; i += 1) await made.commit(create(parent(`${i}`)));
  return made;
}

describe('reconcile', () => {
  it('runs over several keys at a time, never twice over one', async () => {
    const made = await withParents(7);
    const running = new Set<string>();
    let most = 0;
    let passes = 0;
    const controller = await run(made, {
      concurrency: 3,
      reconcile: async (context, key) => {
        expect(running.has(key)).toBe(false);
        running.add(key);
        passes += 1;
        most = Math.max(most, running.size);
        await sleepUntil(made.clock, context.now + 10);
        running.delete(key);
        return undefined;
      },
    });
    expect(controller.status()).toMatchObject({ active: 3, depth: 4 });
    for (let i = 0; i < 7; i += 1) await made.edit(`${i}`, { wanted: 2 });
    await made.clock.flush();
    expect(controller.status()).toMatchObject({ active: 3, depth: 7 });
    await made.clock.advance(1000);
    expect([most, passes]).toEqual([3, 10]);
    expect(controller.isIdle()).toBe(true);
  });

  it('lets a slow key block nothing but itself', async () => {
    const made = await withParents(3);
    const finished: string[] = [];
    await run(made, {
      concurrency: 2,
      reconcile: async ({ now }, key) => {
        if (key === '0') await sleepUntil(made.clock, now + 1_000_000);
        finished.push(key);
        return undefined;
      },
    });
    await made.edit('1', { wanted: 2 });
    await made.clock.flush();
    expect(finished).toEqual(['1', '2', '1']);
  });

  it('commits as the controller, and waits for its own writes', async () => {
    const made = await withParents(1);
    const actors = new Set<string>();
    made.store.subscribe({ commit: ({ actor }) => actors.add(actor), ended: () => undefined });
    let passes = 0;
    await run(made, {
      reconcile: async ({ view, commit, event }, key) => {
        passes += 1;
        const object = view.get(Parent, key);
        if (object === undefined || object.status.seen === 1) return undefined;
        const first = await commit([create(child('x', key))]);
        const second = await commit([update(withStatus(object, { seen: 1 }))]);
        expect(second).toBe(first + 1);
        event({ regarding: object, type: 'normal', reason: 'Made', message: 'one child' });
        return undefined;
      },
    });
    await made.clock.advance(100);
    expect([...actors]).toEqual(['async', 'events']);
    expect(made.store.view().count(Event)).toBe(1);
    expect([passes, made.store.view().count(Child)]).toEqual([2, 1]);
  });

  it('looks again when it asked to', async () => {
    const made = await withParents(1);
    const start = made.clock.now();
    const times: number[] = [];
    await run(made, {
      reconcile: ({ now }) => {
        times.push(now - start);
        return Promise.resolve(now < start + 300 ? { requeueAt: now + 100 } : undefined);
      },
    });
    await made.clock.advance(10_000);
    expect(times).toEqual([0, 100, 200, 300]);
  });

  it('is retried at once after a conflict that it lets through', async () => {
    const made = await withParents(1);
    const start = made.clock.now();
    let passes = 0;
    const controller = await run(made, {
      reconcile: async ({ view, commit }, key) => {
        passes += 1;
        const object = view.get(Parent, key);
        if (object === undefined || object.status.seen === object.spec.wanted) return undefined;
        if (passes === 1) await made.edit(key, { wanted: 2 });
        await commit([update(withStatus(object, { seen: object.spec.wanted }))]);
        return undefined;
      },
    });
    expect([passes, made.clock.now()]).toEqual([3, start]);
    expect(made.store.view().get(Parent, '0')?.status.seen).toBe(2);
    expect(made.logs).toEqual([]);
    expect(controller.isIdle()).toBe(true);
  });

  it('may catch a conflict itself', async () => {
    const made = await withParents(1);
    const controller = await run(made, {
      reconcile: async ({ commit }, key) => {
        try {
          await commit([create(parent(key))]);
        } catch (error) {
          expect(isSkepError(error, 'conflict')).toBe(true);
        }
        return undefined;
      },
    });
    expect(controller.isIdle()).toBe(true);
    expect(controller.explain('0').attempts).toBe(0);
  });

  it('backs off when it throws, synchronously or later', async () => {
    const made = await withParents(2);
    const controller = await run(made, {
      reconcile: (_context, key) => {
        if (key === '0') throw new Error('at once');
        return Promise.reject(new Error('later'));
      },
    });
    expect(controller.status().failing).toBe(2);
    expect(controller.explain('0').lastError).toBe('at once');
    expect(controller.explain('1').lastError).toBe('later');
  });

  it('hears of the stop, which waits for it, but not for ever', async () => {
    const made = await withParents(2);
    const story: string[] = [];
    const controller = await run(made, {
      concurrency: 2,
      reconcile: async ({ signal }, key) => {
        await new Promise<void>((resolve) => {
          // Key 1 does not listen.
          if (key === '0') signal.addEventListener('abort', () => resolve());
        });
        story.push(`${key} ended`);
        return undefined;
      },
    });
    void controller.stop().then(() => story.push('stopped'));
    await made.clock.advance(29_999);
    expect(story).toEqual(['0 ended']);
    await made.clock.advance(1);
    expect(story).toEqual(['0 ended', 'stopped']);
    expect(made.logs.map(({ message }) => message)).toEqual(['stopped with passes under way']);
  });
});
