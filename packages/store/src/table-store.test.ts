import { describe, expect, it } from '@jest/globals';
import {
  Task,
  defineKind,
  newObject,
  seededRandom,
  withMeta,
  withSpec,
  withStatus,
} from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import {
  Box,
  KINDS,
  Note,
  fixtureOf,
  codeOf,
  codeOfCall,
  createBox,
  newBox,
  recorder,
  turns,
  update,
  type Fixture,
} from './conformance/kit.js';
import { memoryStore, type StoreOptions } from './index.js';

function make(options: Partial<StoreOptions> = {}): Fixture {
  const clock = new VirtualClock();
  return fixtureOf(memoryStore({ kinds: KINDS, clock, ...options }), clock);
}

describe('options', () => {
  it.each([
    { log: { commitsMax: 0 } },
    { log: { eventsMax: 0.5 } },
    { watcher: { bufferMax: -1 } },
    { kinds: [Box, Note, Box] },
  ])('that make no sense are refused: %j', (options) => {
    expect(codeOfCall(() => make(options))).toBe('invalid-argument');
  });
});

describe('indexes that follow from the spec', () => {
  const kindWith = (specIndexes: readonly string[]) =>
    defineKind<{ readonly group: string }, { readonly mood: string }>({
      name: 'Bee',
      indexes: { group: ({ spec }) => spec.group, mood: ({ status }) => status.mood },
      specIndexes,
      initialStatus: { mood: 'calm' },
    });

  async function angryBee(specIndexes: readonly string[], options: Partial<StoreOptions> = {}) {
    const Bee = kindWith(specIndexes);
    let asked = 0;
    const Counted = {
      ...Bee,
      indexes: {
        ...Bee.indexes,
        group: (bee: never) => ((asked += 1), Bee.indexes['group']?.(bee)),
      },
    };
    const { store } = make({ kinds: [Counted], ...options });
    const object = newObject(Bee, { id: 'b', name: 'b', spec: { group: 'g' } });
    await store.commit({ actor: 'a', changes: [{ type: 'create', object }] });
    const stored = store.view().get(Bee, 'b') ?? object;
    await store.commit({ actor: 'a', changes: [update(withStatus(stored, { mood: 'angry' }))] });
    const found = (index: string, key: string) => store.view().list(Bee, { index, key }).length;
    return { asked, found, store, Bee };
  }

  it('are not asked again when only the status changes', async () => {
    const { asked, found } = await angryBee(['group']);
    expect([asked, found('group', 'g'), found('mood', 'calm'), found('mood', 'angry')]).toEqual([
      1, 1, 0, 1,
    ]);
    expect((await angryBee([])).asked).toBe(2);
  });

  it('are asked again when the spec changes', async () => {
    const { store, found, Bee } = await angryBee(['group']);
    const stored = store.view().get(Bee, 'b');
    if (stored === undefined) throw new Error('there is a bee');
    await store.commit({ actor: 'a', changes: [update(withSpec(stored, { group: 'h' }))] });
    expect([found('group', 'g'), found('group', 'h')]).toEqual([0, 1]);
  });

  it('are checked in development, should one be named that looks at the status', async () => {
    const lying = angryBee(['group', 'mood'], { checks: { ownership: true } });
    expect(await codeOf(lying)).toBe('failed-precondition');
  });

  it('are built when they are first asked for, and kept in step from then on', async () => {
    const { store, found, Bee } = await angryBee([]);
    const before = store.view();
    expect(found('mood', 'angry')).toBe(1);
    const stored = store.view().get(Bee, 'b');
    if (stored === undefined) throw new Error('there is a bee');
    await store.commit({ actor: 'a', changes: [update(withStatus(stored, { mood: 'calm' }))] });
    expect([found('mood', 'angry'), found('mood', 'calm')]).toEqual([0, 1]);
    expect(before.list(Bee, { index: 'mood', key: 'angry' })).toHaveLength(1);
  });
});

describe('checks.ownership', () => {
  const task = newObject(Task, {
    id: 't',
    spec: { serviceName: 's', slot: 1, desiredState: 'running', specVersion: 1 } as never,
  });

  it('refuses a field of another actor', async () => {
    const { store } = make({ kinds: [Task], checks: { ownership: true } });
    await store.commit({ actor: 'orchestrator', changes: [{ type: 'create', object: task }] });
    const stored = store.view().get(Task, 't') ?? task;
    const placed = withStatus(stored, { ...stored.status, nodeId: 'n' });
    const commit = (actor: string) => store.commit({ actor, changes: [update(placed)] });
    expect(await codeOf(commit('reaper'))).toBe('permission-denied');
    expect(store.view().revision).toBe(1);
    expect((await commit('scheduler')).ok).toBe(true);
  });

  it('compares specs by content, so that rebuilding an equal one is no change', async () => {
    const { store } = make({ kinds: [Task], checks: { ownership: true } });
    await store.commit({ actor: 'orchestrator', changes: [{ type: 'create', object: task }] });
    const stored = store.view().get(Task, 't') ?? task;
    const changes = [update(withSpec(stored, { ...stored.spec }))];
    expect((await store.commit({ actor: 'reaper', changes })).ok).toBe(true);
    expect(store.view().get(Task, 't')?.spec).toBe(stored.spec);
  });

  it('takes tables for custom kinds, and is off by default', async () => {
    const tables = { Box: { place: ['mover'], spec: ['user'] } };
    const checked = make({ checks: { ownership: true, tables } });
    const unchecked = make({ checks: { tables } });
    const codes: string[] = [];
    for (const { commit, box } of [checked, unchecked]) {
      await commit(createBox({ id: 'a' }));
      codes.push(await codeOf(commit(update(withStatus(box('a'), { place: 'x' })))));
      codes.push(await codeOf(commit(update(withMeta(box('a'), { labels: { x: '1' } })))));
    }
    expect(codes).toEqual(['permission-denied', 'none', 'none', 'none']);
  });
});

describe('checks.freeze', () => {
  it('freezes what is written and what is told, and shares what was frozen', async () => {
    const { commit, box, store } = make({ checks: { freeze: true } });
    const seen = recorder();
    store.subscribe(seen);
    await commit(createBox({ id: 'a' }, { tags: ['x'] }));
    const { spec } = box('a');
    await commit(update(withStatus(box('a'), { place: 'x' })));
    const parts = [box('a'), box('a').meta, spec, spec.tags, box('a').status];
    expect(parts.map((part) => Object.isFrozen(part))).toEqual(parts.map(() => true));
    expect(box('a').spec).toBe(spec);
    expect(seen.commits.every((event) => Object.isFrozen(event.events))).toBe(true);
  });

  it('is off by default', async () => {
    const { commit, box } = make();
    await commit(createBox({ id: 'a' }));
    expect(Object.isFrozen(box('a').spec)).toBe(false);
  });
});

describe('listOrder', () => {
  const ids = Array.from({ length: 20 }, (_, number) => `box${number}`);
  const orders = async (options: Partial<StoreOptions>): Promise<readonly string[]> => {
    const { commit, store } = make(options);
    await commit(...ids.map((id) => createBox({ id }, { color: 'red' })));
    const lists = [
      store.view().list(Box),
      store.view().list(Box),
      store.view().list(Box, { index: 'color', key: 'red' }),
    ];
    return lists.map((list) => list.map(({ meta }) => meta.id).join());
  };

  it('is natural by default', async () => {
    expect(new Set(await orders({}))).toEqual(new Set([ids.join()]));
  });

  it('can be random, the same for the same seed', async () => {
    const [first, again, other] = [
      await orders({ listOrder: seededRandom(1) }),
      await orders({ listOrder: seededRandom(1) }),
      await orders({ listOrder: seededRandom(2) }),
    ];
    expect(again).toEqual(first);
    expect(new Set([...first, ...other, ids.join()]).size).toBe(7);
    expect(first.map((list) => list.split(',').sort())).toEqual(first.map(() => [...ids].sort()));
  });
});

describe('structural sharing', () => {
  it('keeps the parts that were handed in and not changed', async () => {
    const { commit, box } = make();
    const object = newBox({ id: 'a', labels: { x: '1' } }, { tags: ['x'] });
    await commit({ type: 'create', object });
    expect(box('a').spec).toBe(object.spec);
    const before = box('a');
    await commit(update(withSpec(before, { tags: ['x'], size: 1 })));
    expect([box('a').spec === before.spec, box('a').meta.labels === object.meta.labels]).toEqual([
      true,
      true,
    ]);
  });
});

describe('an index function that throws', () => {
  it('refuses the commit and changes nothing', async () => {
    const Fragile = {
      ...Box,
      indexes: {
        color: Box.indexes['color'] as never,
        broken: ({ spec }: Box) => {
          if (spec.size > 5) throw new Error('too large');
          return 'fine';
        },
      },
    };
    const { commit, store } = make({ kinds: [Fragile] });
    await commit(createBox({ id: 'a', name: 'one' }, { color: 'red' }));
    const changes = [createBox({ id: 'b', name: 'two' }), createBox({ id: 'c' }, { size: 9 })];
    await expect(commit(...changes)).rejects.toThrow('too large');
    expect([store.view().revision, store.view().count(Fragile)]).toEqual([1, 1]);
    expect(store.view().getByName(Fragile, 'two')).toBeUndefined();
  });
});

describe('the delivery queue', () => {
  it('ends watchers that are too far behind, and serves those who start again', async () => {
    const { commit, store } = make({ watcher: { bufferMax: 3 } });
    const [early, left] = [recorder(), recorder()];
    store.subscribe(early, { selector: { kinds: ['Box'] } });
    const subscription = store.subscribe(left);
    // Without a turn of the event loop in between, nothing can be delivered.
    const commits = [1, 2, 3, 4].map((number) => commit(createBox({ id: `a${number}` })));
    const late = recorder();
    store.subscribe(late);
    subscription.unsubscribe();
    commits.push(commit(createBox({ id: 'b' })));
    await Promise.all(commits);
    await turns();
    expect([early.commits.length, early.ends]).toEqual([0, ['resync-required']]);
    expect([left.commits.length, left.ends]).toEqual([0, []]);
    expect(late.commits.map((event) => event.revision)).toEqual([5]);
    store.subscribe(early, { fromRevision: 0 });
    await turns();
    expect(early.commits.map((event) => event.revision)).toEqual([1, 2, 3, 4, 5]);
  });

  it('bounds what a listener commits from inside a delivery', async () => {
    const { commit, store } = make({ watcher: { bufferMax: 3 } });
    const ends: string[] = [];
    let count = 0;
    store.subscribe({
      commit: ({ revision }) => {
        count += 1;
        if (revision > 1) return;
        for (let number = 0; number < 10; number += 1) void commit(createBox({ id: `b${number}` }));
      },
      ended: (reason) => ends.push(reason.message),
    });
    await commit(createBox({ id: 'a' }));
    await turns();
    expect([count, ends.length, store.view().revision]).toEqual([1, 1, 11]);
  });

  it('delivers without a gap when the log keeps fewer commits than wait', async () => {
    const { commit, store } = make({ log: { commitsMax: 2 } });
    const seen = recorder();
    store.subscribe(seen);
    const commits = [1, 2, 3, 4, 5].map((number) => commit(createBox({ id: `a${number}` })));
    await Promise.all(commits);
    await turns();
    expect(seen.commits.map((event) => event.revision)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('the log', () => {
  it('keeps fewer commits when they are large', async () => {
    const { commit, store } = make({ log: { eventsMax: 4 } });
    const pair = (number: number) => [
      createBox({ id: `a${number}` }),
      createBox({ id: `b${number}` }),
    ];
    for (let number = 0; number < 5; number += 1) await commit(...pair(number));
    const [tooOld, oldest] = [recorder(), recorder()];
    store.subscribe(tooOld, { fromRevision: 2 });
    store.subscribe(oldest, { fromRevision: 3 });
    await turns();
    expect([tooOld.ends, oldest.commits.length]).toEqual([['compacted'], 2]);
  });
});
