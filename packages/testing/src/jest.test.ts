import { describe, expect as expectOfJest, it } from '@jest/globals';
import { swarmPolicy } from '@skep/scheduler';
import { node, place, service } from './index.js';
import { expect, policyMatchers } from './jest.js';

describe('@skep/testing/jest', () => {
  const result = place(swarmPolicy(), {
    nodes: [node('n1', { labels: { zone: 'a' } }), node('n2', { labels: { zone: 'b' } })],
    services: [service('web', { replicas: 2, spread: 'zone' }), service('big', { memory: '1TiB' })],
  });

  it('gives an expect that knows the matchers, with types', () => {
    expect(result.task('web.1')).toBePlacedOn('n1');
    expect(result.task('web.1')).not.toBePlacedOn('n2');
    expect(result.service('web')).toBeSpreadOver('zone', { maxSkew: 0 });
    expect(result.task('big.1')).toBePending({ because: 'resource' });
    expect(result).toFitCapacity();
    expect(result).not.toPlaceAll();
    expect(result.service('web')).toUseNodes(2);
    expect(result.task('web.2')).toPreferNode('n2', { over: 'n1' });
  });

  it('has taught the expect of jest, too, with types', () => {
    expectOfJest(result.task('web.1')).toBePlacedOn('n1');
    expectOfJest(result.task('web.1')).not.toBePending();
  });

  it('still is the expect of jest', () => {
    expect(result.places).toEqual({ 'web.1': 'n1', 'web.2': 'n2', 'big.1': null });
    expect(Object.keys(policyMatchers)).toContain('toBePlacedOn');
  });
});
