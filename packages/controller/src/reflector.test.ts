import { describe, expect, it } from '@jest/globals';
import { SkepError, seededRandom } from '@skep/api';
import type { Store } from '@skep/store';
import { laggingStore } from './__fixtures__/lagging-store.js';
import { parent, world, type World } from './__fixtures__/world.js';
import { create } from './changes.js';
import { Reflector, type ReflectorListener } from './reflector.js';

function listening(reflector: Reflector): { heard: string[]; listener: ReflectorListener } {
  const heard: string[] = [];
  const listener: ReflectorListener = {
    commit: (event, view) => {
      expect(view.revision).toBeGreaterThanOrEqual(event.revision);
      expect(reflector.revision).toBe(event.revision);
      heard.push(`commit ${event.revision}`);
    },
    reset: (view) => heard.push(`reset ${view.revision}`),
  };
  return { heard, listener };
}

function setUp(options: Parameters<typeof world>[0] = {}): World & { reflector: Reflector } {
  const made = world(options);
  return { ...made, reflector: new Reflector(made.seams) };
}

/** A store whose watch ends when told to. */
function breakable(inner: Store): { store: Store; end: (reason: Error) => void } {
  const ends = new Set<(reason: Error) => void>();
  const store: Store = {
    kinds: inner.kinds,
    view: () => inner.view(),
    commit: (transaction) => inner.commit(transaction),
    batch: (transaction) => inner.batch(transaction),
    watch: (selector, from) => inner.watch(selector, from),
    watchAsync: (selector, from, signal) => inner.watchAsync(selector, from, signal),
    subscribe: (listener, subscribeOptions) => {
      const subscription = inner.subscribe(listener, subscribeOptions);
      ends.add((reason) => {
        subscription.unsubscribe();
        listener.ended(reason);
      });
      return subscription;
    },
    waitFor: (revision) => inner.waitFor(revision),
    compact: (revision) => inner.compact(revision),
    close: () => inner.close(),
  };
  return {
    store,
    end: (reason) => {
      const all = [...ends];
      ends.clear();
      for (const end of all) end(reason);
    },
  };
}

describe('Reflector', () => {
  it('resets each listener first, then tells every commit after that', async () => {
    const { reflector, commit, clock } = setUp();
    const early = listening(reflector);
    reflector.join(early.listener);
    await commit(create(parent('a')));
    reflector.start();
    await commit(create(parent('b')));
    await clock.flush();
    const late = listening(reflector);
    const membership = reflector.join(late.listener);
    await commit(create(parent('c')));
    await clock.flush();
    membership.leave();
    await commit(create(parent('d')));
    await clock.flush();
    expect(early.heard).toEqual(['reset 1', 'commit 2', 'commit 3', 'commit 4']);
    expect(late.heard).toEqual(['reset 2', 'commit 3']);
    expect([reflector.isInStep, reflector.isCaughtUp]).toEqual([true, true]);
  });

  it('keeps a view in step with what it has told', async () => {
    const { reflector, store } = setUp();
    reflector.start();
    const steps: boolean[] = [];
    reflector.join({
      reset: () => undefined,
      commit: () => {
        steps.push(reflector.isInStep);
        if (reflector.isInStep) expect(reflector.view.revision).toBe(reflector.revision);
      },
    });
    for (const id of ['a', 'b', 'c']) {
      void store.commit({ actor: 'user', changes: [create(parent(id))] });
    }
    expect(reflector.isCaughtUp).toBe(false);
    await store.waitFor(3);
    await Promise.resolve();
    expect(steps).toEqual([false, false, true]);
  });

  it('lets a listener that joins amid a burst wait for its end', async () => {
    const { reflector, store, clock } = setUp();
    reflector.start();
    const late = listening(reflector);
    reflector.join({
      reset: () => undefined,
      commit: ({ revision }) => {
        if (revision === 1) reflector.join(late.listener);
      },
    });
    for (const id of ['a', 'b', 'c']) {
      void store.commit({ actor: 'user', changes: [create(parent(id))] });
    }
    await clock.flush();
    expect(late.heard).toEqual(['reset 3']);
    await store.commit({ actor: 'user', changes: [create(parent('d'))] });
    await clock.flush();
    expect(late.heard).toEqual(['reset 3', 'commit 4']);
  });

  it('starts again from the newest view when it was too slow', async () => {
    const { reflector, store, clock, logs } = setUp({ bufferMax: 2 });
    reflector.start();
    const { heard, listener } = listening(reflector);
    reflector.join(listener);
    for (const id of ['a', 'b', 'c', 'd']) {
      void store.commit({ actor: 'user', changes: [create(parent(id))] });
    }
    await clock.flush();
    expect(heard).toEqual(['reset 0', 'reset 4']);
    expect(logs.map(({ message }) => message)).toEqual(['watch ended, listing again']);
    await store.commit({ actor: 'user', changes: [create(parent('e'))] });
    await clock.flush();
    expect(heard).toEqual(['reset 0', 'reset 4', 'commit 5']);
  });

  it('backs off while the watch keeps failing, without keeping a cluster unsettled', async () => {
    const ends: ((reason: Error) => void)[] = [];
    const { reflector, clock, commit, logs } = setUp({
      store: (inner) => {
        const { store, end } = breakable(inner);
        ends.push(end);
        return store;
      },
    });
    reflector.start();
    const { heard, listener } = listening(reflector);
    reflector.join(listener);
    const delays: unknown[] = [];
    for (let i = 0; i < 8; i += 1) {
      ends[0]?.(new SkepError('unavailable', 'gone'));
      expect(reflector.isInStep).toBe(false);
      expect(clock.nextTimer()).toBeUndefined();
      delays.push(logs.at(-1)?.fields['delayMs']);
      await clock.advance(70_000);
    }
    expect(heard).toHaveLength(9);
    delays.forEach((delay, attempt) => {
      const base = Math.min(800 * 2 ** attempt, 30_000);
      expect(delay).toBeGreaterThanOrEqual(base);
      expect(delay).toBeLessThanOrEqual(2 * base);
    });
    await commit(create(parent('a')));
    await clock.flush();
    ends[0]?.(new SkepError('compacted', 'too old'));
    expect(logs.at(-1)?.fields).toMatchObject({ attempt: 0, delayMs: 0 });
  });

  it('holds commits back until the view has them', async () => {
    const { clock, seams, store } = world();
    const lag = { clock, random: seededRandom(3), delayMsMax: 50 };
    const replica = laggingStore(store, lag);
    const reflector = new Reflector({ ...seams, store: replica });
    reflector.start();
    const { heard, listener } = listening(reflector);
    reflector.join(listener);
    for (let i = 1; i <= 20; i += 1) {
      await replica.commit({ actor: 'user', changes: [create(parent(`${i}`))] });
      await clock.advance(10);
    }
    await clock.advance(1000);
    expect(heard).toEqual(['reset 0', ...Array.from({ length: 20 }, (_, i) => `commit ${i + 1}`)]);
    expect(reflector.isInStep).toBe(true);
  });

  it('says nothing more after stop', async () => {
    const { reflector, commit, clock } = setUp();
    reflector.start();
    reflector.start();
    const { heard, listener } = listening(reflector);
    reflector.join(listener);
    reflector.stop();
    await commit(create(parent('a')));
    await clock.flush();
    expect(heard).toEqual(['reset 0']);
    expect(clock.pending()).toEqual([]);
  });
});
