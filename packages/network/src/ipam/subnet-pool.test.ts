import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { arePrefixesOverlapping, formatPrefix, parsePrefix, type IpPrefix } from './ip-prefix.js';
import { SubnetPool, poolsOf, type AddressPool } from './subnet-pool.js';

function prefix(text: string): IpPrefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

/** `10.0.0.0/8:24`: the range, and the size it is cut by. */
function pool(text: string): AddressPool {
  const [base = '', size] = text.split(':');
  return { base, size: Number(size) };
}

interface Case {
  readonly about: string;
  readonly pools: readonly string[];
  readonly used?: readonly string[];
  readonly reserved?: readonly string[];
  readonly length?: number;
  /** The subnet, or the reason of the refusal. */
  readonly result: string;
}

/** Inputs and results as in libnetwork's table; the words are ours. */
const CASES: readonly Case[] = [
  { about: 'first of the default pool', pools: ['10.0.0.0/8:24'], result: '10.0.0.0/24' },
  {
    about: 'second of the default pool',
    pools: ['10.0.0.0/8:24'],
    used: ['10.0.0.0/24'],
    result: '10.0.1.0/24',
  },
  {
    about: 'only the end of the pool is used',
    pools: ['192.168.0.0/16:24'],
    used: ['192.168.255.0/24'],
    result: '192.168.0.0/24',
  },
  {
    about: 'a reserved range is larger than the used one',
    pools: ['10.0.0.0/8:24', '192.168.0.0/16:24'],
    used: ['10.0.0.0/8'],
    reserved: ['10.0.0.0/7'],
    result: '192.168.0.0/24',
  },
  {
    about: 'a larger range covers the first pool, the second is used in the middle',
    pools: ['10.20.0.0/16:24', '192.168.0.0/16:24'],
    used: ['10.0.0.0/8', '192.168.128.0/24'],
    result: '192.168.0.0/24',
  },
  {
    about: 'the same, and the second is used at its beginning too',
    pools: ['10.20.0.0/16:24', '192.168.0.0/16:24'],
    used: ['10.0.0.0/8', '192.168.0.0/24', '192.168.128.0/24'],
    result: '192.168.1.0/24',
  },
  {
    about: 'smaller ranges, one of them reserved, fill the first pool',
    pools: ['10.20.0.0/22:24', '192.168.0.0/16:24'],
    used: ['10.20.0.0/24', '10.20.1.0/24', '10.20.2.0/24', '192.168.128.0/24'],
    reserved: ['10.20.3.0/24'],
    result: '192.168.0.0/24',
  },
  {
    about: 'two halves fill the first pool, something beyond the second is reserved',
    pools: ['10.20.0.0/16:24', '192.168.0.0/16:24'],
    used: ['10.20.0.0/17', '10.20.128.0/17'],
    reserved: ['200.1.2.0/24'],
    result: '192.168.0.0/24',
  },
  {
    about: 'the last used range is reserved as well',
    pools: ['10.10.0.0/22:24', '192.168.0.0/16:24'],
    used: ['10.10.0.0/24', '10.10.1.0/24', '10.10.2.0/24', '10.10.3.0/24'],
    reserved: ['10.10.3.0/24'],
    result: '192.168.0.0/24',
  },
  {
    about: 'used ranges of several sizes at the beginning',
    pools: ['192.168.0.0/16:24'],
    used: ['192.168.0.0/24', '192.168.1.0/24', '192.168.2.0/23', '192.168.4.3/30'],
    result: '192.168.5.0/24',
  },
  {
    about: 'half a pool is not enough',
    pools: ['10.0.0.0/31:31', '192.168.0.0/16:24'],
    used: ['10.0.0.0/32', '100.0.0.0/32', '200.0.0.0/32'],
    result: '192.168.0.0/24',
  },
  {
    about: 'used and reserved ranges of several sizes, interleaved',
    pools: ['192.168.0.0/16:24'],
    used: ['192.168.0.0/24', '192.168.1.0/24', '192.168.2.3/30'],
    reserved: ['192.168.2.4/30', '192.168.3.0/30', '192.168.4.0/23'],
    result: '192.168.6.0/24',
  },
  {
    about: 'one range is used and reserved',
    pools: ['192.168.0.0/16:24'],
    used: ['192.168.0.0/24'],
    reserved: ['192.168.0.0/24'],
    result: '192.168.1.0/24',
  },
  {
    about: 'the first of two pools has room',
    pools: ['10.0.0.0/8:24', '192.168.0.0/16:24'],
    used: ['10.0.0.0/24'],
    reserved: ['192.168.0.0/24'],
    result: '10.0.1.0/24',
  },
  {
    about: 'pools in another pool do not count',
    pools: ['10.0.0.0/8:24', '10.0.0.0/16:24', '10.10.0.0/16:24', '192.168.0.0/16:24'],
    reserved: ['10.0.0.0/8'],
    result: '192.168.0.0/24',
  },
  {
    about: 'the first half is used',
    pools: ['172.16.0.0/15:16'],
    used: ['172.16.0.0/16'],
    result: '172.17.0.0/16',
  },
  {
    about: 'too little is left at the end, the next pool is fresh',
    pools: ['172.16.0.0/15:16', '192.168.0.0/16:24'],
    used: ['172.16.0.0/16', '172.17.0.0/17'],
    result: '192.168.0.0/24',
  },
  {
    about: 'too little is left at the end and there is no other pool',
    pools: ['172.16.0.0/15:16'],
    used: ['172.16.0.0/16', '172.17.0.0/17'],
    result: 'no-more-subnets',
  },
  {
    about: 'full, and something else is used',
    pools: ['172.16.0.0/15:16'],
    used: ['172.16.0.0/16', '172.17.0.0/16', '192.168.0.0/24'],
    result: 'no-more-subnets',
  },
  {
    about: 'full, and something else is reserved',
    pools: ['172.16.0.0/15:16'],
    used: ['172.16.0.0/16', '172.17.0.0/16'],
    reserved: ['192.168.0.0/24'],
    result: 'no-more-subnets',
  },
  {
    about: 'a pool that is smaller than what it is cut by is refused',
    pools: ['192.168.0.0/25:24'],
    result: 'invalid-pool',
  },
  {
    about: 'both pools are full',
    pools: ['172.16.0.0/15:16', '192.168.0.0/23:24'],
    used: ['172.16.0.0/16', '172.17.0.0/16', '192.168.0.0/24', '192.168.1.0/24'],
    result: 'no-more-subnets',
  },
  {
    about: 'both pools have room, but too little in one piece',
    pools: ['172.16.0.0/15:16', '192.168.0.0/23:24'],
    used: ['172.16.0.0/16', '172.17.128.0/17', '192.168.0.1/32', '192.168.1.0/24'],
    result: 'no-more-subnets',
  },
  {
    about: 'the same range is used several times',
    pools: ['172.16.0.0/15:16', '192.168.0.0/23:24'],
    used: ['172.16.0.0/16', '172.17.128.0/17', '172.17.128.0/17', '172.17.128.0/17'],
    result: '192.168.0.0/24',
  },
  {
    about: 'used ranges lie in one another',
    pools: ['172.16.0.0/15:16', '192.168.0.0/23:24'],
    used: ['172.16.0.0/16', '172.16.120.0/24', '172.17.128.0/17', '172.17.128.0/24'],
    result: '192.168.0.0/24',
  },
  {
    about: 'a smaller subnet is asked for; the base of the pool is not masked',
    pools: ['172.17.0.0/12:16'],
    length: 24,
    result: '172.17.0.0/24',
  },
  {
    about: 'a smaller subnet behind a used range',
    pools: ['172.17.0.0/12:16'],
    used: ['172.17.0.0/20'],
    length: 24,
    result: '172.17.16.0/24',
  },
  {
    about: 'the pool’s own size behind a small used range, aligned',
    pools: ['172.17.0.0/12:16'],
    used: ['172.17.0.0/24'],
    result: '172.18.0.0/16',
  },
  {
    about: 'the wanted subnet is larger than every pool',
    pools: ['172.16.0.0/15:16', '192.168.0.0/16:24'],
    length: 12,
    result: 'invalid-pool',
  },
  {
    about: 'the wanted subnet is larger than the first pool only',
    pools: ['192.168.0.0/16:24', '172.16.0.0/12:16'],
    length: 14,
    result: '172.16.0.0/14',
  },
  {
    about: 'no prefix has that length',
    pools: ['10.0.0.0/8:24'],
    length: 33,
    result: 'invalid-pool',
  },
  { about: 'there is no pool at all', pools: [], result: 'no-more-subnets' },
];

function choose({ pools, used = [], reserved = [], length }: Case): string {
  try {
    const space = new SubnetPool(pools.map(pool));
    for (const range of used) space.add(prefix(range));
    const wanted = { reserved: reserved.map(prefix), ...(length === undefined ? {} : { length }) };
    return formatPrefix(space.choose(wanted));
  } catch (error) {
    return String((error as { details?: { reason?: string } }).details?.reason);
  }
}

describe('choice of a subnet', () => {
  it.each(CASES)('$about: $result', (row) => expect(choose(row)).toBe(row.result));

  it('drops pools that lie in another, and of equal ones the later', () => {
    const space = new SubnetPool(
      [
        '10.0.0.0/8:16',
        '10.0.0.0/8:24',
        '10.10.0.0/8:24',
        '10.0.100.0/8:24',
        '192.168.0.0/24:24',
      ].map(pool),
    );
    expect(space.pools).toEqual(['10.0.0.0/8', '192.168.0.0/24']);
    expect(formatPrefix(space.choose())).toBe('10.0.0.0/16');
  });

  it('says which pools are full', () => {
    const space = new SubnetPool(poolsOf(['192.168.0.0/24'], 24));
    space.add(prefix('192.168.0.0/24'));
    expect(() => space.choose()).toThrow('no free /24 in the address pools 192.168.0.0/24');
    expect(() => space.choose({ bits: 128 })).toThrow('no IPv6 pool');
  });

  it('cuts IPv6 pools by /64', () => {
    const space = new SubnetPool(poolsOf(['10.0.0.0/8', 'fd00:1::/48'], 24));
    space.add(prefix('fd00:1::/64'));
    expect(formatPrefix(space.choose({ bits: 128 }))).toBe('fd00:1:0:1::/64');
    expect(formatPrefix(space.choose())).toBe('10.0.0.0/24');
  });

  it.each([
    [['10.0.0.0/8'], 30],
    [['10.0.0.0/8'], 0],
    [['ten'], 24],
  ])('pools %j by /%d are refused', (ranges, size) => {
    expect(() => poolsOf(ranges, size)).toThrow(
      expect.objectContaining({ details: { reason: 'invalid-pool' } }),
    );
  });

  it('gives a freed subnet again, the lowest first', () => {
    const space = new SubnetPool(poolsOf(['10.0.0.0/8'], 24));
    const take = (): string => {
      const chosen = space.choose();
      space.add(chosen);
      return formatPrefix(chosen);
    };
    expect([take(), take(), take(), take()]).toEqual([
      '10.0.0.0/24',
      '10.0.1.0/24',
      '10.0.2.0/24',
      '10.0.3.0/24',
    ]);
    expect(space.remove(prefix('10.0.2.0/24'))).toBe(true);
    expect(space.remove(prefix('10.0.1.0/24'))).toBe(true);
    expect(space.remove(prefix('10.0.1.0/24'))).toBe(false);
    expect([take(), take(), take()]).toEqual(['10.0.1.0/24', '10.0.2.0/24', '10.0.4.0/24']);
  });

  it('does not forget what was reserved for one request only', () => {
    const space = new SubnetPool(poolsOf(['10.0.0.0/8'], 24));
    expect(formatPrefix(space.choose({ reserved: [prefix('10.0.0.0/16')] }))).toBe('10.1.0.0/24');
    expect(formatPrefix(space.choose())).toBe('10.0.0.0/24');
  });

  it.each([
    ['10.0.1.0/24', '10.0.1.0/24'],
    ['10.0.0.0/8', '10.0.1.0/24'],
    ['10.0.1.128/25', '10.0.1.0/24'],
    ['192.168.3.0/24', '192.168.0.0/16'],
    ['10.0.2.0/24', undefined],
    ['fd00::/64', undefined],
  ])('%s overlaps %s', (wanted, found) => {
    const space = new SubnetPool([]);
    space.add(prefix('10.0.1.0/24'));
    space.add(prefix('192.168.0.0/16'));
    const overlap = space.overlapping(prefix(wanted));
    expect(overlap && formatPrefix(overlap)).toBe(found);
  });
});

describe('laws of a subnet pool', () => {
  it('gives the first aligned gap, whatever was added and removed before', () => {
    const range = fc.record({ at: fc.nat(63), length: fc.integer({ min: 24, max: 28 }) });
    const step = fc.oneof(fc.constant(undefined), fc.record({ isAdd: fc.boolean(), range }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const space = new SubnetPool([pool('10.0.0.0/22:26')]);
        const used: IpPrefix[] = [];
        for (const one of steps) {
          const { at: slot, length } = one?.range ?? { at: 0, length: 26 };
          const asked = prefix(`10.0.${slot >> 4}.${(slot & 15) << 4}/${length}`);
          if (one?.isAdd === true) {
            space.add(asked);
            used.push(asked);
            continue;
          }
          if (one !== undefined) {
            const at = used.findIndex((other) => formatPrefix(other) === formatPrefix(asked));
            expect(space.remove(asked)).toBe(at >= 0);
            if (at >= 0) used.splice(at, 1);
            continue;
          }
          const free = Array.from({ length: 16 }, (_, i) =>
            prefix(`10.0.${i >> 2}.${(i & 3) << 6}/26`),
          ).find((slot) => !used.some((other) => arePrefixesOverlapping(slot, other)));
          const chosen = free === undefined ? undefined : space.choose();
          expect(chosen).toEqual(free);
          if (chosen === undefined) expect(() => space.choose()).toThrow('no free /26');
          else {
            expect(space.overlapping(chosen)).toBeUndefined();
            space.add(chosen);
            used.push(chosen);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
