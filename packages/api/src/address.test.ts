import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isInCidr, parseAddress, parseCidr } from './address.js';

describe('parseAddress', () => {
  it.each<[string, 32 | 128, bigint]>([
    ['0.0.0.0', 32, 0n],
    ['10.0.1.2', 32, 0x0a000102n],
    ['255.255.255.255', 32, 0xffffffffn],
    ['::', 128, 0n],
    ['::1', 128, 1n],
    ['1::', 128, 1n << 112n],
    ['2001:DB8::a', 128, (0x20010db8n << 96n) | 10n],
    ['1:2:3:4:5:6:7:8', 128, 0x00010002000300040005000600070008n],
    ['1:2:3:4:5:6:7::', 128, 0x00010002000300040005000600070000n],
    ['::ffff:10.0.1.2', 128, 0xffff0a000102n],
    ['1:2:3:4:5:6:1.2.3.4', 128, 0x00010002000300040005000601020304n],
  ])('reads %s', (text, bits, value) => {
    expect(parseAddress(text)).toEqual({ bits, value });
  });

  it.each([
    '',
    '10.0.1',
    '10.0.1.2.3',
    '10.0.1.256',
    '10.0.01.2',
    '10.0.1.-2',
    '10.0.1.2 ',
    ' 10.0.1.2',
    '0x10.0.1.2',
    'localhost',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '1.2.3.4::',
    '1:1.2.3.4::1',
    '::1.2.3',
    'fe80::1%eth0',
    '[::1]',
  ])('takes %j for no address', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it('gives different values for different addresses', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), (a, b) => {
        expect(parseAddress(a)?.value === parseAddress(b)?.value).toBe(a === b);
      }),
    );
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        expect(parseAddress(text)?.bits).toBe(128);
      }),
    );
  });
});

describe('parseCidr', () => {
  it.each<[string, number]>([
    ['10.0.0.0/8', 8],
    ['10.0.0.1', 32],
    ['0.0.0.0/0', 0],
    ['2001:db8::/32', 32],
    ['::1', 128],
  ])('reads %s with %i bits that count', (text, prefix) => {
    expect(parseCidr(text)?.prefix).toBe(prefix);
  });

  it.each(['', '/8', '10.0.0.0/', '10.0.0.0/33', '::/129', '10.0.0.0/8/8', '10.0.0.0/-1', '10/8'])(
    'takes %j for no range',
    (text) => {
      expect(parseCidr(text)).toBeUndefined();
    },
  );
});

describe('isInCidr', () => {
  it.each<[string, string, boolean]>([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.0.0.0', '10.0.0.0/8', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.2', '10.0.0.1', false],
    ['255.255.255.255', '0.0.0.0/0', true],
    ['10.9.9.9', '10.1.2.3/8', true],
    ['2001:db8:1::1', '2001:db8::/32', true],
    ['2001:db9::1', '2001:db8::/32', false],
    ['::1', '0.0.0.0/0', false],
    ['10.0.0.1', '::/0', false],
    ['10.0.0', '10.0.0.0/8', false],
  ])('%s in %s: %s', (address, range, expected) => {
    const parsed = parseCidr(range);
    expect(parsed !== undefined && isInCidr(address, parsed)).toBe(expected);
  });

  it('a longer prefix of the same address holds less', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 31 }), (a, b, prefix) => {
        const [wide, narrow] = [prefix, prefix + 1].map((bits) => parseCidr(`${b}/${bits}`));
        if (wide === undefined || narrow === undefined) throw new Error('not a range');
        expect(isInCidr(b, narrow)).toBe(true);
        if (isInCidr(a, narrow)) expect(isInCidr(a, wide)).toBe(true);
      }),
    );
  });
});
