import { describe, expect, it } from '@jest/globals';
import { createCluster } from 'skep';
import { allocationsOf, renderAllocations } from './allocations.js';

const STACK = `
services:
  vote: { image: vote, networks: [a], ports: ["8080:80"], deploy: { replicas: 2 } }
networks: { a: {} }
`;

describe('allocations', () => {
  it('count what a stack takes, and that it gives everything back', async () => {
    const cluster = await createCluster({ nodes: 2 });
    const empty = allocationsOf(cluster.view());
    await cluster.apply(STACK);
    await cluster.settle();
    expect(allocationsOf(cluster.view())).toEqual({
      taskAddresses: 4,
      loadBalancerAddresses: 4,
      virtualAddresses: 2,
      quarantinedAddresses: 0,
      publishedPorts: 1,
      vxlanIds: 2,
    });
    await cluster.remove('vote');
    await cluster.settle();
    await cluster.removeNetwork('a');
    await cluster.settle();
    expect(allocationsOf(cluster.view())).toEqual(empty);
    expect(renderAllocations(cluster.view())).toBe(
      'in use: 0 addresses of tasks, 0 VIPs, 2 of load balancers, 0 in quarantine, ' +
        '0 published ports, 1 VXLAN ids',
    );
    await cluster.stop();
  });
});
