import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { MAGLEV_SIZES, maglevTable, type MaglevBackend } from './maglev.js';

const backends = (count: number, weight: (index: number) => number = () => 1): MaglevBackend[] =>
  Array.from({ length: count }, (_, index) => ({
    address: `10.${index >>> 8}.${index & 255}.7`,
    weight: weight(index),
  }));

function sharesOf(table: Int32Array, count: number): readonly number[] {
  const shares = Array.from({ length: count }, () => 0);
  for (const position of table) shares[position] = (shares[position] ?? 0) + 1;
  return shares;
}

/** Entries that had another backend than `lost`, and changed it. */
function movedBetween(before: Int32Array, after: Int32Array, lost: number): number {
  return before.reduce(
    (moved, position, at) => moved + Number(position !== lost && after[at] !== position),
    0,
  );
}

describe('maglevTable', () => {
  // Section 3.4: all backends receive an almost equal number of entries.
  it('gives equal weights equal shares, to one entry', () => {
    const shares = sharesOf(maglevTable(backends(1000)), 1000);
    expect(Math.max(...shares) - Math.min(...shares)).toBe(1);
  });

  // Section 5.3 asks for a table of more than 100 entries for each backend; then a lost backend
  // moves about as many entries of the others as of its own, and never one percent of all.
  it.each([
    [10, 0.01],
    [100, 0.01],
    [650, 0.01],
    [1000, 0.01],
  ])('losing one of %i backends moves at most %d of the other entries', (count, bound) => {
    const all = backends(count);
    const before = maglevTable(all);
    const shares = sharesOf(before, count);
    for (const lost of [0, Math.trunc(count / 3), count - 1]) {
      const after = maglevTable(all.map((one, at) => (at === lost ? { ...one, weight: 0 } : one)));
      const others = before.length - (shares[lost] ?? 0);
      expect(movedBetween(before, after, lost) / others).toBeLessThanOrEqual(bound);
      expect(after.includes(lost)).toBe(false);
    }
  });

  it('gives shares in proportion to weights', () => {
    const weights = [1, 2, 3, 10, 0, 84];
    const table = maglevTable(backends(weights.length, (at) => weights[at] ?? 0));
    const shares = sharesOf(table, weights.length);
    for (const [at, weight] of weights.entries()) {
      // Turns are whole: each of the five that have any may be one ahead or behind.
      const share = (table.length * weight) / 100;
      expect(Math.abs((shares[at] ?? 0) - share)).toBeLessThanOrEqual(5);
    }
  });

  it('is the same on all nodes, whatever the order of the list', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.record({ address: fc.ipV4(), weight: fc.integer({ min: 0, max: 5 }) }), {
          minLength: 1,
          maxLength: 20,
          selector: ({ address }) => address,
        }),
        fc.infiniteStream(fc.nat()),
        (list, draws) => {
          const keyed = list.map((one) => [draws.next().value ?? 0, one] as const);
          const other = keyed.sort(([a], [b]) => a - b).map(([, one]) => one);
          const name = (of: readonly MaglevBackend[]): readonly (string | undefined)[] =>
            [...maglevTable(of, 251)].map((at) => of[at]?.address);
          expect(name(other)).toEqual(name(list));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('is the table that was made before: nodes of two versions agree', () => {
    const table = maglevTable(backends(3), 251);
    expect([...table.subarray(0, 24)].join('')).toBe('212111220212120210112220');
  });

  it.each(MAGLEV_SIZES)('fills all of %i entries', (size) => {
    expect(maglevTable(backends(7), size).includes(-1)).toBe(false);
  });

  it('is empty without a backend that takes connections', () => {
    expect(new Set(maglevTable([], 251))).toEqual(new Set([-1]));
    expect(new Set(maglevTable([{ address: 'a', weight: 0 }], 251))).toEqual(new Set([-1]));
  });

  it('counts the first of two backends with one address', () => {
    const twice = [
      { address: 'a', weight: 1 },
      { address: 'a', weight: 9 },
    ];
    expect(new Set(maglevTable(twice, 251))).toEqual(new Set([0]));
  });

  it.each([
    [100, 'not a prime'],
    [0, 'not a prime'],
    [2.5, 'not a prime'],
  ])('refuses a size of %d', (size, reason) => {
    expect(() => maglevTable(backends(2), size)).toThrow(reason);
  });

  it('refuses more backends than entries', () => {
    expect(() => maglevTable(backends(300), 251)).toThrow('300 backends in a table of 251 entries');
  });
});
