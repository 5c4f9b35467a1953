/**
 * The order of addresses that a real Docker Swarm gave (the recorded scenario: two nodes, `vote`
 * with two replicas on overlay1 publishing 8080, `client`).
 */
import { describe, expect, it } from '@jest/globals';
import { Cluster, Network, Node, Service, Task } from '@skep/api';
import { AllocatorRig } from './__fixtures__/rig.js';

function scenario(): AllocatorRig {
  const rig = new AllocatorRig().ingress().node('node1').node('node2').settle();
  rig.network('overlay1', { ipam: { configs: [{ subnet: '10.0.9.0/24' }] } }).settle();
  rig.service('vote', ['overlay1'], [{ targetPort: 80, publishedPort: 8080 }]);
  rig.tasks('vote', 1, 2).settle();
  rig.runs('vote.1', 'node1').runs('vote.2', 'node2').settle();
  rig.service('client', ['overlay1']).tasks('client', 1).settle();
  return rig.runs('client.1', 'node1').settle();
}

describe('addresses of the recorded scenario', () => {
  const rig = scenario();
  const addressesOf = (task: string): Record<string, readonly string[]> =>
    Object.fromEntries(
      (rig.get(Task, task).status.networks ?? []).map((one) => [one.networkId, one.addresses]),
    );

  it('gives the networks their ranges and VXLAN ids', () => {
    expect(rig.get(Network, 'ingress').status.subnets).toEqual([
      { subnet: '10.0.0.0/24', gateway: '10.0.0.1', vxlanId: 4096, lastAddress: '10.0.0.6' },
    ]);
    expect(rig.get(Network, 'overlay1').status.subnets).toEqual([
      { subnet: '10.0.9.0/24', gateway: '10.0.9.1', vxlanId: 4097, lastAddress: '10.0.9.8' },
    ]);
    expect(rig.get(Cluster, 'cluster').status.lastVxlanId).toBe(4097);
  });

  it('gives ingress addresses to load balancers, then the VIP, then tasks', () => {
    expect(rig.get(Node, 'node1').status.networks?.[0]).toEqual({
      networkId: 'ingress',
      address: '10.0.0.2/24',
    });
    expect(rig.get(Node, 'node2').status.networks?.[0]?.address).toBe('10.0.0.3/24');
    expect(rig.get(Service, 'vote').status.endpoint?.virtualAddresses[0]).toEqual({
      networkId: 'ingress',
      address: '10.0.0.4/24',
    });
    expect(addressesOf('vote.1')['ingress']).toEqual(['10.0.0.5/24']);
    expect(addressesOf('vote.2')['ingress']).toEqual(['10.0.0.6/24']);
  });

  it('gives overlay addresses to VIP, tasks, the nodes of the tasks, and what comes later', () => {
    expect(rig.get(Service, 'vote').status.endpoint?.virtualAddresses[1]?.address).toBe(
      '10.0.9.2/24',
    );
    expect(addressesOf('vote.1')['overlay1']).toEqual(['10.0.9.3/24']);
    expect(addressesOf('vote.2')['overlay1']).toEqual(['10.0.9.4/24']);
    const balancers = ['node1', 'node2'].map(
      (node) => rig.get(Node, node).status.networks?.[1]?.address,
    );
    expect(balancers).toEqual(['10.0.9.5/24', '10.0.9.6/24']);
    expect(rig.get(Service, 'client').status.endpoint?.virtualAddresses[0]?.address).toBe(
      '10.0.9.7/24',
    );
    expect(addressesOf('client.1')).toEqual({ overlay1: ['10.0.9.8/24'] });
  });

  it('hands the task on to the scheduler, with the endpoint of its service', () => {
    const { endpoint, message } = rig.get(Task, 'vote.1').status;
    expect(message).toBe('pending task scheduling');
    expect(endpoint).toEqual(rig.get(Service, 'vote').status.endpoint);
    expect(endpoint).toMatchObject({ observedGeneration: 1, mode: 'vip' });
    expect(endpoint?.ports).toEqual([
      { name: '', protocol: 'tcp', targetPort: 80, publishedPort: 8080, publishMode: 'ingress' },
    ]);
  });
});
