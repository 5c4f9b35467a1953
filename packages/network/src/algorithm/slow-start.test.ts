import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { WEIGHT_MAX, slowStartFactor, slowStartWeight } from './slow-start.js';

describe('slowStartWeight', () => {
  it.each([
    [0, 1, 1250],
    [249, 1, 1250],
    [250, 2, 1500],
    [999, 4, 2000],
    [1000, 5, undefined],
    [-500, 1, 1250],
  ])('%i ms after it began: %i', (after, weight, changesAt) => {
    const expected = changesAt === undefined ? { weight } : { weight, changesAt };
    const input = { full: 5, since: 1000, slowStartMs: 1000 };
    expect(slowStartWeight(input, 1000 + after)).toEqual(expected);
  });

  it('never falls, says when it changes, and is full in the end', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2000 }),
        fc.integer({ min: 0, max: 100_000 }),
        (full, slowStartMs) => {
          const input = { full, since: 50, slowStartMs };
          let now = 0;
          let last = slowStartWeight(input, now);
          for (let step = 0; step < 12 && last.changesAt !== undefined; step += 1) {
            expect(last.changesAt).toBeGreaterThan(now);
            expect(slowStartWeight(input, last.changesAt - 1).weight).toBe(last.weight);
            now = last.changesAt;
            const next = slowStartWeight(input, now);
            expect(next.weight).toBeGreaterThanOrEqual(last.weight);
            last = next;
          }
          expect(last).toEqual({ weight: full });
          expect(now).toBeLessThanOrEqual(50 + slowStartMs);
        },
      ),
    );
  });
});

describe('slowStartFactor', () => {
  it.each([
    [1, 0, 1],
    [1, 1000, 10],
    [6553, 1000, 10],
    [6554, 1000, 9],
    [WEIGHT_MAX, 1000, 1],
    [0, 1000, 10],
  ])('heaviest %i, %i ms: %i', (heaviest, slowStartMs, factor) => {
    expect(slowStartFactor(heaviest, slowStartMs)).toBe(factor);
    expect(heaviest * factor).toBeLessThanOrEqual(WEIGHT_MAX);
  });
});
