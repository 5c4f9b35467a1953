import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { QueueEntry } from './queue-entry.js';
import { ReadyLane } from './ready-lane.js';

function item(key: string, readySince: number, priority = 0, order = readySince): QueueEntry {
  return Object.assign(new QueueEntry(key), { readySince, priority, order });
}

function drain(lane: ReadyLane<QueueEntry>): string[] {
  const keys: string[] = [];
  for (let next = lane.peek(); next !== undefined; next = lane.peek()) {
    lane.remove(next);
    keys.push(next.key);
  }
  return keys;
}

function laneOf(agingMs: number, items: readonly QueueEntry[]): ReadyLane<QueueEntry> {
  const lane = new ReadyLane<QueueEntry>(agingMs);
  for (const each of items) lane.add(each);
  return lane;
}

describe('ReadyLane', () => {
  it('serves equals in the order in which they came', () => {
    const lane = laneOf(1000, [item('a', 1), item('b', 1, 0, 2), item('c', 3)]);
    expect(lane.size).toBe(3);
    expect(drain(lane)).toEqual(['a', 'b', 'c']);
    expect(lane.size).toBe(0);
  });

  const cases: { title: string; items: QueueEntry[]; expected: string[] }[] = [
    {
      title: 'higher priority first',
      items: [item('low', 0, -1), item('normal', 1), item('high', 2, 5)],
      expected: ['high', 'normal', 'low'],
    },
    {
      title: 'a key that waited long beats a higher priority',
      items: [item('old', 0), item('high', 2001, 2)],
      expected: ['old', 'high'],
    },
    {
      title: 'but not one that came soon enough',
      items: [item('old', 0), item('high', 1999, 2)],
      expected: ['high', 'old'],
    },
    {
      title: 'a tie goes to who came first',
      items: [item('old', 0, 0, 1), item('high', 1000, 1, 2)],
      expected: ['old', 'high'],
    },
  ];
  it.each(cases)('$title', ({ items, expected }) => {
    expect(drain(laneOf(1000, items))).toEqual(expected);
  });

  it('lets any item go, wherever it stands', () => {
    const items = [item('a', 1), item('b', 2), item('c', 3), item('p', 4, 9), item('q', 5, 9)];
    for (const gone of items) {
      const lane = laneOf(1000, items);
      lane.remove(gone);
      lane.remove(gone);
      expect(lane.size).toBe(4);
      const expected = ['p', 'q', 'a', 'b', 'c'].filter((key) => key !== gone.key);
      expect(drain(lane)).toEqual(expected);
    }
  });

  it('starves nobody: a key is overtaken only by those that come within the head start', () => {
    const arrival = fc.record({ afterMs: fc.nat(400), priority: fc.integer({ min: -3, max: 8 }) });
    fc.assert(
      fc.property(fc.array(arrival, { minLength: 2, maxLength: 60 }), (arrivals) => {
        const agingMs = 100;
        let at = 0;
        const items = arrivals.map(({ afterMs, priority }, order) => {
          at += afterMs;
          return item(`${order}`, at, priority, order);
        });
        const served = drain(laneOf(agingMs, items)).map((key) => items[Number(key)]);
        const isOvertaken = (
          late: QueueEntry | undefined,
          early: QueueEntry | undefined,
        ): boolean =>
          late !== undefined &&
          early !== undefined &&
          early.readySince - late.readySince > (early.priority - late.priority) * agingMs;
        const unfair = served.flatMap((late, index) =>
          served.slice(0, index).filter((early) => isOvertaken(late, early)),
        );
        expect(unfair).toEqual([]);
      }),
    );
  });
});
