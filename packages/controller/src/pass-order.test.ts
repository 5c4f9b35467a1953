import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { PassOrder } from './pass-order.js';

interface Item {
  readonly key: string;
  isRunning: boolean;
  behind: Item | undefined;
}

const item = (key: string): Item => ({ key, isRunning: false, behind: undefined });

describe('the order of passes', () => {
  it('finds what ends in the order in which it began', () => {
    const order = new PassOrder<Item>();
    const items = ['a', 'b', 'c'].map(item);
    for (const each of items) begin(order, each);
    for (const each of items) {
      expect(order.find(each.key)).toBe(each);
      end(order, each);
    }
    expect(order.find('a')).toBeUndefined();
  });

  it('never finds what does not run, or under another key, whatever ends when', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { maxLength: 60 }), (steps) => {
        const order = new PassOrder<Item>();
        const items = ['a', 'b', 'c', 'd', 'e'].map(item);
        for (const at of steps) {
          const each = items[at];
          if (each === undefined) continue;
          if (each.isRunning) end(order, each);
          else begin(order, each);
          for (const { key } of items) {
            const found = order.find(key);
            if (found !== undefined) expect([found.key, found.isRunning]).toEqual([key, true]);
          }
        }
        // Whatever was forgotten on the way: the next ones are found again.
        for (const each of items.filter(({ isRunning }) => isRunning)) end(order, each);
        for (const each of items) begin(order, each);
        for (const each of items) {
          expect(order.find(each.key)).toBe(each);
          end(order, each);
        }
      }),
    );
  });
});

function begin(order: PassOrder<Item>, each: Item): void {
  each.isRunning = true;
  order.began(each);
}

function end(order: PassOrder<Item>, each: Item): void {
  order.ended(each);
  each.isRunning = false;
}
