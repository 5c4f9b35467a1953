/**
 * A cluster whose nodes program their kernels by nftables: from the option to the packet, and
 * through updates, failures and reboots.
 */
import { describe, expect, it } from '@jest/globals';
import { isSkepError, type DataplaneName } from '@skep/api';
import { createCluster, type Cluster, type ClusterOptions } from 'skep';

const VOTE = `
services:
  vote:
    image: example/vote:1
    networks: [front]
    ports: ["8080:80", "5300:53/udp"]
    deploy: { replicas: 3 }
  client: { image: example/client:1, networks: [front] }
networks: { front: {} }
`;

async function withVote(
  options: ClusterOptions,
  use: (cluster: Cluster) => void | Promise<void>,
): Promise<void> {
  const cluster = await createCluster({ nodes: 2, ...options });
  try {
    await cluster.apply(VOTE);
    await cluster.settle();
    expect(cluster.problems()).toEqual([]);
    await use(cluster);
  } finally {
    await cluster.stop();
  }
}

/** Who answers so many requests, and the addresses that they see. */
function ask(cluster: Cluster, target: string, from?: string): readonly (readonly string[])[] {
  const results = Array.from({ length: 6 }, () =>
    cluster.request(target, from === undefined ? {} : { from }),
  );
  const seen = results.map(({ outcome, reason, taskId, seenSource }) =>
    outcome === 'answered' ? [taskId ?? '', seenSource ?? ''] : ['', reason ?? ''],
  );
  return [0, 1].map((at) => [...new Set(seen.map((one) => one[at] ?? ''))].sort());
}

const tasksOf = (cluster: Cluster): readonly string[] =>
  cluster
    .tasks('vote')
    .filter(({ status }) => status.state === 'running')
    .map(({ meta }) => meta.id)
    .sort();

const OUTSIDE = '192.168.50.1';

describe('createCluster with a dataplane', () => {
  it('nftables: every node leads to every task, and the client keeps its address', async () => {
    await withVote({ dataplane: 'nftables' }, (cluster) => {
      const tasks = tasksOf(cluster);
      expect(ask(cluster, 'node1:8080')).toEqual([tasks, [OUTSIDE]]);
      expect(ask(cluster, 'node2:8080')).toEqual([tasks, [OUTSIDE]]);
      const [inside, sources] = ask(cluster, 'http://vote/', 'client');
      expect(inside).toEqual(tasks);
      expect(sources?.[0]).toMatch(/^10\.0\.1\./);
      expect(cluster.request('node1:5300', { protocol: 'udp' })).toMatchObject({
        outcome: 'answered',
        seenSource: OUTSIDE,
      });
      expect(cluster.request('node1:8081').outcome).not.toBe('answered');
    });
  });

  it('ipvs by default: the sandbox stands for the client, as in Swarm', async () => {
    await withVote({}, (cluster) => {
      const [tasks, sources] = ask(cluster, 'node1:8080');
      expect(tasks).toEqual(tasksOf(cluster));
      expect(sources).not.toContain(OUTSIDE);
    });
  });

  it('goes on through an update, a node that fails, and one that starts again', async () => {
    await withVote({ dataplane: 'nftables', nodes: 3 }, async (cluster) => {
      const before = tasksOf(cluster);
      await cluster.apply(VOTE.replace('vote:1', 'vote:2'));
      await cluster.settle();
      const updated = tasksOf(cluster);
      expect(updated.some((task) => before.includes(task))).toBe(false);
      expect(ask(cluster, 'node3:8080')).toEqual([updated, [OUTSIDE]]);
      const host = cluster.simulator.host('node2');
      host.powerOff();
      await cluster.settle();
      expect(ask(cluster, 'node1:8080')).toEqual([tasksOf(cluster), [OUTSIDE]]);
      await host.powerOn();
      await cluster.settle();
      expect(ask(cluster, 'node2:8080')).toEqual([tasksOf(cluster), [OUTSIDE]]);
    });
  });

  it('is one setting with that of the cluster, before which the option goes', async () => {
    const chosen = async (options: ClusterOptions): Promise<boolean> => {
      let keepsAddress = false;
      await withVote(options, (cluster) => {
        keepsAddress = ask(cluster, 'node1:8080')[1]?.includes(OUTSIDE) ?? false;
      });
      return keepsAddress;
    };
    expect(await chosen({ cluster: { dataplane: 'nftables' } })).toBe(true);
    expect(await chosen({ cluster: { dataplane: 'nftables' }, dataplane: 'ipvs' })).toBe(false);
  });

  it('refuses one that there is not', async () => {
    const dataplane = 'iptables' as DataplaneName;
    const refusal = await createCluster({ dataplane }).catch((thrown: unknown) => thrown);
    expect(isSkepError(refusal, 'invalid-argument')).toBe(true);
    expect(String(refusal)).toMatch(/spec\.dataplane: 'iptables' is not known here/);
  });

  it('refuses what it cannot do, and says what would be right', async () => {
    await withVote({ dataplane: 'nftables' }, async (cluster) => {
      const busy = `
apiVersion: skep/v1
kind: Service
metadata: { name: busy }
spec:
  task: { container: { image: example/busy:1 } }
  endpoint: { affinity: { type: client-ip, timeoutMs: 60000 } }
`;
      const refusal = await cluster.apply(busy).catch((thrown: unknown) => thrown);
      expect(String(refusal)).toMatch(/spec\.endpoint\.affinity.*nftables remembers no clients/);
      expect(String(refusal)).toMatch(/source-hash or maglev/);
    });
  });
});
