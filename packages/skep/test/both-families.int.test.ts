/**
 * Networks of both families, and of IPv6 alone, from the spec to the packet: pools, virtual
 * addresses, tables of every node, and connections that come back.
 */
import { describe, expect, it } from '@jest/globals';
import { Network, Service, type DataplaneName } from '@skep/api';
import { createCluster, type Cluster } from 'skep';

async function dualCluster(dataplane: DataplaneName): Promise<Cluster> {
  const cluster = await createCluster({
    nodes: 2,
    dataplane,
    cluster: { addressPools: ['10.0.0.0/8', 'fd00::/48'] },
  });
  await cluster.declare([
    { kind: Network, name: 'six', spec: { enablesIpv4: false, enablesIpv6: true } },
  ]);
  await cluster.apply(`
services:
  web: { image: example/web:1, networks: [both, six], deploy: { replicas: 3 } }
  client: { image: example/client:1, networks: [both, six] }
networks:
  both: { enable_ipv6: true }
  six: { external: true, name: six }
`);
  await cluster.settle();
  return cluster;
}

/** Tasks that answer the client, request after request. */
function answers(cluster: Cluster, address: string): readonly (string | undefined)[] {
  const host = address.includes(':') ? `[${address}]` : address;
  return Array.from({ length: 6 }, () => {
    const { outcome, taskId, reason } = cluster.request(`${host}:80`, { from: 'client' });
    return outcome === 'answered' ? taskId : reason;
  });
}

describe('a cluster with networks of both families', () => {
  it.each<DataplaneName>(['ipvs', 'nftables'])(
    'answers on every address in turn: %s',
    async (dataplane) => {
      const cluster = await dualCluster(dataplane);
      try {
        expect(cluster.problems()).toEqual([]);
        const service = cluster.view().getByName(Service, 'web');
        const addresses = (service?.status.endpoint?.virtualAddresses ?? []).map(
          ({ address }) => address.split('/')[0] ?? '',
        );
        expect(addresses.map((address) => address.includes(':'))).toEqual([false, true, true]);
        const tasks = cluster.tasks('web').map(({ meta }) => meta.id);
        for (const address of addresses) {
          const [first, second, third, ...again] = answers(cluster, address);
          expect([first, second, third].sort()).toEqual([...tasks].sort());
          expect(again).toEqual([first, second, third]);
        }
      } finally {
        await cluster.stop();
      }
    },
  );

  it('says which family has no address left', async () => {
    const cluster = await createCluster({
      nodes: 1,
      cluster: { addressPools: ['10.0.0.0/8'] },
    });
    try {
      await cluster.apply(`
services:
  web: { image: example/web:1, networks: [both] }
networks:
  both: { enable_ipv6: true }
`);
      await cluster.settle({ limitMs: 60_000 });
      const messages = cluster.problems().map(({ message }) => message);
      expect(messages.join('\n')).toContain('no IPv6 pool');
    } finally {
      await cluster.stop();
    }
  });
});
