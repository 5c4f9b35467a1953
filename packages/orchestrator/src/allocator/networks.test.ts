import { describe, expect, it } from '@jest/globals';
import { Cluster, Network, Service, withSpec, type NetworkSpec } from '@skep/api';
import { VXLAN_ID_OPTION } from '@skep/network';
import { AllocatorRig } from './__fixtures__/rig.js';

function subnet(...subnets: readonly string[]): NetworkSpec {
  return { ipam: { configs: subnets.map((one) => ({ subnet: one })) } };
}

function vxlan(list: string): NetworkSpec {
  return { driver: { name: 'overlay', options: { [VXLAN_ID_OPTION]: list } } };
}

function subnetsOf(rig: AllocatorRig, id: string): readonly string[] {
  return rig.get(Network, id).status.subnets.map((one) => `${one.subnet} ${one.vxlanId}`);
}

describe('subnets of networks', () => {
  it('gives ingress the first range though it was made last (12.8)', () => {
    const rig = new AllocatorRig().network('a').network('b').ingress().settle();
    expect(subnetsOf(rig, 'ingress')).toEqual(['10.0.0.0/24 4096']);
    expect(subnetsOf(rig, 'a')).toEqual(['10.0.1.0/24 4097']);
    expect(subnetsOf(rig, 'b')).toEqual(['10.0.2.0/24 4098']);
    expect(rig.condition(Network, 'a')).toMatchObject({ status: 'true', observedGeneration: 1 });
    expect(rig.get(Network, 'a').status.observedGeneration).toBe(1);
  });

  it('takes what the spec says', () => {
    const config = {
      subnet: '172.28.7.7/16',
      ipRange: '172.28.5.0/24',
      gateway: '172.28.5.254',
      auxiliaryAddresses: { host: '172.28.5.1' },
    };
    const rig = new AllocatorRig().network('a', { ipam: { configs: [config] } }).settle();
    expect(rig.get(Network, 'a').status.subnets).toEqual([
      {
        subnet: '172.28.0.0/16',
        gateway: '172.28.5.254',
        ipRange: '172.28.5.0/24',
        vxlanId: 4096,
        lastAddress: '172.28.4.255',
      },
    ]);
    rig.service('web', ['a']).settle();
    expect(rig.virtual('web')).toEqual(['a=172.28.5.0/16']);
    rig.service('next', ['a']).settle();
    expect(rig.virtual('next')).toEqual(['a=172.28.5.2/16']);
  });

  it('gives each subnet of a network an id of its own, and a pair of families one', () => {
    const rig = new AllocatorRig()
      .network('two', subnet('10.1.0.0/24', '10.2.0.0/24'))
      .settle()
      .network('dual', { ...subnet('fd00:1::/64', '10.3.0.0/24'), enablesIpv6: true })
      .settle();
    expect(subnetsOf(rig, 'two')).toEqual(['10.1.0.0/24 4096', '10.2.0.0/24 4097']);
    expect(subnetsOf(rig, 'dual')).toEqual(['10.3.0.0/24 4098', 'fd00:1::/64 4098']);
  });

  it('cuts IPv6 subnets from IPv6 pools', () => {
    const rig = new AllocatorRig({ addressPools: ['10.0.0.0/8', 'fd00:a::/48'] })
      .network('both', { enablesIpv6: true })
      .network('six', { enablesIpv4: false, enablesIpv6: true })
      .settle();
    expect(subnetsOf(rig, 'both')).toEqual(['10.0.0.0/24 4096', 'fd00:a::/64 4096']);
    expect(subnetsOf(rig, 'six')).toEqual(['fd00:a:0:1::/64 4097']);
  });

  it('says what it does not use', () => {
    const rig = new AllocatorRig().network('a', subnet('fd00::/64')).settle();
    expect(subnetsOf(rig, 'a')).toEqual(['10.0.0.0/24 4096']);
    expect(rig.condition(Network, 'a')?.message).toBe(
      'subnet fd00::/64 is not used, the network has no IPv6',
    );
  });

  it('gives node-local and config-only networks nothing', () => {
    const rig = new AllocatorRig()
      .network('host', { driver: { name: 'host' } })
      .network('mac', { driver: { name: 'macvlan' } })
      .network('template', { isConfigOnly: true })
      .network('plugin', { driver: { name: 'weave' } })
      .settle();
    for (const id of ['host', 'mac', 'template']) expect(subnetsOf(rig, id)).toEqual([]);
    expect(rig.get(Network, 'host').status.observedGeneration).toBe(1);
    expect(subnetsOf(rig, 'plugin')).toEqual(['10.0.0.0/24 0']);
  });

  it('takes VXLAN ids that are asked for, and skips them in turn', () => {
    const rig = new AllocatorRig().network('a', vxlan('4097')).network('b').network('c').settle();
    expect(['a', 'b', 'c'].map((id) => subnetsOf(rig, id)[0]?.split(' ')[1])).toEqual([
      '4097',
      '4096',
      '4098',
    ]);
  });
});

describe('networks that cannot be had', () => {
  const cases: readonly {
    readonly about: string;
    readonly spec: NetworkSpec;
    readonly reason: string;
    readonly message: string;
  }[] = [
    {
      about: 'overlap with another network',
      spec: subnet('10.0.0.0/16'),
      reason: 'SubnetOverlap',
      message: "subnet 10.0.0.0/16 overlaps 10.0.0.0/24 of network 'first'",
    },
    {
      about: 'overlap within the network',
      spec: subnet('10.5.0.0/16', '10.5.1.0/24'),
      reason: 'SubnetOverlap',
      message: "subnet 10.5.1.0/24 overlaps 10.5.0.0/16 of network 'second'",
    },
    {
      about: 'no range',
      spec: subnet('10.0.9.0'),
      reason: 'InvalidSubnet',
      message: "subnet '10.0.9.0' is not a range such as 10.0.9.0/24",
    },
    {
      about: 'gateway elsewhere',
      spec: { ipam: { configs: [{ subnet: '10.9.0.0/24', gateway: '10.8.0.1' }] } },
      reason: 'InvalidSubnet',
      message: "gateway '10.8.0.1' does not lie in subnet 10.9.0.0/24",
    },
    {
      about: 'auxiliary address elsewhere',
      spec: {
        ipam: { configs: [{ subnet: '10.9.0.0/24', auxiliaryAddresses: { a: '10.8.0.1' } }] },
      },
      reason: 'InvalidSubnet',
      message: "auxiliary address '10.8.0.1' does not lie in subnet 10.9.0.0/24",
    },
    {
      about: 'gateway without subnet',
      spec: { ipam: { configs: [{ gateway: '10.8.0.1' }] } },
      reason: 'InvalidSubnet',
      message: 'a gateway or an ipRange needs the subnet it lies in',
    },
    {
      about: 'unequal families',
      spec: { ...subnet('10.1.0.0/24', '10.2.0.0/24', 'fd00::/64'), enablesIpv6: true },
      reason: 'InvalidSubnet',
      message: '2 IPv4 and 1 IPv6 subnets: a network of both families needs as many of either',
    },
    {
      about: 'no IPv6 pool',
      spec: { enablesIpv6: true },
      reason: 'NoMoreSubnets',
      message: "no IPv6 pool: add a range to the cluster's addressPools",
    },
    {
      about: 'VXLAN id taken',
      spec: vxlan('4096'),
      reason: 'VxlanIdConflict',
      message: "VXLAN id 4096 is taken by network 'first'",
    },
    {
      about: 'VXLAN id out of range',
      spec: vxlan('42'),
      reason: 'InvalidVxlanId',
      message:
        "VXLAN ids '42' are not different numbers from 4096 to 16777215, separated by commas",
    },
  ];

  it.each(cases)('$about', ({ spec, reason, message }) => {
    const rig = new AllocatorRig().network('first').settle().network('second', spec).settle();
    const condition = rig.condition(Network, 'second');
    expect(condition).toMatchObject({ status: 'false', reason, since: 1000 });
    expect(condition?.message).toBe(message);
    expect(subnetsOf(rig, 'second')).toEqual([]);
    expect(rig.warnings).toHaveLength(1);
    // Nothing was kept of what it took before it failed.
    rig.network('third').settle();
    expect(subnetsOf(rig, 'third')).toEqual(['10.0.1.0/24 4097']);
  });

  it('names exhausted pools, and goes on when a network is gone', () => {
    const rig = new AllocatorRig({ addressPools: ['10.0.0.0/23'] });
    rig.network('a').network('b').network('c').settle();
    const condition = rig.condition(Network, 'c');
    expect(condition).toMatchObject({ status: 'false', reason: 'NoMoreSubnets' });
    expect(condition?.message).toBe('no free /24 in the address pools 10.0.0.0/23');
    rig.now = 5_000;
    rig.remove(Network, 'a').settle();
    expect(rig.has(Network, 'a')).toBe(false);
    expect(subnetsOf(rig, 'c')).toEqual(['10.0.0.0/24 4098']);
    expect(rig.condition(Network, 'c')).toMatchObject({ status: 'true', since: 5_000 });
  });

  it('goes on when the cluster gets another pool', () => {
    const rig = new AllocatorRig({ addressPools: ['10.0.0.0/30'] }).network('a').network('b');
    rig.settle();
    expect(rig.condition(Network, 'b')?.reason).toBe('NoMoreSubnets');
    rig.update(Cluster, 'cluster', 'user', (cluster) =>
      withSpec(cluster, { addressPools: ['10.0.0.0/30', '10.9.0.0/24'] }),
    );
    rig.settle();
    expect(subnetsOf(rig, 'b')).toEqual(['10.9.0.0/24 4097']);
  });

  it('says when the pools make no sense', () => {
    const rig = new AllocatorRig({ addressPools: ['ten'] }).network('a').settle();
    expect(rig.condition(Network, 'a')).toMatchObject({
      reason: 'InvalidPool',
      message: "pool 'ten' is not a range as 10.0.0.0/8",
    });
  });

  it('writes nothing twice', () => {
    const rig = new AllocatorRig({ addressPools: ['10.0.0.0/30'] }).network('a').network('b');
    rig.settle();
    const { revision } = rig.store.view();
    rig.restart();
    rig.settle();
    expect(rig.store.view().revision).toBe(revision);
  });

  it('follows labels of a network that has its subnets', () => {
    const rig = new AllocatorRig().network('a').settle();
    rig.update(Network, 'a', 'user', (network) =>
      withSpec(network, { ...network.spec, isAttachable: true }),
    );
    rig.settle();
    expect(rig.get(Network, 'a').status.observedGeneration).toBe(2);
    expect(subnetsOf(rig, 'a')).toEqual(['10.0.0.0/24 4096']);
  });
});

describe('the end of a network', () => {
  it('waits for its users, by name, and then frees range and VXLAN id', () => {
    const rig = new AllocatorRig().network('a').node('n1').settle();
    rig.service('web', ['a']).settle().tasks('web', 1).settle().runs('web.1', 'n1').settle();
    rig.remove(Network, 'a').settle();
    const condition = rig.condition(Network, 'a', 'Released');
    expect(condition).toMatchObject({ status: 'false', reason: 'InUse' });
    expect(condition?.message).toBe(
      "the network is kept until it is not used any more by service 'web'",
    );
    rig.remove(Service, 'web').ends('web.1').drained('web.1').applied().settle();
    expect(rig.has(Network, 'a')).toBe(true);
    rig.dropOrchestrator('web').settle();
    expect(rig.has(Service, 'web')).toBe(false);
    expect(rig.has(Network, 'a')).toBe(false);
    rig.network('b', subnet('10.0.0.0/24')).settle();
    expect(subnetsOf(rig, 'b')).toEqual(['10.0.0.0/24 4097']);
  });

  it('takes the load-balancer addresses in ingress from the nodes first', () => {
    const rig = new AllocatorRig().ingress().node('n1').settle();
    rig.remove(Network, 'ingress').settle();
    expect(rig.has(Network, 'ingress')).toBe(false);
    rig.network('i2', { isIngress: true }).settle();
    expect(subnetsOf(rig, 'i2')).toEqual(['10.0.0.0/24 4097']);
    expect(rig.condition(Network, 'i2')?.status).toBe('true');
  });

  it('gives nothing to those who come when it is being deleted', () => {
    const rig = new AllocatorRig().network('a').node('n1').settle();
    rig.service('web', ['a']).settle().remove(Network, 'a').settle();
    rig.service('late', ['a']).settle();
    expect(rig.condition(Service, 'late')).toMatchObject({
      reason: 'NetworkNotFound',
      message: "network 'a' is being deleted",
    });
    rig.tasks('web', 1).settle();
    expect(rig.addresses('web.1')).toEqual({ a: ['10.0.0.3/24'] });
  });
});
