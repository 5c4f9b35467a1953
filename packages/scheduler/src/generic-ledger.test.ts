import { describe, expect, it } from '@jest/globals';
import { GenericLedger, genericRequests } from './generic-ledger.js';

function ledger(): GenericLedger {
  const made = new GenericLedger();
  made.declare([
    { kind: 'apple', count: 3 },
    { kind: 'gpu', ids: ['c', 'a', 'b'] },
  ]);
  return made;
}

describe('GenericLedger', () => {
  it('counts discrete items', () => {
    const made = ledger();
    made.take([{ kind: 'apple', count: 2 }]);
    expect(made.free('apple')).toBe(1);
    made.giveBack([{ kind: 'apple', count: 2 }]);
    expect(made.free('apple')).toBe(3);
    expect(made.capacity('apple')).toBe(3);
  });

  it('gives out names in the order of their text', () => {
    const made = ledger();
    const first = made.choose([{ kind: 'gpu', count: 2 }]);
    expect(first).toEqual([{ kind: 'gpu', ids: ['a', 'b'] }]);
    made.take(first);
    expect(made.choose([{ kind: 'gpu', count: 1 }])).toEqual([{ kind: 'gpu', ids: ['c'] }]);
  });

  it('choosing takes nothing', () => {
    const made = ledger();
    made.choose([{ kind: 'gpu', count: 3 }]);
    expect(made.free('gpu')).toBe(3);
  });

  it('gives names first, then items without', () => {
    const made = new GenericLedger();
    made.declare([
      { kind: 'gpu', count: 2 },
      { kind: 'gpu', ids: ['a'] },
    ]);
    expect(made.choose([{ kind: 'gpu', count: 2 }])).toEqual([
      { kind: 'gpu', ids: ['a'] },
      { kind: 'gpu', count: 1 },
    ]);
  });

  it('a name held twice is free only when both gave it back', () => {
    const made = ledger();
    made.take([{ kind: 'gpu', ids: ['a'] }]);
    made.take([{ kind: 'gpu', ids: ['a'] }]);
    made.giveBack([{ kind: 'gpu', ids: ['a'] }]);
    expect(made.free('gpu')).toBe(2);
    made.giveBack([{ kind: 'gpu', ids: ['a'] }]);
    expect(made.free('gpu')).toBe(3);
  });

  it('a new declaration keeps what is in use', () => {
    const made = ledger();
    made.take([
      { kind: 'gpu', ids: ['a'] },
      { kind: 'apple', count: 2 },
    ]);
    made.declare([{ kind: 'gpu', ids: ['a', 'd'] }]);
    expect(made.free('gpu')).toBe(1);
    expect(made.free('apple')).toBe(-2);
  });

  it('a kind that nobody declared has nothing free', () => {
    expect(ledger().free('pear')).toBe(0);
  });

  it('giving back what was not taken is an error', () => {
    expect(() => ledger().giveBack([{ kind: 'gpu', ids: ['a'] }])).toThrow('not in use');
  });
});

describe('genericRequests', () => {
  it('adds up, sorts, and drops what is 0', () => {
    expect(
      genericRequests([
        { kind: 'pear', count: 1 },
        { kind: 'apple', count: 2 },
        { kind: 'pear', ids: ['x', 'y'] },
        { kind: 'plum', count: 0 },
      ]),
    ).toEqual([
      { kind: 'apple', count: 2 },
      { kind: 'pear', count: 3 },
    ]);
  });
});
