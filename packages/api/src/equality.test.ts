import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, compareBy, compareText, deepFreeze, isEqual } from './equality.js';

describe('isEqual', () => {
  it.each<[unknown, unknown, boolean]>([
    [1, 1, true],
    [NaN, NaN, true],
    [null, undefined, false],
    [{ a: undefined }, {}, true],
    [{ a: 1 }, { a: 1, b: undefined }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: 1, c: 2 }, { a: 1, b: 2 }, false],
    [[1, 2], [1, 2], true],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [{ a: [{ b: 1 }] }, { a: [{ b: 1 }] }, true],
    [{ a: null }, { a: {} }, false],
  ])('%j and %j: %s', (a, b, expected) => {
    expect(isEqual(a, b)).toBe(expected);
    expect(isEqual(b, a)).toBe(expected);
  });

  it('agrees with the canonical text of plain data', () => {
    const data = fc.jsonValue();
    fc.assert(
      fc.property(data, data, (a, b) => {
        expect(isEqual(a, b)).toBe(canonicalJson(a) === canonicalJson(b));
        expect(isEqual(a, structuredClone(a))).toBe(true);
      }),
    );
  });
});

describe('orders', () => {
  it('compares texts by code units and chains comparisons', () => {
    const byLength = (a: string, b: string): number => a.length - b.length;
    const words = ['b', 'a', 'ab', 'B', 'aa'];
    expect([...words].sort(compareBy(byLength, compareText))).toEqual(['B', 'a', 'b', 'aa', 'ab']);
  });
});

describe('deepFreeze', () => {
  it('freezes all the way down', () => {
    const value = deepFreeze({ a: { b: [1] } });
    expect(Object.isFrozen(value.a.b)).toBe(true);
  });
});
