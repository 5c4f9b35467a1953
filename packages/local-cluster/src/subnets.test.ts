import { describe, expect, it } from '@jest/globals';
import { freeSubnet, machineAddress, nodeAddress, routedSubnets } from './subnets.js';

describe('addresses of a cluster', () => {
  it.each([
    [[], '10.90.0.0/24'],
    [['10.90.0.0/24', 'nonsense', ''], '10.90.1.0/24'],
    [['10.90.0.0/23', '10.90.3.7/32', '192.168.1.0/24'], '10.90.2.0/24'],
  ])('beside %j: %s', (inUse, subnet) => expect(freeSubnet(inUse)).toBe(subnet));

  it('may all be taken', () => {
    expect(() => freeSubnet(['10.0.0.0/8'])).toThrow('no /24 of 10.90.0.0/16 is free');
  });

  it('of the machine and of the nodes', () => {
    expect(machineAddress('10.90.3.0/24')).toBe('10.90.3.1/24');
    expect(nodeAddress('10.90.3.0/24', 1)).toBe('10.90.3.11');
    expect(nodeAddress('10.90.3.0/24', 240)).toBe('10.90.3.250');
  });

  it('are found in what ip lists; ways to everywhere, and our own, are none', () => {
    const listing = JSON.stringify([
      { dst: 'default', gateway: '10.1.0.1', dev: 'eth0' },
      { dst: '10.90.0.0/24', dev: 'skep' },
      { dst: '10.90.1.0/24', dev: 'other' },
      { type: 'local', dst: '10.90.1.1', dev: 'other' },
    ]);
    const isOurs = (name: string): boolean => name === 'skep';
    expect(routedSubnets(listing, isOurs)).toEqual(['10.90.1.0/24', '10.90.1.1/32']);
    expect(routedSubnets('', isOurs)).toEqual([]);
  });
});
