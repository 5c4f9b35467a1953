import { describe, expect, it } from '@jest/globals';
import { Network, Node, Service, type ServiceSpec } from '@skep/api';
import { brokenInvariants } from '../invariants.js';
import { commitLog } from './commit-log.js';
import { strayPackets, unansweredPackets } from './packets.js';
import { runScript } from './run-script.js';
import { startTestCluster, type TestCluster, type TestClusterOptions } from './test-cluster.js';

const SPEC: ServiceSpec = {
  mode: { type: 'replicated', replicas: 2 },
  task: { container: { image: 'app:1' }, networks: [{ target: 'front' }] },
  endpoint: { ports: [{ targetPort: 80, publishedPort: 8080 }] },
};

async function withWeb(options: TestClusterOptions = {}): Promise<TestCluster> {
  const cluster = await startTestCluster(options);
  await cluster.apply(
    { kind: Network, name: 'front', spec: {} },
    { kind: Service, name: 'web', spec: SPEC },
  );
  await cluster.settle();
  return cluster;
}

function statesOf(cluster: TestCluster): readonly string[] {
  return cluster.tasks('web').map(({ spec, status }) => `${spec.slot} ${status.state}`);
}

describe('TestCluster', () => {
  it('runs what is declared, and answers', async () => {
    const cluster = await withWeb();
    expect(statesOf(cluster)).toEqual(['1 running', '2 running']);
    expect(cluster.simulator.request('node2:8080').outcome).toBe('answered');
    expect(unansweredPackets(cluster)).toEqual([]);
    expect(strayPackets(cluster)).toEqual([]);
    await cluster.stop();
  });

  it('programs its nodes as the settings of the cluster say', async () => {
    const cluster = await withWeb({ cluster: { dataplane: 'nftables' } });
    const { outcome, seenSource } = cluster.simulator.request('node2:8080');
    expect({ outcome, seenSource }).toEqual({ outcome: 'answered', seenSource: '192.168.50.1' });
    expect(unansweredPackets(cluster)).toEqual([]);
    expect(strayPackets(cluster)).toEqual([]);
    await cluster.stop();
  });

  it('refuses as a user is refused, and changes nothing', async () => {
    const cluster = await withWeb();
    const { revision } = cluster.view();
    const refusal = { code: 'failed-precondition' };
    await expect(cluster.remove(Network, 'front')).rejects.toMatchObject(refusal);
    await expect(cluster.removeNode('node1')).rejects.toMatchObject(refusal);
    expect(cluster.view().revision).toBe(revision);
    expect(cluster.simulator.host('node1').isConnected).toBe(true);
    await cluster.stop();
  });

  it('goes on under another manager after one died at its work', async () => {
    const cluster = await withWeb();
    await cluster.scale('web', 4);
    await cluster.advance(1);
    cluster.crashManager();
    expect(cluster.hasManager).toBe(false);
    expect(() => cluster.manager).toThrow('no manager runs');
    const { revision } = cluster.view();
    await cluster.advance(5_000);
    expect(cluster.view().revision).toBe(revision);
    await cluster.startManager();
    await expect(cluster.startManager()).rejects.toMatchObject({ code: 'failed-precondition' });
    expect(await cluster.settle()).toMatchObject({ isSettled: true, waitingFor: [] });
    expect(statesOf(cluster)).toHaveLength(4);
    const nodes = cluster.view().list(Node);
    expect(nodes.map(({ status }) => status.state)).toEqual(['ready', 'ready']);
    await cluster.stop();
  });

  it('says what it still waits for', async () => {
    const cluster = await startTestCluster();
    const spec = { ...SPEC, task: { container: { image: 'app:1' } } };
    await cluster.apply({ kind: Service, name: 'web', spec });
    const { isSettled, elapsedMs, waitingFor } = await cluster.settle({ limitMs: 50 });
    expect([isSettled, elapsedMs, waitingFor.length > 0]).toEqual([false, 50, true]);
    await cluster.stop();
  });

  it('keeps a log of all that was committed', async () => {
    const cluster = await withWeb();
    const log = await commitLog(cluster);
    expect(log).toHaveLength(cluster.view().revision);
    expect(JSON.parse(log[0] ?? '')).toMatchObject({ revision: 1, actor: 'user' });
    await cluster.stop();
  });

  it('leaves no timer behind when it stops', async () => {
    const cluster = await withWeb();
    await cluster.stop();
    expect(cluster.clock.pending().map(({ label }) => label)).toEqual([]);
  });
});

describe('runScript', () => {
  it('skips what makes no sense, and ends with every node back', async () => {
    const machines = [{ name: 'node1', role: 'manager' as const }, { name: 'node2' }];
    const { cluster, declaration, skipped, violations, settlement } = await runScript({
      nodes: 2,
      machines,
      networks: { front: {} },
      steps: [
        { type: 'scale', service: 'web', replicas: 3 },
        { type: 'apply', service: 'web', spec: SPEC },
        { type: 'wait', ms: 2_000 },
        { type: 'recover', node: 'node2' },
        { type: 'lose', node: 'node2' },
        { type: 'availability', node: 'node1', availability: 'pause' },
        { type: 'remove-network', network: 'front' },
      ],
    });
    expect({ skipped, violations, isSettled: settlement.isSettled }).toEqual({
      skipped: [0, 3, 6],
      violations: [],
      isSettled: true,
    });
    const { networks, services, nodes } = declaration;
    expect([...networks.keys(), ...services.keys()]).toEqual(['front', 'web']);
    expect(nodes.get('node1')?.availability).toBe('active');
    expect(statesOf(cluster)).toEqual(['1 running', '2 running']);
    expect(brokenInvariants(cluster.view())).toEqual([]);
    await cluster.stop();
  });
});
