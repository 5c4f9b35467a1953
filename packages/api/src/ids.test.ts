import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deriveHex, deriveId, hash32, idSource } from './ids.js';
import { seededRandom } from './random.js';

describe('ids', () => {
  it('have 25 characters of base 36 and follow from the seed', () => {
    const a = idSource(seededRandom(7));
    const b = idSource(seededRandom(7));
    const ids = Array.from({ length: 100 }, () => a.next());
    expect(ids.every((id) => /^[0-9a-z]{25}$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(100);
    expect(Array.from({ length: 100 }, () => b.next())).toEqual(ids);
  });

  it('derives the same id from the same parts, and another from others', () => {
    expect(deriveId('s', 'task', 1)).toBe(deriveId('s', 'task', 1));
    expect(deriveId('s', 'task', 1)).not.toBe(deriveId('s', 'task', 2));
    expect(deriveId('ab', 'c')).not.toBe(deriveId('a', 'bc'));
    expect(deriveId('s')).toMatch(/^[0-9a-z]{25}$/);
    expect(deriveHex('t', 64)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('derives distinct ids for many causes', () => {
    const ids = new Set(
      Array.from({ length: 20_000 }, (_none, n) => deriveId('service', 'task', n)),
    );
    expect(ids.size).toBe(20_000);
  });

  it('hashes evenly', () => {
    const buckets = new Array<number>(16).fill(0);
    for (let i = 0; i < 16_000; i += 1) {
      const bucket = hash32(`key-${i}`) % 16;
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    expect(Math.min(...buckets)).toBeGreaterThan(850);
    expect(Math.max(...buckets)).toBeLessThan(1150);
  });
});

describe('seededRandom', () => {
  it('stays in its bounds and gives forks that do not depend on the position', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 1000 }), (seed, bound) => {
        const random = seededRandom(seed);
        const before = random.fork('x').next();
        const value = random.int(bound);
        return value >= 0 && value < bound && random.fork('x').next() === before;
      }),
    );
  });
});
