import { describe, expect, it } from '@jest/globals';
import { defineKind, newObject, withMeta } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { memoryStore } from '@skep/store';
import { comparableObjects } from './comparable-objects.js';

type Anything = Readonly<Record<string, unknown>>;

const Thing = defineKind<Anything, Anything>({ name: 'Thing', initialStatus: {} });

async function texts(spec: Anything, managers?: Readonly<Record<string, readonly string[]>>) {
  const store = memoryStore({ clock: new VirtualClock(), kinds: [Thing] });
  const object = newObject(Thing, { id: 'x', name: 'thing', spec });
  const owned = managers === undefined ? object : withMeta(object, { managers });
  await store.commit({ actor: 'user', changes: [{ type: 'create', object: owned }] });
  return comparableObjects(store.view(), [Thing]);
}

describe('what must not depend on when things happened', () => {
  it.each([
    ['at'],
    ['timestamp'],
    ['stopBy'],
    ['notBefore'],
    ['since'],
    ['until'],
    ['startedAt'],
    ['version'],
    ['specVersion'],
    ['observedGeneration'],
  ])('leaves the field %s out, however deep', async (field) => {
    const with1 = await texts({ deep: [{ [field]: 1, kept: 1 }] });
    const with2 = await texts({ deep: [{ [field]: 2, kept: 1 }] });
    expect(with1).toEqual(with2);
    expect(with1[0]).toContain('"kept":1');
  });

  it.each(['times', 'timestamps'])('leaves lists of %s out, and only lists', async (field) => {
    expect(await texts({ [field]: [1, 2] })).toEqual(await texts({ [field]: [3] }));
    expect(await texts({ [field]: 1 })).not.toEqual(await texts({ [field]: 2 }));
  });

  it.each(['attempts', 'flat', 'standby', 'format'])('keeps the field %s', async (field) => {
    expect(await texts({ [field]: 1 })).not.toEqual(await texts({ [field]: 2 }));
  });

  it('tells who owns which field', async () => {
    const mine = await texts({ a: 1 }, { me: ['a'] });
    expect(mine).not.toEqual(await texts({ a: 1 }, { you: ['a'] }));
    expect(mine).not.toEqual(await texts({ a: 1 }));
  });
});
