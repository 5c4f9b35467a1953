import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatIp, formatIpv4, parseIp, parseIpv4, withoutPrefix } from './ip-address.js';
import {
  arePrefixesOverlapping,
  compareAddresses,
  comparePrefixes,
  formatPrefix,
  holdsPrefix,
  parsePrefix,
  type IpPrefix,
} from './ip-prefix.js';

function prefix(text: string): IpPrefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

describe('addresses', () => {
  it.each([
    ['0.0.0.0', 0],
    ['10.0.9.3', 0x0a000903],
    ['255.255.255.255', 0xffffffff],
  ])('reads %s', (text, value) => {
    expect(parseIpv4(text)).toBe(value);
    expect(formatIpv4(value)).toBe(text);
  });

  it.each(['', '10', '10.0.0', '10.0.0.0.0', '10.0.0.256', '10.0.0.01', '10..0.1', ' 10.0.0.1'])(
    'refuses %p',
    (text) => expect(parseIp(text)).toBeUndefined(),
  );

  it.each([
    ['fd00::1', 'fd00::1'],
    ['FD00:0:0:0:0:0:0:1', 'fd00::1'],
    ['::', '::'],
    ['2001:db8::a:0:0:1', '2001:db8::a:0:0:1'],
  ])('reads %s as %s', (text, canonical) => {
    const parsed = parseIp(text);
    expect(parsed?.bits).toBe(128);
    expect(parsed && formatIp(parsed)).toBe(canonical);
  });

  it.each(['fe80::1%eth0', ':', '1:2', 'fd00::1::2', 'fd00::1/64'])('refuses %p', (text) =>
    expect(parseIp(text)).toBeUndefined(),
  );

  it('writes what it reads', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (value) => {
        expect(parseIpv4(formatIpv4(value))).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (value) => {
        expect(parseIp(formatIp({ bits: 128, value }))).toEqual({ bits: 128, value });
      }),
    );
  });

  it('takes the prefix length off', () => {
    expect(withoutPrefix('10.0.9.3/24')).toBe('10.0.9.3');
    expect(withoutPrefix('fd00::3')).toBe('fd00::3');
  });

  it('orders IPv4 first, then numerically, then what is no address', () => {
    const sorted = ['fd00::2', 'x', '10.0.0.10', '10.0.0.9', 'fd00::1'].sort(compareAddresses);
    expect(sorted).toEqual(['10.0.0.9', '10.0.0.10', 'fd00::1', 'fd00::2', 'x']);
  });
});

describe('ranges', () => {
  it.each([
    ['10.0.9.77/24', '10.0.9.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['192.168.4.3/30', '192.168.4.0/30'],
    ['fd00::ffff/64', 'fd00::/64'],
  ])('reads %s as %s', (text, masked) => expect(formatPrefix(prefix(text))).toBe(masked));

  it.each(['10.0.0.0', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/08', 'fd00::/129', '10.0.0/8'])(
    'refuses %p',
    (text) => expect(parsePrefix(text)).toBeUndefined(),
  );

  it.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.1.0.0/16', '10.0.0.0/8', true],
    ['10.0.0.0/24', '10.0.1.0/24', false],
    ['::/0', '10.0.0.0/8', false],
  ])('%s and %s overlap: %p', (a, b, overlap) => {
    expect(arePrefixesOverlapping(prefix(a), prefix(b))).toBe(overlap);
  });

  it('holds itself and smaller ones only', () => {
    expect(holdsPrefix(prefix('10.0.0.0/8'), prefix('10.0.0.0/8'))).toBe(true);
    expect(holdsPrefix(prefix('10.0.0.0/16'), prefix('10.0.0.0/8'))).toBe(false);
  });

  it('orders by family, address and size', () => {
    const sorted = ['fd00::/64', '10.0.0.0/16', '10.0.0.0/8', '9.0.0.0/8']
      .map(prefix)
      .sort(comparePrefixes)
      .map(formatPrefix);
    expect(sorted).toEqual(['9.0.0.0/8', '10.0.0.0/8', '10.0.0.0/16', 'fd00::/64']);
  });
});
