import { describe, expect, it } from '@jest/globals';

import {
  compareAddresses,
  endpointText,
  familyOf,
  hostPrefix,
  ipRange,
  ipRangeText,
  ipText,
  isInIpRange,
  macOf,
} from './ip.js';

describe('addresses of either family', () => {
  it.each([
    ['10.0.9.6/24', '10.0.9.0/24', 4],
    ['10.0.9.6', '10.0.9.6/32', 4],
    ['fd00:0:0:9::6/64', 'fd00:0:0:9::/64', 6],
    ['fd00::6', 'fd00::6/128', 6],
    ['::/0', '::/0', 6],
  ])('%s lies in %s', (address, range, family) => {
    expect(ipRangeText(address)).toBe(range);
    expect(familyOf(address)).toBe(family);
    expect(isInIpRange(address.split('/')[0] ?? '', ipRange(range))).toBe(true);
  });

  it.each([
    ['10.0.10.1', '10.0.9.0/24'],
    ['fd00:0:0:a::1', 'fd00:0:0:9::/64'],
    ['10.0.9.1', 'fd00::/8'],
    ['fd00::1', '0.0.0.0/0'],
    ['nobody', '::/0'],
    ['zz::1', '::/0'],
  ])('%s does not lie in %s', (address, range) => {
    expect(isInIpRange(address, ipRange(range))).toBe(false);
  });

  it.each(['fd00::/129', 'fd00::g/64', '10.0.0.0/33', 'nothing', 'fd00::/x'])(
    '%s is none',
    (text) => {
      expect(() => ipRange(text)).toThrow('not an');
    },
  );

  it('has one form of each, and writes ports behind it', () => {
    expect(ipText('FD00:0:0::0001')).toBe('fd00::1');
    expect(ipText('10.0.0.1')).toBe('10.0.0.1');
    expect(ipText('::zz')).toBe('::zz');
    expect(endpointText('fd00::1', 80)).toBe('[fd00::1]:80');
    expect(endpointText('10.0.0.1', 80)).toBe('10.0.0.1:80');
    expect([hostPrefix('fd00::1'), hostPrefix('10.0.0.1')]).toEqual([128, 32]);
  });

  it('gives every endpoint a MAC address that follows from its address', () => {
    expect(macOf('10.0.9.3')).toBe('02:42:0a:00:09:03');
    expect(macOf('fd00:1::a00:903')).toBe('02:46:0a:00:09:03');
  });

  it('orders IPv4 by number, then IPv6 by number, then the rest by text', () => {
    const sorted = ['z', 'fd00::10', '10.0.0.10', 'fd00::9', '10.0.0.9', 'a', '10.0.0.9'];
    expect(sorted.sort(compareAddresses)).toEqual([
      ...['10.0.0.9', '10.0.0.9', '10.0.0.10', 'fd00::9', 'fd00::10', 'a', 'z'],
    ]);
  });
});
