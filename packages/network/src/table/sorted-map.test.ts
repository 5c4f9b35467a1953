import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { SortedMap } from './sorted-map.js';

const key = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom(...'abcdef') });
const record = fc.dictionary(key, fc.nat(5), { maxKeys: 30 });
const sorted = (model: Map<string, number>): [string, number][] =>
  [...model].sort(([a], [b]) => (a < b ? -1 : 1));

describe('SortedMap', () => {
  it('behaves as a map that is sorted by key', () => {
    const step = fc.tuple(fc.boolean(), key, fc.nat(5));
    fc.assert(
      fc.property(record, fc.array(step, { maxLength: 40 }), (start, steps) => {
        const model = new Map(Object.entries(start));
        let map = SortedMap.from(Object.entries(start));
        for (const [isSet, name, value] of steps) {
          if (isSet) model.set(name, value);
          else model.delete(name);
          map = isSet ? map.with(name, value) : map.without(name);
        }
        expect(map.entries()).toEqual(sorted(model));
        expect(map.size).toBe(model.size);
        expect(map.keys()).toEqual(sorted(model).map(([name]) => name));
        for (const [name, value] of model) expect(map.get(name)).toBe(value);
        expect(map.get('zz')).toBeUndefined();
      }),
    );
  });

  it('has the same shape however it was made', () => {
    fc.assert(
      fc.property(record, (content) => {
        const entries = Object.entries(content);
        const grown = [...entries]
          .reverse()
          .reduce((map, [name, value]) => map.with(name, value), SortedMap.empty<number>())
          .with('!', 1)
          .without('!');
        expect(grown).toEqual(SortedMap.from(entries));
      }),
    );
  });

  it('finds the changes between any two maps, and applies them', () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        const before = SortedMap.from(Object.entries(a));
        const after = SortedMap.from(Object.entries(b));
        const changes = before.changesTo(after);
        expect(before.apply(changes)).toEqual(after);
        const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
        expect(changes.map((change) => change.key)).toEqual(
          names.filter((name) => a[name] !== b[name]),
        );
      }),
    );
  });

  it('does not enter what two versions share', () => {
    let looks = 0;
    const spy = (id: number): { id: number } =>
      Object.defineProperty({ id }, 'look', {
        enumerable: true,
        get: () => {
          looks += 1;
          return id;
        },
      });
    const entries = Array.from({ length: 5000 }, (_, i) => [`k${i}`, spy(i)] as const);
    const before = SortedMap.from(entries);
    const after = before.with('k77', { id: -1 });
    looks = 0;
    expect(before.changesTo(after).map((change) => change.key)).toEqual(['k77']);
    expect(looks).toBeLessThan(5);
  });

  it('keeps the last of equal keys', () => {
    const map = SortedMap.from([
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ]);
    expect(map.entries()).toEqual([
      ['a', 3],
      ['b', 2],
    ]);
  });
});
