import { describe, expect, it } from '@jest/globals';
import { isSkepError, Network, Node, Service, Task } from '@skep/api';
import { createCluster } from './create-cluster.js';
import type { Cluster } from './cluster.js';
import type { ClusterOptions } from './options.js';

const WEB = `
services:
  web:
    image: "web:1"
    networks: [net1]
    ports: ["8080:80"]
    deploy: { replicas: 2 }
  client:
    image: "client:1"
    networks: [net1]
networks: { net1: {} }
`;

/** A settled cluster in which all of {@link WEB} runs. */
async function running(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await createCluster(options);
  await cluster.apply(WEB);
  await cluster.settle();
  return cluster;
}

async function codeOf(body: () => unknown): Promise<string> {
  try {
    await body();
  } catch (thrown) {
    return isSkepError(thrown) ? thrown.code : String(thrown);
  }
  return 'nothing was refused';
}

const nodesOf = (cluster: Cluster, service: string): readonly string[] =>
  cluster.tasks(service).map(({ status }) => cluster.host(status.nodeId ?? '').name);

describe('Cluster.apply', () => {
  it('says what became of each object', async () => {
    const cluster = await createCluster();
    const { results: first } = await cluster.apply(WEB);
    expect(first.map(({ action, kind, name }) => `${action} ${kind} ${name}`).sort()).toEqual([
      'create Network net1',
      'create Service client',
      'create Service web',
    ]);
    const { results: again } = await cluster.apply(WEB);
    expect(new Set(again.map(({ action }) => action))).toEqual(new Set(['unchanged']));
    const { results: changed } = await cluster.apply(WEB.replace('replicas: 2', 'replicas: 3'));
    expect(changed.find(({ name }) => name === 'web')?.action).toBe('update');
    await cluster.stop();
  });

  it('takes all of it or nothing, and complains about everything, with its place', async () => {
    const cluster = await createCluster();
    const before = cluster.view().revision;
    const faulty = WEB.replace('replicas: 2', 'replicas: -1').replace('"8080:80"', '"99999:80"');
    const refused = await cluster.apply(faulty).catch((thrown: unknown) => thrown);
    if (!isSkepError(refused, 'invalid-argument')) throw new Error('it was not refused');
    expect(refused.details['complaints']).toHaveLength(2);
    expect(refused.message.split('\n')).toHaveLength(2);
    expect(refused.message).toContain('stack.yml:');
    expect(cluster.view().revision).toBe(before);
    await cluster.stop();
  });

  it('takes nothing that the front door refuses, and says where that stands', async () => {
    const cluster = await running();
    const before = cluster.view().revision;
    const twice = 'services: { other: { image: web, ports: ["8080:80"] }, fine: { image: web } }';
    const files = [{ path: 'other.yml', text: twice }];
    const refused = await cluster.apply(files).catch((thrown: unknown) => thrown);
    expect(isSkepError(refused)).toBe(true);
    expect(String(refused)).toContain('other.yml:1:');
    expect(cluster.view().revision).toBe(before);
    await cluster.stop();
  });

  it('removes with prune what a stack does not declare any more, and nothing else', async () => {
    const cluster = await createCluster();
    await cluster.apply(WEB, { stack: 'shop' });
    await cluster.apply('services: { other: { image: web } }');
    const less = 'services: { web: { image: "web:1", networks: [net1] } }\nnetworks: { net1: {} }';
    const { results } = await cluster.apply(less, { stack: 'shop', prune: true });
    expect(results.map(({ action, name }) => `${action} ${name}`)).toEqual([
      'unchanged shop_net1',
      'update shop_web',
      'delete shop_client',
    ]);
    await cluster.settle();
    const left = cluster
      .view()
      .list(Service)
      .map(({ meta }) => meta.name);
    expect(left.sort()).toEqual(['other', 'shop_web']);
    await cluster.stop();
  });

  it('only reads with load', async () => {
    const cluster = await createCluster();
    const before = cluster.view().revision;
    const { objects, complaints } = cluster.load([{ path: 'a.yml', text: WEB }]);
    expect([objects.length, complaints]).toEqual([3, []]);
    expect(cluster.view().revision).toBe(before);
    await cluster.stop();
  });
});

describe('Cluster, changes of services', () => {
  it('scales up, down and to nothing', async () => {
    const cluster = await running();
    for (const replicas of [4, 1, 0]) {
      await cluster.scale('web', replicas);
      await cluster.settle();
      expect(cluster.tasks('web')).toHaveLength(replicas);
    }
    expect(await codeOf(() => cluster.scale('web', -1))).toBe('invalid-argument');
    expect(await codeOf(() => cluster.scale('nobody', 1))).toBe('not-found');
    await cluster.stop();
  });

  it('updates, goes back, and forth again', async () => {
    const cluster = await running();
    const image = (): string | undefined => cluster.get(Service, 'web')?.spec.task.container?.image;
    const images = (): readonly (string | undefined)[] =>
      cluster.tasks('web').map(({ spec }) => spec.template.container?.image);
    const labels = cluster.get(Service, 'web')?.meta.labels;
    await cluster.update('web', (spec) => ({
      ...spec,
      task: { ...spec.task, container: { ...spec.task.container, image: 'web:2' } },
    }));
    await cluster.settle();
    expect([image(), images()]).toEqual(['web:2', ['web:2', 'web:2']]);
    expect(cluster.get(Service, 'web')?.meta.labels).toEqual(labels);
    await cluster.rollback('web');
    await cluster.settle();
    expect(images()).toEqual(['web:1', 'web:1']);
    await cluster.rollback('web');
    await cluster.settle();
    expect(images()).toEqual(['web:2', 'web:2']);
    await cluster.stop();
  });

  it('refuses an update that is none, and leaves the service alone', async () => {
    const cluster = await running();
    const before = cluster.get(Service, 'web');
    const wrong = cluster.update('web', (spec) => ({
      ...spec,
      mode: { type: 'replicated', replicas: -3 },
    }));
    expect(await codeOf(() => wrong)).toBe('invalid-argument');
    expect(await codeOf(() => cluster.update('nobody', (spec) => spec))).toBe('not-found');
    expect(await codeOf(() => cluster.rollback('client'))).toBe('failed-precondition');
    expect(cluster.get(Service, 'web')).toBe(before);
    await cluster.stop();
  });

  it('loses nothing of an update to a change that comes at the same time', async () => {
    const cluster = await running();
    await Promise.all([
      cluster.update('web', (spec) => ({
        ...spec,
        endpoint: { ...spec.endpoint, slowStartMs: 7 },
      })),
      cluster.scale('web', 3),
      cluster.forceUpdate('web'),
    ]);
    const spec = cluster.get(Service, 'web')?.spec;
    expect(spec?.endpoint?.slowStartMs).toBe(7);
    expect(spec?.mode).toEqual({ type: 'replicated', replicas: 3 });
    expect(spec?.task.forceUpdate).toBe(1);
    await cluster.stop();
  });

  it('replaces every task with forceUpdate, though nothing changes', async () => {
    const cluster = await running();
    const before = new Set(cluster.tasks('web').map(({ meta }) => meta.id));
    await cluster.forceUpdate('web');
    await cluster.settle();
    const after = cluster.tasks('web');
    expect(after).toHaveLength(2);
    expect(after.every(({ meta }) => !before.has(meta.id))).toBe(true);
    await cluster.stop();
  });

  it('removes services together or not at all, then their network', async () => {
    const cluster = await running();
    expect(await codeOf(() => cluster.remove('web', 'nobody'))).toBe('not-found');
    expect(await codeOf(() => cluster.removeNetwork('net1'))).toBe('failed-precondition');
    expect(cluster.tasks('web')).toHaveLength(2);
    await cluster.remove('web', 'client');
    await cluster.settle();
    expect(cluster.view().count(Service)).toBe(0);
    expect(cluster.view().count(Task)).toBe(0);
    await cluster.removeNetwork('net1');
    await cluster.settle();
    expect(cluster.get(Network, 'net1')).toBeUndefined();
    expect(cluster.simulator.hosts.flatMap(({ runtime }) => runtime.containers())).toEqual([]);
    await cluster.stop();
  });

  it('removes a stack with everything that belongs to it', async () => {
    const cluster = await createCluster();
    await cluster.apply(WEB, { stack: 'shop' });
    await cluster.settle();
    await cluster.removeStack('shop');
    await cluster.settle();
    expect(cluster.view().count(Service)).toBe(0);
    expect(cluster.get(Network, 'shop_net1')).toBeUndefined();
    expect(await codeOf(() => cluster.removeStack('shop'))).toBe('not-found');
    await cluster.stop();
  });
});

describe('Cluster, nodes', () => {
  it('adds a node, which takes work, and removes it, which loses it', async () => {
    const cluster = await running({ nodes: 1 });
    const host = await cluster.addNode({ name: 'extra', labels: { disk: 'ssd' } });
    expect(cluster.host('extra')).toBe(host);
    await cluster.settle();
    expect(cluster.get(Node, 'extra')).toMatchObject({
      meta: { labels: { disk: 'ssd' } },
      spec: { role: 'worker', availability: 'active' },
      status: { state: 'ready' },
    });
    await cluster.scale('web', 4);
    await cluster.settle();
    expect(nodesOf(cluster, 'web')).toContain('extra');
    await cluster.removeNode('extra');
    await cluster.settle();
    expect(new Set(nodesOf(cluster, 'web'))).toEqual(new Set(['node1']));
    expect(cluster.tasks('web')).toHaveLength(4);
    expect(cluster.get(Node, 'extra')).toBeUndefined();
    expect(await codeOf(() => cluster.host('extra'))).toBe('not-found');
    expect(await codeOf(() => cluster.removeNode('extra'))).toBe('not-found');
    await cluster.addNode({ name: 'extra' });
    expect((await cluster.settle()).isSettled).toBe(true);
    expect(cluster.problems()).toEqual([]);
    await cluster.stop();
  });

  it('keeps tasks on a paused node but gives it none, and moves them from a drained one', async () => {
    const cluster = await running();
    await cluster.pause('node2');
    await cluster.scale('web', 4);
    await cluster.settle();
    expect(nodesOf(cluster, 'web').filter((name) => name === 'node2')).toHaveLength(1);
    await cluster.drain('node2');
    await cluster.settle();
    expect(new Set(nodesOf(cluster, 'web'))).toEqual(new Set(['node1']));
    await cluster.activate('node2');
    await cluster.scale('web', 6);
    await cluster.settle();
    expect(nodesOf(cluster, 'web')).toContain('node2');
    expect(await codeOf(() => cluster.drain('node9'))).toBe('not-found');
    await cluster.stop();
  });

  it('notices a machine that is gone, replaces its tasks, and notices its return', async () => {
    const cluster = await running();
    cluster.lose('node2');
    expect((await cluster.settle()).isSettled).toBe(true);
    expect(cluster.get(Node, 'node2')?.status.state).toBe('down');
    expect(new Set(nodesOf(cluster, 'web'))).toEqual(new Set(['node1']));
    await cluster.recover('node2');
    expect((await cluster.settle()).isSettled).toBe(true);
    expect(cluster.get(Node, 'node2')?.status.state).toBe('ready');
    expect(await codeOf(() => cluster.lose('node9'))).toBe('not-found');
    await cluster.stop();
  });

  it('settles though an agent was stopped, or a node was removed under its machine', async () => {
    const cluster = await running({ nodes: 3 });
    const stopping = cluster.host('node2').stopAgent();
    await cluster.advance(10);
    await stopping;
    const without = await cluster.settle();
    expect(without.isSettled).toBe(true);
    expect(cluster.get(Node, 'node2')?.status.state).not.toBe('ready');
    await cluster.host('node2').start();
    expect((await cluster.settle()).isSettled).toBe(true);
    expect(cluster.get(Node, 'node2')?.status.state).toBe('ready');
    cluster.lose('node3');
    await cluster.settle();
    await cluster.removeObject({ kind: Node, reference: 'node3' });
    await cluster.recover('node3');
    const { isSettled, elapsedMs } = await cluster.settle();
    expect(isSettled).toBe(true);
    expect(elapsedMs).toBeLessThan(120_000);
    await cluster.stop();
  });

  it('says whom it waits for when nobody notices in time', async () => {
    const cluster = await running();
    cluster.lose('node2');
    const { isSettled, waitingFor } = await cluster.settle({ limitMs: 1_000 });
    expect(isSettled).toBe(false);
    expect(waitingFor).toContain('node node2 counts as ready, and its machine is gone');
    await cluster.stop();
  });
});

describe('Cluster, requests', () => {
  it('is reached from outside and from a task, by name and by number', async () => {
    const cluster = await running();
    const bodies = [1, 2, 3, 4].map(() => cluster.request('node1:8080').body);
    expect(new Set(bodies).size).toBe(2);
    expect(cluster.request('http://web/', { from: 'client' }).outcome).toBe('answered');
    expect(cluster.request('http://web/', { from: 'client.1' }).outcome).toBe('answered');
    expect(cluster.request('node1:8080', { protocol: 'udp' }).outcome).toBe('refused');
    expect(cluster.request('http://nobody/', { from: 'client' }).outcome).toBe('unresolved');
    expect(cluster.request('node9:8080').outcome).toBe('unresolved');
    const { addresses, outcome } = cluster.lookup('tasks.web', { from: 'client' });
    expect([outcome, addresses.length]).toEqual(['NOERROR', 2]);
    await cluster.stop();
  });

  it('needs somebody who asks', async () => {
    const cluster = await running();
    expect(await codeOf(() => cluster.request('http://web/', { from: 'nobody' }))).toBe(
      'not-found',
    );
    expect(await codeOf(() => cluster.lookup('web', { from: 'nobody' }))).toBe('not-found');
    await cluster.scale('client', 0);
    await cluster.settle();
    expect(await codeOf(() => cluster.request('http://web/', { from: 'client' }))).toBe(
      'not-found',
    );
    expect(await codeOf(() => cluster.request('https://web/'))).toBe('invalid-argument');
    await cluster.stop();
  });

  it('crashes what runs, and nothing else; the cluster puts another in its place', async () => {
    const cluster = await running();
    const [first] = cluster.tasks('web');
    cluster.crash('web', 3);
    await cluster.settle();
    const ended = cluster.view().get(Task, first?.meta.id ?? '');
    expect(ended?.status).toMatchObject({ state: 'failed', container: { exitCode: 3 } });
    expect(cluster.tasks('web')).toHaveLength(2);
    expect(await codeOf(() => cluster.crash('nobody'))).toBe('not-found');
    expect(await codeOf(() => cluster.crash(first?.meta.id ?? ''))).toBe('not-found');
    await cluster.stop();
  });

  it('says of a task on no node that it is on none', async () => {
    const cluster = await running();
    await cluster.apply(
      'services: { big: { image: big, deploy: { placement: { constraints: [node.role == none] } } } }',
    );
    await cluster.settle();
    const [task] = cluster.tasks('big');
    const id = task?.meta.id ?? '';
    expect(await codeOf(() => cluster.crash(id))).toBe('failed-precondition');
    expect(await codeOf(() => cluster.lookup('web', { from: id }))).toBe('failed-precondition');
    expect(cluster.problems().map(({ code }) => code)).toContain('no-suitable-node');
    await cluster.stop();
  });
});

describe('Cluster, the whole', () => {
  it('finds objects by id and name; of several with one name, the same each time', async () => {
    const cluster = await running();
    const web = cluster.get(Service, 'WEB');
    expect(web?.meta.name).toBe('web');
    expect(cluster.get(Service, web?.meta.id ?? '')).toBe(web);
    expect(cluster.get(Service, 'nobody')).toBeUndefined();
    expect(cluster.get(Task, '')).toBeUndefined();
    await cluster.stop();
  });

  it('tells of every commit until it is stopped', async () => {
    const cluster = await createCluster({ nodes: 1 });
    const actors = new Set<string>();
    let isOver = false;
    const watch = cluster.commits$.subscribe({
      next: ({ actor }) => actors.add(actor),
      complete: () => (isOver = true),
    });
    await cluster.apply(WEB);
    await cluster.settle();
    await cluster.stop();
    expect([...actors]).toEqual(
      expect.arrayContaining(['user', 'allocator', 'orchestrator', 'scheduler', 'dispatcher']),
    );
    expect([isOver, watch.closed]).toEqual([true, true]);
  });

  it('is over when it is stopped, however often, and leaves no timer', async () => {
    const cluster = await running();
    await cluster.stop();
    await cluster.stop();
    expect(cluster.clock.pending()).toEqual([]);
    for (const use of [
      () => cluster.scale('web', 3),
      () => cluster.apply(WEB),
      () => cluster.tasks('web'),
      () => cluster.view(),
      () => cluster.get(Service, 'web'),
      () => cluster.problems(),
      () => cluster.settle(),
      () => cluster.advance(1),
      () => cluster.request('node1:8080'),
      () => cluster.lose('node1'),
    ]) {
      expect(await codeOf(use)).toBe('failed-precondition');
    }
  });

  it('makes the same commits from the same seed, and others from another', async () => {
    const story = async (seed: number | string): Promise<string> => {
      const cluster = await createCluster({ nodes: 3, seed });
      const lines: string[] = [];
      const watch = cluster.commits$.subscribe((commit) => lines.push(JSON.stringify(commit)));
      await cluster.apply(WEB);
      await cluster.settle();
      cluster.crash('web');
      cluster.lose('node3');
      await cluster.settle();
      await cluster.recover('node3');
      await cluster.forceUpdate('web');
      await cluster.settle();
      lines.push(JSON.stringify(cluster.request('node1:8080')));
      await cluster.stop();
      watch.unsubscribe();
      return lines.join('\n');
    };
    const first = await story(7);
    expect(first.length).toBeGreaterThan(10_000);
    expect(await story(7)).toBe(first);
    expect(await story('7')).toBe(first);
    expect(await story(8)).not.toBe(first);
  });
});
