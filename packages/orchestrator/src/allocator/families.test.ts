/**
 * Networks of both families, and of IPv6 alone: everything that gets an address gets one of each,
 * on one segment, or none.
 */
import { describe, expect, it } from '@jest/globals';
import { Network, Node, Service, Task } from '@skep/api';

import { AllocatorRig } from './__fixtures__/rig.js';

const DUAL = { enablesIpv6: true } as const;
const SIX = { enablesIpv4: false, enablesIpv6: true } as const;
const POOLS = { addressPools: ['10.0.0.0/8', 'fd00::/48'] } as const;

const networksOf = (rig: AllocatorRig, id: string): readonly string[] =>
  (rig.get(Node, id).status.networks ?? []).map((one) => `${one.networkId}=${one.address}`);

const subnets = (...texts: readonly string[]) => ({
  ipam: { configs: texts.map((subnet) => ({ subnet })) },
});

describe('addresses of both families', () => {
  it('go to services, tasks and nodes, and go back together', () => {
    const rig = new AllocatorRig(POOLS).network('a', DUAL).node('n1').settle();
    rig.service('web', ['a']).tasks('web', 1).settle().runs('web.1', 'n1').settle();
    expect(rig.virtual('web')).toEqual(['a=10.0.0.2/24', 'a=fd00::2/64']);
    expect(rig.addresses('web.1')).toEqual({ a: ['10.0.0.3/24', 'fd00::3/64'] });
    expect(networksOf(rig, 'n1')).toEqual(['a=10.0.0.4/24', 'a=fd00::4/64']);
    rig.ends('web.1').drained('web.1').applied().settle().applied().settle();
    expect(rig.get(Task, 'web.1').status.releasedAt).toBeDefined();
    expect(networksOf(rig, 'n1')).toEqual([]);
    expect(rig.quarantine('a').map((text) => text.split(' ')[0])).toEqual(
      expect.arrayContaining(['10.0.0.3', 'fd00::3', '10.0.0.4', 'fd00::4']),
    );
  });

  it('are IPv6 alone in a network without IPv4', () => {
    const rig = new AllocatorRig(POOLS).network('six', SIX).node('n1').settle();
    rig.service('web', ['six']).tasks('web', 1).settle().runs('web.1', 'n1').settle();
    expect(rig.virtual('web')).toEqual(['six=fd00::2/64']);
    expect(rig.addresses('web.1')).toEqual({ six: ['fd00::3/64'] });
    expect(networksOf(rig, 'n1')).toEqual(['six=fd00::4/64']);
  });

  it('are of both in an ingress network that has both', () => {
    const rig = new AllocatorRig(POOLS).network('ingress', { ...DUAL, isIngress: true });
    rig
      .node('n1')
      .settle()
      .service('web', [], [{ targetPort: 80, publishedPort: 8080 }])
      .settle();
    expect(networksOf(rig, 'n1')).toEqual(['ingress=10.0.0.2/24', 'ingress=fd00::2/64']);
    expect(rig.virtual('web')).toEqual(['ingress=10.0.0.3/24', 'ingress=fd00::3/64']);
  });

  it('lie on one segment: the next one when either family is full', () => {
    const rig = new AllocatorRig().network('a', {
      ...DUAL,
      ...subnets('10.7.0.0/29', '10.8.0.0/24', 'fd00:1::/126', 'fd00:2::/64'),
    });
    rig.settle().service('web', ['a']).tasks('web', 1, 2).settle();
    expect(rig.virtual('web')).toEqual(['a=10.7.0.2/29', 'a=fd00:1::2/126']);
    expect(rig.addresses('web.1')).toEqual({ a: ['10.7.0.3/29', 'fd00:1::3/126'] });
    // IPv4 has room in the first segment, IPv6 has none.
    expect(rig.addresses('web.2')).toEqual({ a: ['10.8.0.2/24', 'fd00:2::2/64'] });
  });
});

describe('when one family has no address left', () => {
  const tight = { ...DUAL, ...subnets('10.7.0.0/24', 'fd00::/126') };

  it('a service gets none of the other, and says so', () => {
    const rig = new AllocatorRig().network('a', tight).settle();
    rig
      .service('one', ['a'])
      .settle()
      .service('two', ['a'])
      .settle()
      .service('web', ['a'])
      .settle();
    expect(rig.virtual('two')).toEqual(['a=10.7.0.3/24', 'a=fd00::3/126']);
    expect(rig.virtual('web')).toEqual([]);
    expect(rig.condition(Service, 'web')).toMatchObject({
      status: 'false',
      reason: 'AddressesExhausted',
    });
    expect(rig.get(Network, 'a').status.subnets[0]?.lastAddress).toBe('10.7.0.3');
  });

  it('a node gets none of the other, and says so', () => {
    const rig = new AllocatorRig().network('a', tight);
    rig.node('n1').settle();
    rig.task('t1', { template: { networks: [{ target: 'a' }] } }).settle();
    rig.task('t2', { template: { networks: [{ target: 'a' }] } }).settle();
    rig.runs('t1', 'n1').settle();
    expect(rig.condition(Node, 'n1')).toMatchObject({ reason: 'AddressesExhausted' });
    expect(networksOf(rig, 'n1')).toEqual([]);
  });
});
