import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SparseBitmap } from './sparse-bitmap.js';

function gapOf(members: ReadonlySet<number>, from: number, end: number): number {
  for (let i = from; i < end; i += 1) if (!members.has(i)) return i;
  return -1;
}

describe('sparse bitmap', () => {
  it('is a set that finds gaps', () => {
    const index = fc.integer({ min: 0, max: 2999 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), index, fc.integer({ min: 1, max: 1100 }))),
        index,
        (steps, from) => {
          const bitmap = new SparseBitmap(3000);
          const members = new Set<number>();
          for (const [isAdd, start, run] of steps) {
            for (let i = start; i < Math.min(start + run, 3000); i += 1) {
              if (isAdd) expect(bitmap.add(i)).toBe(!members.has(i) && members.add(i).has(i));
              else expect(bitmap.delete(i)).toBe(members.delete(i));
            }
          }
          expect(bitmap.count).toBe(members.size);
          expect(bitmap.has(from)).toBe(members.has(from));
          expect(bitmap.nextGap(from, 3000)).toBe(gapOf(members, from, 3000));
          expect(bitmap.nextGap(0, from)).toBe(gapOf(members, 0, from));
        },
      ),
      { numRuns: 15 },
    );
  });

  it('finds the only gap of a full block, and none in a full one', () => {
    const bitmap = new SparseBitmap(1024 * 1024);
    for (let i = 0; i < 4096; i += 1) bitmap.add(i);
    expect(bitmap.nextGap(0, 4096)).toBe(-1);
    expect(bitmap.nextGap(0, 5000)).toBe(4096);
    expect(bitmap.delete(2047)).toBe(true);
    expect(bitmap.nextGap(0, 5000)).toBe(2047);
    expect(bitmap.add(2047)).toBe(true);
    expect(bitmap.has(2047)).toBe(true);
    expect(bitmap.count).toBe(4096);
  });

  it('can be full as a whole', () => {
    const bitmap = new SparseBitmap(1024);
    for (let i = 0; i < 1024; i += 1) bitmap.add(i);
    expect(bitmap.nextGap(0, 1024)).toBe(-1);
    expect(bitmap.add(5)).toBe(false);
    expect(bitmap.delete(5)).toBe(true);
    expect(bitmap.nextGap(0, 1024)).toBe(5);
    expect(bitmap.count).toBe(1023);
  });

  it('reaches far', () => {
    const bitmap = new SparseBitmap(2 ** 50);
    const far = 2 ** 50 - 1;
    expect(bitmap.add(far)).toBe(true);
    expect(bitmap.has(far)).toBe(true);
    expect(bitmap.nextGap(far, 2 ** 50)).toBe(-1);
    expect(bitmap.nextGap(far - 1, 2 ** 50)).toBe(far - 1);
    expect(bitmap.delete(far)).toBe(true);
    expect(bitmap.count).toBe(0);
  });
});
