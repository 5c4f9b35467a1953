import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HeapNode, RankHeap } from './rank-heap.js';

function drain(heap: RankHeap<string>): string[] {
  const owners: string[] = [];
  for (let node = heap.peek(); node !== undefined; node = heap.peek()) {
    heap.remove(node);
    owners.push(node.owner);
  }
  return owners;
}

describe('RankHeap', () => {
  it('gives lower ranks first, then lower orders', () => {
    const heap = new RankHeap<string>();
    heap.push(new HeapNode('late'), 9, 1);
    heap.push(new HeapNode('second'), 3, 5);
    heap.push(new HeapNode('first'), 3, 4);
    expect(drain(heap)).toEqual(['first', 'second', 'late']);
  });

  it('moves a node that is pushed again, and forgets one that is removed twice', () => {
    const heap = new RankHeap<string>();
    const node = new HeapNode('moved');
    heap.push(node, 1, 1);
    heap.push(new HeapNode('other'), 2, 2);
    heap.push(node, 3, 1);
    expect(heap.size).toBe(2);
    heap.remove(node);
    heap.remove(node);
    expect(node.index).toBe(-1);
    expect(drain(heap)).toEqual(['other']);
  });

  it('stays in order under any sequence of pushes and removals', () => {
    const step = fc.record({ at: fc.nat(19), rank: fc.nat(9), isRemoval: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const heap = new RankHeap<string>();
        const nodes = Array.from({ length: 20 }, (_, i) => new HeapNode(`${i}`));
        const model = new Map<HeapNode<string>, [rank: number, order: number]>();
        steps.forEach(({ at, rank, isRemoval }, order) => {
          const node = nodes[at] as HeapNode<string>;
          if (isRemoval) {
            heap.remove(node);
            model.delete(node);
          } else {
            heap.push(node, rank, order);
            model.set(node, [rank, order]);
          }
        });
        const expected = [...model]
          .sort(([, a], [, b]) => a[0] - b[0] || a[1] - b[1])
          .map(([node]) => node.owner);
        expect(heap.size).toBe(expected.length);
        expect(drain(heap)).toEqual(expected);
      }),
    );
  });
});
