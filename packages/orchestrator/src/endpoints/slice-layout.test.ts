import { describe, expect, it } from '@jest/globals';
import { SLICE_BACKENDS_MAX, deriveId, hash32 } from '@skep/api';
import fc from 'fast-check';
import { SLICE_MERGE_MAX, layOutSlices, mayHold } from './slice-layout.js';

interface Item {
  readonly taskId: string;
}

const itemsOf = (ids: Iterable<number>): readonly Item[] =>
  [...ids].map((id) => ({ taskId: deriveId('task', id) }));

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, at) => from + at);

const ALL = itemsOf(range(0, 600));

const shape = (layout: ReadonlyMap<number, readonly Item[]>): ReadonlyMap<string, number> =>
  new Map([...layout].flatMap(([index, items]) => items.map((item) => [item.taskId, index])));

describe('layOutSlices', () => {
  it('puts up to a hundred backends into slice 0', () => {
    expect([...layOutSlices(itemsOf(range(0, 100)), []).keys()]).toEqual([0]);
    expect(layOutSlices(itemsOf(range(0, 101)), []).size).toBe(2);
    expect(layOutSlices([], []).size).toBe(0);
  });

  it('joins a split only when half a slice is left', () => {
    const inUse = [...layOutSlices(itemsOf(range(0, 101)), []).keys()];
    expect(layOutSlices(itemsOf(range(0, SLICE_MERGE_MAX + 1)), inUse).size).toBe(2);
    expect(layOutSlices(itemsOf(range(0, SLICE_MERGE_MAX)), inUse).size).toBe(1);
  });

  it('holds 10,000 backends in slices that are half full on average', () => {
    const layout = layOutSlices(itemsOf(range(0, 10_000)), []);
    expect(layout.size).toBeGreaterThanOrEqual(100);
    expect(layout.size).toBeLessThanOrEqual(256);
  });

  it('lists every backend once, in slices within the limit, however it came to be', () => {
    const step = fc.record({ add: fc.boolean(), from: fc.nat(400), count: fc.nat(200) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), (steps) => {
        const present = new Set<number>();
        let inUse: readonly number[] = [];
        for (const { add, from, count } of steps) {
          for (const id of range(from, from + count)) {
            if (add) present.add(id);
            else present.delete(id);
          }
          const items = [...present].map((id) => ALL[id] as Item);
          const layout = layOutSlices(items, inUse);
          inUse = [...layout.keys()];
          expect(shape(layout).size).toBe(items.length);
          for (const [index, held] of layout) {
            expect(held.length > 0 && held.length <= SLICE_BACKENDS_MAX).toBe(true);
            expect(held.every(({ taskId }) => mayHold(index, taskId))).toBe(true);
          }
          // The same again changes nothing: there is no state but the slices themselves.
          expect(layOutSlices(items, inUse)).toEqual(layout);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('writes few slices for one more backend', () => {
    const items = ALL.slice(0, 500);
    const before = layOutSlices(items, []);
    const old = shape(before);
    for (const item of ALL.slice(570)) {
      const after = layOutSlices([...items, item], [...before.keys()]);
      const moved = [...shape(after)].filter(([taskId, index]) => old.get(taskId) !== index);
      const touched = new Set(moved.flatMap(([taskId, index]) => [index, old.get(taskId)]));
      touched.delete(undefined);
      expect(touched.size).toBeLessThanOrEqual(2);
    }
  });
});

describe('mayHold', () => {
  it('is true on the path of the hash and nowhere else', () => {
    const { taskId } = itemsOf([1])[0] as Item;
    const path = new Set(range(0, 8).map((depth) => hash32(taskId) % 2 ** depth));
    for (const index of range(0, 128)) expect(mayHold(index, taskId)).toBe(path.has(index));
  });
});
