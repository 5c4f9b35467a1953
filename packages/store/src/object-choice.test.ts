import { describe, expect, it } from '@jest/globals';
import { defineKind, newObject, parseSelector, seededRandom, withMeta } from '@skep/api';
import type { Labels, StoredObject } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import type { CommitEvent, ObjectChoice, ObjectEvent, Store, WatchSelector } from './contract.js';
import { chooserOf, chosenEvent } from './object-choice.js';
import { memoryStore } from './open.js';

const Box = defineKind<{ readonly size: number }, Record<string, never>>({
  name: 'Box',
  initialStatus: {},
});
const Other = defineKind<{ readonly size: number }, Record<string, never>>({
  name: 'Other',
  initialStatus: {},
});

type Box = StoredObject<{ readonly size: number }, Record<string, never>>;

function box(id: string, labels: Labels, kind = Box): Box {
  return newObject(kind, { id, name: id, labels, spec: { size: 1 } });
}

const RED = { color: 'red' };
const BLUE = { color: 'blue' };
const red = parseSelector({ labels: 'color=red' });

describe('chosenEvent', () => {
  const [r, b] = [box('a', RED), box('a', BLUE)];
  const cases: readonly (readonly [string, ObjectEvent, ObjectEvent | undefined])[] = [
    ['made chosen', { type: 'created', object: r }, { type: 'created', object: r }],
    ['made otherwise', { type: 'created', object: b }, undefined],
    [
      'stays chosen',
      { type: 'updated', object: r, previous: r },
      { type: 'updated', object: r, previous: r },
    ],
    ['begins', { type: 'updated', object: r, previous: b }, { type: 'created', object: r }],
    [
      'ceases',
      { type: 'updated', object: b, previous: r },
      { type: 'deleted', object: r, previous: r },
    ],
    ['never was', { type: 'updated', object: b, previous: b }, undefined],
    [
      'goes',
      { type: 'deleted', object: r, previous: r },
      { type: 'deleted', object: r, previous: r },
    ],
    ['goes otherwise', { type: 'deleted', object: b, previous: b }, undefined],
  ];

  it.each(cases)('%s', (_what, event, expected) => {
    expect(chosenEvent(event, chooserOf(red))).toEqual(expected);
  });
});

interface Setting {
  readonly clock: VirtualClock;
  readonly store: Store;
  put(id: string, labels: Labels, kind?: typeof Box): Promise<void>;
  drop(id: string): Promise<void>;
}

function setUp(): Setting {
  const clock = new VirtualClock();
  const store = memoryStore({ clock, kinds: [Box, Other] });
  return {
    clock,
    store,
    put: async (id, labels, kind = Box) => {
      const before = store.view().get(kind, id);
      const object = before === undefined ? box(id, labels, kind) : withMeta(before, { labels });
      const type = before === undefined ? 'create' : 'update';
      await store.commit({ actor: 'user', changes: [{ type, object }] });
    },
    drop: async (id) => {
      await store.commit({ actor: 'user', changes: [{ type: 'delete', kind: 'Box', id }] });
    },
  };
}

function line({ type, object }: ObjectEvent): string {
  return `${type} ${object.meta.id} ${object.meta.labels['color'] ?? '-'}`;
}

function listen(store: Store, selector: WatchSelector, fromRevision?: number): string[] {
  const told: string[] = [];
  store.subscribe(
    { commit: ({ events }) => told.push(...events.map(line)), ended: () => told.push('ended') },
    { selector, ...(fromRevision === undefined ? {} : { fromRevision }) },
  );
  return told;
}

describe('a watch of some objects', () => {
  it('tells objects that begin to be chosen as made, and those that cease to be as gone', async () => {
    const { store, put, drop, clock } = setUp();
    await put('a', RED);
    const told = listen(store, { kinds: ['Box'], objects: red });
    await put('b', BLUE);
    await put('b', RED);
    await put('a', BLUE);
    await put('a', {});
    await put('x', RED, Other);
    await drop('a');
    await drop('b');
    await clock.flush();
    expect(told).toEqual(['created b red', 'deleted a red', 'deleted b red']);
  });

  it('does so from any revision, and with a condition on what is left', async () => {
    const { store, put, clock } = setUp();
    await put('a', BLUE);
    await put('a', RED);
    await put('a', BLUE);
    const told = listen(store, { objects: red }, 0);
    const gone = listen(store, { objects: red, where: ({ type }) => type === 'deleted' }, 0);
    await clock.flush();
    expect(told).toEqual(['created a red', 'deleted a red']);
    expect(gone).toEqual(['deleted a red']);
  });

  it('goes by fields and functions, too, and leaves whole commits as they are', async () => {
    const { store, put, clock } = setUp();
    const byName = listen(store, { objects: parseSelector({ fields: 'metadata.name=b' }) });
    const byFunction = listen(store, { objects: ({ meta }) => meta.id === 'a' });
    const commits: CommitEvent[] = [];
    const whole: CommitEvent[] = [];
    const ended = (): void => undefined;
    store.subscribe({ commit: (event) => whole.push(event), ended });
    store.subscribe(
      { commit: (event) => commits.push(event), ended },
      { selector: { objects: () => true } },
    );
    await put('a', RED);
    await put('b', RED);
    await clock.flush();
    expect([byName, byFunction]).toEqual([['created b red'], ['created a red']]);
    expect(commits[0]).toBe(whole[0]);
  });

  it.each([1, 2, 3])('adds up to the chosen objects, whatever happened (seed %d)', async (seed) => {
    const { store, put, drop, clock } = setUp();
    const random = seededRandom(seed);
    const choices: readonly ObjectChoice[] = [
      red,
      parseSelector({ labels: 'color!=red' }),
      parseSelector({ labels: 'color' }),
      ({ meta }) => meta.version % 2 === 0,
    ];
    const followed = choices.map((objects) => {
      const known = new Map<string, StoredObject>();
      const wrong: string[] = [];
      const commit = ({ events }: CommitEvent): void => {
        for (const { type, object } of events) {
          if (known.has(object.meta.id) === (type === 'created')) wrong.push(object.meta.id);
          if (type === 'deleted') known.delete(object.meta.id);
          else known.set(object.meta.id, object);
        }
      };
      store.subscribe(
        { commit, ended: () => undefined },
        { selector: { kinds: ['Box'], objects } },
      );
      return { known, wrong, isChosen: chooserOf(objects) };
    });
    const colors: readonly Labels[] = [RED, BLUE, {}];
    for (let i = 0; i < 300; i += 1) {
      const id = `${random.int(12)}`;
      if (random.int(4) === 0 && store.view().get(Box, id) !== undefined) await drop(id);
      else await put(id, colors[random.int(3)] ?? {});
    }
    await clock.flush();
    for (const { known, wrong, isChosen } of followed) {
      const expected = store.view().list(Box).filter(isChosen);
      expect([...known.values()].sort(byId)).toEqual([...expected].sort(byId));
      expect(wrong).toEqual([]);
    }
  });
});

function byId(a: StoredObject, b: StoredObject): number {
  return a.meta.id < b.meta.id ? -1 : 1;
}
