import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { shardOf, ShardMap, SHARDS_MAX } from './shard-map.js';

const members = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), {
  minLength: 1,
  maxLength: 12,
});
const shards = fc.integer({ min: 1, max: 256 });

describe('ShardMap', () => {
  it('gives every shard one owner, whatever the order of the members', () => {
    const property = fc.property(members, shards, (names, count) => {
      const map = new ShardMap(names, count);
      const owned = map.members.flatMap((member) => map.shardsOf(member));
      expect(owned.sort((a, b) => a - b)).toEqual([...Array(count).keys()]);
      expect(map.movesTo(new ShardMap([...names, ...names].reverse(), count))).toEqual([]);
    });
    fc.assert(property);
  });

  it('moves only to the member that comes, and only from the one that goes', () => {
    const property = fc.property(members, shards, (names, count) => {
      const [other = '', ...rest] = names;
      const [few, many] = [new ShardMap(rest, count), new ShardMap(names, count)];
      expect(few.movesTo(many).map(({ to }) => to)).toEqual(many.shardsOf(other).map(() => other));
      expect(many.movesTo(few).map(({ shard }) => shard)).toEqual(many.shardsOf(other));
    });
    fc.assert(property);
  });

  it('shares evenly, give or take chance', () => {
    // Five standard deviations: one in a million, for fixed seeds never.
    const property = fc.property(members, fc.constantFrom(64, 256, 1024), (names, count) => {
      const map = new ShardMap(names, count);
      const share = 1 / names.length;
      const bound = 5 * Math.sqrt(count * share * (1 - share));
      for (const member of names) {
        expect(Math.abs(map.shardsOf(member).length - count * share)).toBeLessThanOrEqual(bound);
      }
    });
    fc.assert(property, { seed: 1, numRuns: 200 });
  });

  it('spreads keys evenly over shards, and knows their owners', () => {
    const counts = new Map<number, number>();
    for (let at = 0; at < 64_000; at += 1) {
      const shard = shardOf(`key ${at}`, 64);
      counts.set(shard, (counts.get(shard) ?? 0) + 1);
    }
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(160);
    const map = new ShardMap(['a', 'b', 'c']);
    expect(map.ownerOfKey('key 1')).toBe(map.ownerOf(shardOf('key 1', 64)));
  });

  it('has no owners without members', () => {
    const empty = new ShardMap([]);
    expect([empty.ownerOf(0), empty.ownerOfKey('x'), empty.shardsOf('a')]).toEqual([
      undefined,
      undefined,
      [],
    ]);
    expect(empty.movesTo(new ShardMap(['a']))[0]).toEqual({ shard: 0, from: undefined, to: 'a' });
  });

  it('gives the owners that it gave in earlier versions', () => {
    const map = new ShardMap(['a', 'b', 'c'], 8);
    const owners = [...Array(8).keys()].map((shard) => map.ownerOf(shard)).join('');
    expect([owners, shardOf('web', 64), shardOf('api', 64)]).toMatchInlineSnapshot(`
     [
       "abcabcbc",
       37,
       13,
     ]
    `);
  });

  it.each([0, -1, 1.5, SHARDS_MAX + 1, Number.NaN])('refuses %p shards', (count) => {
    expect(() => new ShardMap(['a'], count)).toThrow('1 to 1024 shards');
  });

  it('refuses a member without a name, and to compare maps of different sizes', () => {
    expect(() => new ShardMap([''])).toThrow('needs a name');
    expect(() => new ShardMap(['a'], 8).movesTo(new ShardMap(['a'], 9))).toThrow('8 and 9 shards');
  });
});
