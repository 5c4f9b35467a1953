import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Heap } from './heap.js';
import { NodeHeap } from './node-heap.js';
import { NodeRecord } from './node-info.js';

describe('Heap', () => {
  it('law: pops in order, and knows the second', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer(), { maxLength: 40 }), fc.nat(40), (items, split) => {
        const heap = new Heap<number>((a, b) => a - b, items.slice(0, split));
        for (const item of items.slice(split)) heap.push(item);
        const sorted = [...items].sort((a, b) => a - b);
        for (const [at, item] of sorted.entries()) {
          expect([heap.peek(), heap.second()]).toEqual([item, sorted[at + 1]]);
          expect(heap.pop()).toBe(item);
        }
        expect(heap.size).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it('finds the place of a top that got worse', () => {
    const items = [{ rank: 1 }, { rank: 2 }, { rank: 3 }];
    const heap = new Heap<{ rank: number }>((a, b) => a.rank - b.rank, items);
    const top = heap.peek();
    if (top !== undefined) top.rank = 9;
    heap.fixTop();
    expect(heap.peek()?.rank).toBe(2);
  });
});

describe('NodeHeap', () => {
  it('law: after any puts and deletes the top is the least, by values and then by ordinal', () => {
    const step = fc.record({ ordinal: fc.nat(9), value: fc.nat(3), isDelete: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const records = Array.from({ length: 10 }, (_, ordinal) => {
          const record = new NodeRecord(`n${ordinal}`);
          record.ordinal = ordinal;
          return record;
        });
        const heap = new NodeHeap(10, 1);
        const model = new Map<number, number>();
        for (const { ordinal, value, isDelete } of steps) {
          const record = records[ordinal] as NodeRecord;
          if (isDelete) {
            heap.delete(record);
            model.delete(ordinal);
          } else {
            heap.put(record, [value]);
            model.set(ordinal, value);
          }
          const order = [...model].sort((a, b) => a[1] - b[1] || a[0] - b[0]);
          expect([
            heap.peek()?.ordinal,
            heap.second()?.ordinal,
            heap.size,
            heap.has(record),
          ]).toEqual([order[0]?.[0], order[1]?.[0], model.size, !isDelete]);
        }
      }),
      { numRuns: 40 },
    );
  });
});
