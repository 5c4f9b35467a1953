import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { apportion } from './apportion.js';

describe('apportion', () => {
  it.each<[readonly number[], number, readonly number[]]>([
    [[1, 1], 16, [8, 8]],
    [[1, 1, 1], 16, [6, 5, 5]],
    [[99, 1], 16, [15, 1]],
    [[3, 1, 0], 16, [12, 4, 0]],
    [[1, 1, 1], 2, [1, 1, 0]],
    [[1000, 1, 1], 8, [6, 1, 1]],
    [[0, 0], 16, [0, 0]],
    [[], 16, []],
  ])('%j in %i slots: %j', (weights, slots, expected) => {
    expect(apportion(weights, slots)).toEqual(expected);
  });

  it('gives out all slots, by the shares, and leaves nobody out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 40, max: 1024 }),
        (weights, slots) => {
          const counts = apportion(weights, slots);
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          const sum = counts.reduce((all, count) => all + count, 0);
          expect(sum).toBe(total === 0 ? 0 : slots);
          for (const [at, weight] of weights.entries()) {
            const share = total === 0 ? 0 : (weight * slots) / total;
            expect((counts[at] ?? 0) > 0).toBe(weight > 0);
            expect(counts[at] ?? 0).toBeLessThanOrEqual(Math.max(1, Math.ceil(share)));
          }
        },
      ),
    );
  });
});
