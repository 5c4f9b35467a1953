/**
 * Caches of some objects only, against the cache of all of them.
 */
import { describe, expect, it } from '@jest/globals';
import { parseSelector, seededRandom, withMeta, type Labels } from '@skep/api';
import { parent, Parent, world } from './__fixtures__/world.js';
import { create } from './changes.js';
import { informer, type Informer, type InformerEvent } from './informer.js';

const red = parseSelector({ labels: 'color=red' });

function told<Item>(cache: Informer<never, never, Item> | Informer): string[] {
  const events: string[] = [];
  (cache as Informer).subscribe(({ type, id }) => events.push(`${type} ${id}`));
  return events;
}

/** What a subscriber would know from the events alone; throws when they do not fit together. */
class Follower<Item> {
  readonly items = new Map<string, Item>();

  follow({ type, id, item }: InformerEvent<Item>): void {
    if (this.items.has(id) === (type === 'created')) throw new Error(`${type} ${id}`);
    if (type === 'deleted') this.items.delete(id);
    else this.items.set(id, item);
  }
}

describe('an informer of some objects', () => {
  it('lets objects come and go as they begin and cease to be chosen', async () => {
    const { seams, commit, store, clock } = world();
    const relabel = async (id: string, labels: Labels): Promise<void> => {
      const object = store.view().get(Parent, id) ?? parent(id);
      await commit({ type: 'update', object: withMeta(object, { labels }) });
    };
    await commit(create(withMeta(parent('a'), { labels: { color: 'red' } })), create(parent('b')));
    const cache = informer(seams, Parent, {
      objects: red,
      select: ({ meta, spec }) => ({ id: meta.id, wanted: spec.wanted }),
      indexes: { wanted: ({ wanted }) => `${wanted}` },
    });
    await cache.ready();
    const events = told(cache as unknown as Informer);
    expect(cache.list()).toEqual([{ id: 'a', wanted: 1 }]);
    await relabel('b', { color: 'red' });
    await relabel('a', { color: 'blue' });
    await relabel('a', { color: 'green' });
    await clock.flush();
    expect(events).toEqual(['created b', 'deleted a']);
    expect(cache.by('wanted', '1')).toEqual([{ id: 'b', wanted: 1 }]);
    cache.stop();
  });

  it('does so over a watch that had to start again', async () => {
    const { seams, commit, store, clock } = world({ bufferMax: 2 });
    const labelled = (id: string, color: string): ReturnType<typeof parent> =>
      withMeta(store.view().get(Parent, id) ?? parent(id), { labels: { color } });
    await commit(create(labelled('stays', 'red')), create(labelled('leaves', 'red')));
    await commit(create(labelled('enters', 'blue')));
    const cache = informer(seams, Parent, { objects: red });
    const events = told(cache as unknown as Informer);
    for (const [id, color] of [
      ['leaves', 'blue'],
      ['enters', 'red'],
      ['stays', 'red'],
    ] as const) {
      void commit({ type: 'update', object: labelled(id, color) });
    }
    void commit(create(labelled('new', 'red')));
    void commit(create(labelled('other', 'blue')));
    await clock.advance(100);
    expect([...events].sort()).toEqual([
      'created enters',
      'created new',
      'deleted leaves',
      'updated stays',
    ]);
    cache.stop();
  });

  it.each([1, 2, 3, 4])('is the cache of all objects, filtered, always (seed %d)', async (seed) => {
    const { seams, commit, store, clock } = world({ bufferMax: 5 });
    const random = seededRandom(seed);
    const all = informer(seams, Parent);
    const some = informer(seams, Parent, { objects: red });
    const many = informer(seams, Parent, {
      objects: ({ spec }) => (spec as { wanted: number }).wanted > 2,
    });
    const followers = [some, many].map((cache) => {
      const follower = new Follower<unknown>();
      cache.subscribe((event) => follower.follow(event));
      return follower;
    });
    await Promise.all([all.ready(), some.ready(), many.ready()]);
    for (let round = 0; round < 60; round += 1) {
      // Sometimes more at once than a watcher may be behind: all caches list again.
      for (let burst = random.int(9); burst >= 0; burst -= 1) {
        const id = `${random.int(10)}`;
        const before = store.view().get(Parent, id);
        const labels: Labels = random.int(2) === 0 ? { color: 'red' } : {};
        const object = withMeta(before ?? parent(id), { labels });
        const next = { ...object, spec: { ...object.spec, wanted: random.int(5) } };
        if (before === undefined) void commit(create(next));
        else if (random.int(4) === 0) void commit({ type: 'delete', kind: 'Parent', id });
        else void commit({ type: 'update', object: next });
      }
      await clock.advance(100);
      const ids = (cache: Informer<never, never> | typeof all): string[] =>
        (cache as typeof all)
          .list()
          .map(({ meta }) => meta.id)
          .sort();
      const filtered = (isKept: (one: ReturnType<typeof parent>) => boolean): string[] =>
        all
          .list()
          .filter((one) => isKept(one))
          .map(({ meta }) => meta.id)
          .sort();
      expect(ids(some)).toEqual(filtered(({ meta }) => meta.labels['color'] === 'red'));
      expect(ids(many)).toEqual(filtered(({ spec }) => spec.wanted > 2));
      for (const [at, cache] of [some, many].entries()) {
        expect([...(followers[at]?.items.keys() ?? [])].sort()).toEqual(ids(cache));
        expect([...(followers[at]?.items.values() ?? [])].sort()).toEqual([...cache.list()].sort());
      }
      expect(some.revision).toBe(all.revision);
    }
    for (const cache of [all, some, many]) cache.stop();
  });
});
