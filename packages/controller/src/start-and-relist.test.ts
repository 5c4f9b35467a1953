/**
 * Nothing is decided before all caches are full, and nothing is lost when a watch is.
 */
import { describe, expect, it } from '@jest/globals';
import { SkepError, type SkepErrorCode } from '@skep/api';
import type { CommitEvent, Store } from '@skep/store';
import { Child, Parent, child, childrenOf, parent, world } from './__fixtures__/world.js';
import { create, noChanges } from './changes.js';
import { ControllerGroup } from './controller-group.js';
import type { PlanController, ReadyCache } from './contract.js';

/** A cache that is full when somebody says so. */
function gate(): ReadyCache & { open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { ready: () => opened, open: () => open() };
}

function noting(name: string, passes: string[], caches: readonly ReadyCache[]): PlanController {
  const plan: PlanController['plan'] = (_view, key) => {
    passes.push(`${name} ${key}`);
    return noChanges;
  };
  return { name, for: Parent, caches, plan };
}

describe('the first pass of a group', () => {
  it('waits for the caches of all controllers', async () => {
    const made = world();
    await made.commit(create(parent('a')));
    const passes: string[] = [];
    const [first, second] = [gate(), gate()];
    const group = new ControllerGroup(made.seams)
      .add(noting('none', passes, []))
      .add(noting('one', passes, [first]))
      .add(noting('two', passes, [first, second]));
    const starting = group.start();
    await made.clock.advance(60_000);
    expect(passes).toEqual([]);
    first.open();
    await made.clock.advance(60_000);
    expect(passes).toEqual([]);
    expect(group.status()).toEqual([]);
    second.open();
    await starting;
    await made.clock.flush();
    expect(passes).toEqual(['none a', 'one a', 'two a']);
    await group.stop();
  });
});

/** A store whose watch loses commits while it is deaf, and ends when told to. */
function deafening(inner: Store): {
  store: Store;
  setDeaf(): void;
  end(code: SkepErrorCode): void;
} {
  let isDeaf = false;
  let ended = (_reason: Error): void => undefined;
  const store = Object.assign(Object.create(inner) as Store, {
    kinds: inner.kinds,
    subscribe: (...[listener, options]: Parameters<Store['subscribe']>) => {
      isDeaf = false;
      const commit = (event: CommitEvent): void => {
        if (!isDeaf) listener.commit(event);
      };
      const subscription = inner.subscribe(
        { commit, ended: (why) => listener.ended(why) },
        options,
      );
      ended = (reason) => {
        subscription.unsubscribe();
        listener.ended(reason);
      };
      return subscription;
    },
    view: () => inner.view(),
    commit: (transaction: Parameters<Store['commit']>[0]) => inner.commit(transaction),
    waitFor: (revision: number) => inner.waitFor(revision),
  });
  return {
    store,
    setDeaf: () => (isDeaf = true),
    end: (code) => ended(new SkepError(code, 'start from a view')),
  };
}

describe('a watch that ends', () => {
  it.each(['compacted', 'resync-required', 'unavailable'] as const)(
    'as %s is begun again with a list: no key is missed, no work is done twice',
    async (code) => {
      let ears = deafening(world().store);
      const made = world({
        store: (inner) => {
          ears = deafening(inner);
          return ears.store;
        },
      });
      const group = new ControllerGroup(made.seams).add({
        name: 'one-child',
        for: Parent,
        owns: [Child],
        plan: (view, key) => {
          if (view.get(Parent, key) === undefined) return noChanges;
          if (view.count(Child, childrenOf(key)) > 0) return noChanges;
          return { changes: [create(child(`of ${key}`, key))] };
        },
      });
      await group.start();
      await made.commit(create(parent('heard')));
      await made.clock.flush();
      ears.setDeaf();
      for (let i = 0; i < 5; i += 1) await made.commit(create(parent(`unheard ${i}`)));
      await made.clock.advance(10_000);
      expect(made.store.view().count(Child)).toBe(1);
      ears.end(code);
      await made.clock.advance(10_000);
      expect(made.store.view().count(Child)).toBe(6);
      expect(group.isIdle()).toBe(true);
      // One commit for each parent and each child, and not one more.
      expect(made.store.view().revision).toBe(12);
      await group.stop();
    },
  );
});
