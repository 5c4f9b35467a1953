import { describe, expect, it } from '@jest/globals';
import type { EndpointSpec } from '@skep/api';

import { unsupportedBy } from './capability.js';

const affinity = (timeoutMs: number): EndpointSpec => ({
  affinity: { type: 'client-ip', timeoutMs },
});

describe('unsupportedBy', () => {
  it.each<[string, EndpointSpec, readonly string[], readonly string[]]>([
    ['nothing asked', {}, [], []],
    ['round robin', { algorithm: 'round-robin' }, [], []],
    ['weighted', { algorithm: 'weighted-round-robin', weights: [{ weight: 3 }] }, [], []],
    ['source hash', { algorithm: 'source-hash' }, [], []],
    ['maglev', { algorithm: 'maglev', isLocalOnly: true, slowStartMs: 5 }, [], []],
    ['least connections', { algorithm: 'least-connections' }, [], ['algorithm']],
    ['affinity', affinity(10_000), [], ['affinity']],
    ['affinity of part of a second', affinity(1500), ['affinity.timeoutMs'], ['affinity']],
    ['affinity of 40 days', affinity(40 * 86_400_000), ['affinity.timeoutMs'], ['affinity']],
    [
      'weights',
      { weights: [{ weight: 65_535 }, { weight: 65_536 }, { weight: 0.5 }] },
      ['weights[1].weight', 'weights[2].weight'],
      ['weights[1].weight', 'weights[2].weight'],
    ],
    ['dnsrr', { mode: 'dnsrr' }, [], []],
    ['dnsrr that drains a version', { mode: 'dnsrr', weights: [{ weight: 0 }] }, [], []],
    [
      'dnsrr with everything',
      {
        mode: 'dnsrr',
        algorithm: 'maglev',
        isLocalOnly: true,
        slowStartMs: 1,
        weights: [{ weight: 2 }],
        ...affinity(1000),
      },
      ['algorithm', 'affinity', 'isLocalOnly', 'slowStartMs', 'weights'],
      ['algorithm', 'affinity', 'isLocalOnly', 'slowStartMs', 'weights'],
    ],
  ])('%s', (_, endpoint, ipvs, nftables) => {
    expect(unsupportedBy('ipvs', endpoint).map(({ field }) => field)).toEqual(ipvs);
    expect(unsupportedBy('nftables', endpoint).map(({ field }) => field)).toEqual(nftables);
  });

  it('says what, why and what would be right', () => {
    expect(unsupportedBy('nftables', { algorithm: 'least-connections' })).toEqual([
      {
        field: 'algorithm',
        reason: 'nftables cannot compare the open connections of backends',
        hint: 'use round-robin, weighted-round-robin, source-hash or maglev, or the dataplane ipvs',
      },
    ]);
    expect(unsupportedBy('ipvs', undefined)).toEqual([]);
  });
});
