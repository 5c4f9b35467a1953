import { describe, expect, it } from '@jest/globals';
import { SkepError } from '@skep/api';
import type { Store } from '@skep/store';
import { Child, child, parent, Parent, world } from './__fixtures__/world.js';
import { create, remove } from './changes.js';
import { Informer, informer, type InformerEvent } from './informer.js';

function told<Item>(cache: {
  subscribe(listener: (event: InformerEvent<Item>) => void): unknown;
}): string[] {
  const events: string[] = [];
  cache.subscribe(({ type, id }) => events.push(`${type} ${id}`));
  return events;
}

describe('informer', () => {
  it('is filled from what is there and follows what comes', async () => {
    const { seams, commit, edit, clock, store } = world();
    await commit(create(parent('a')), create(parent('b')));
    const cache = informer(seams, Parent);
    await cache.ready();
    const events = told(cache);
    expect([cache.size, cache.isReady]).toEqual([2, true]);
    await edit('a', { wanted: 7 });
    await commit(create(parent('c')));
    await commit({ type: 'delete', kind: 'Parent', id: 'b' });
    await clock.flush();
    expect(events).toEqual(['updated a', 'created c', 'deleted b']);
    expect(cache.get('a')?.spec.wanted).toBe(7);
    expect(cache.get('b')).toBeUndefined();
    expect(cache.list().map(({ meta }) => meta.id)).toEqual(['a', 'c']);
    expect(cache.revision).toBe(store.view().revision);
    cache.stop();
    await commit(create(parent('d')));
    await clock.flush();
    expect(cache.size).toBe(2);
  });

  it('keeps a projection and is silent when that stays the same', async () => {
    const { seams, commit, edit, clock } = world();
    const cache = informer(seams, Parent, {
      select: ({ spec }) => (spec.wanted > 0 ? { wanted: spec.wanted } : undefined),
    });
    const events = told(cache);
    await commit(create(parent('a', { wanted: 2 })), create(parent('b', { wanted: 0 })));
    await edit('a', { note: 'not selected' });
    await edit('b', { wanted: 1 });
    await edit('a', { wanted: 0 });
    await clock.flush();
    expect(events).toEqual(['created a', 'created b', 'deleted a']);
    expect(cache.list()).toEqual([{ wanted: 1 }]);
  });

  it('has indexes of its own', async () => {
    const { seams, commit, clock, store } = world();
    const cache = informer(seams, Child, {
      select: ({ meta, spec }) => ({ id: meta.id, parentId: spec.parentId }),
      indexes: {
        parent: (item) => item.parentId,
        letters: (item) => [...item.id],
        never: () => undefined,
      },
    });
    await commit(create(child('ab', 'p')), create(child('bc', 'p')), create(child('cd', 'q')));
    await clock.flush();
    const under = (index: string, key: string): string[] =>
      cache
        .by(index, key)
        .map(({ id }) => id)
        .sort();
    expect(under('parent', 'p')).toEqual(['ab', 'bc']);
    expect(under('letters', 'c')).toEqual(['bc', 'cd']);
    expect(under('never', 'c')).toEqual([]);
    expect(under('unknown', 'c')).toEqual([]);
    const gone = store.view().get(Child, 'bc');
    if (gone !== undefined) await commit(remove(gone));
    await clock.flush();
    expect(under('letters', 'c')).toEqual(['cd']);
    expect([cache.count('letters', 'c'), cache.count('letters', 'b')]).toEqual([1, 1]);
  });

  it('tells the difference, and no more, when the watch has to start again', async () => {
    const { seams, commit, edit, clock, store } = world({ bufferMax: 2 });
    await commit(create(parent('stays')), create(parent('goes')), create(parent('changes')));
    const cache = informer(seams, Parent);
    const events = told(cache);
    for (const change of [
      edit('changes', { wanted: 3 }),
      commit({ type: 'delete', kind: 'Parent', id: 'goes' }),
      commit(create(parent('comes'))),
      edit('changes', { wanted: 4 }),
    ]) {
      void change;
    }
    await clock.flush();
    expect([...events].sort()).toEqual(['created comes', 'deleted goes', 'updated changes']);
    expect(cache.get('changes')?.spec.wanted).toBe(4);
    expect(cache.revision).toBe(store.view().revision);
  });

  it('is an observable, too', async () => {
    const { seams, commit, clock } = world();
    const cache = informer(seams, Parent);
    const ids: string[] = [];
    const subscription = cache.events$.subscribe(({ id }) => ids.push(id));
    await commit(create(parent('a')));
    await clock.flush();
    subscription.unsubscribe();
    await commit(create(parent('b')));
    await clock.flush();
    expect(ids).toEqual(['a']);
  });

  it('is not ready before the first list', async () => {
    const { seams, clock } = world();
    let isRefused = true;
    const subscribe: Store['subscribe'] = (listener, options) => {
      if (isRefused) throw new SkepError('unavailable', 'not yet');
      return seams.store.subscribe(listener, options);
    };
    const store = Object.assign(Object.create(seams.store) as Store, {
      subscribe,
      view: () => seams.store.view(),
    });
    const cache = informer({ ...seams, store }, Parent);
    let isReady = false;
    void cache.ready().then(() => (isReady = true));
    await clock.flush();
    expect([isReady, cache.isReady]).toEqual([false, false]);
    isRefused = false;
    await clock.advance(2000);
    expect([isReady, cache.isReady]).toEqual([true, true]);
  });

  it('does nothing on stop when it has no watch of its own', () => {
    expect(() => new Informer(Parent).stop()).not.toThrow();
  });
});
