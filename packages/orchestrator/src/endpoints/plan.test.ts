import { describe, expect, it } from '@jest/globals';
import { EndpointSlice, Task, deriveId, type DesiredTaskState, type TaskState } from '@skep/api';
import { CHANGES_MAX } from '@skep/store';
import { TestCluster } from './__fixtures__/cluster.js';
import { planEndpoints } from './plan.js';

/** Network `net`, nodes 1 and 2 in it, service `web` with task `a` on node 1. */
async function small(): Promise<TestCluster> {
  const cluster = new TestCluster();
  await cluster.network('net');
  await cluster.node('1', { net: '10.0.1.254/24' });
  await cluster.node('2', { net: '10.0.1.253/24' });
  await cluster.service('web', {}, { net: '10.0.1.2/24' });
  await cluster.task('a', { serviceId: 'web', nodeId: '1' }, { net: '10.0.1.3/24' });
  return cluster;
}

const drainedAt = (cluster: TestCluster, id: string) => cluster.get(Task, id).status.drainedAt;

describe('which tasks are listed', () => {
  it.each<[TaskState, DesiredTaskState, string]>([
    ['assigned', 'running', ''],
    ['ready', 'ready', ''],
    ['starting', 'running', ''],
    ['running', 'running', 'b:serving'],
    // A job's task is wanted until it is complete.
    ['running', 'complete', 'b:serving'],
    // Never listed, so never draining.
    ['running', 'shutdown', ''],
    ['starting', 'remove', ''],
    ['failed', 'running', ''],
    ['complete', 'complete', ''],
  ])('%s, wanted %s: "%s"', async (state, desiredState, listed) => {
    const cluster = await small();
    await cluster.task(
      'b',
      { serviceId: 'web', nodeId: '2', spec: { desiredState }, status: { state } },
      { net: '10.0.1.4/24' },
    );
    await cluster.endpoints('web');
    expect(cluster.backends('web', 'net')).toEqual(['a:serving', ...(listed ? [listed] : [])]);
  });

  it.each<[string, (cluster: TestCluster) => Promise<unknown>, readonly string[]]>([
    ['asked to end', (c) => c.want('a', { desiredState: 'shutdown' }), ['a:draining']],
    ['asked to be removed', (c) => c.want('a', { desiredState: 'remove' }), ['a:draining']],
    ['ended', (c) => c.setTask('a', { state: 'failed' }), []],
    ['node DOWN', (c) => c.setNode('1', { state: 'down' }), []],
    ['node gone', (c) => c.remove({ name: 'Node' }, '1'), []],
    ['node UNKNOWN', (c) => c.setNode('1', { state: 'unknown' }), ['a:serving']],
    ['node DISCONNECTED', (c) => c.setNode('1', { state: 'disconnected' }), ['a:serving']],
    ['service gone', (c) => c.remove({ name: 'Service' }, 'web'), []],
  ])('a task that was listed: %s', async (_, act, listed) => {
    const cluster = await small();
    await cluster.endpoints('web');
    expect(cluster.backends('web', 'net')).toEqual(['a:serving']);
    await act(cluster);
    await cluster.endpoints('web');
    expect(cluster.backends('web', 'net')).toEqual(listed);
  });

  it('does not bring back what was asked to end when its node returns', async () => {
    const cluster = await small();
    await cluster.endpoints('web');
    await cluster.setNode('1', { state: 'down' });
    await cluster.endpoints('web');
    await cluster.want('a', { desiredState: 'shutdown' });
    await cluster.setNode('1', { state: 'ready' });
    await cluster.endpoints('web');
    expect(cluster.backends('web', 'net')).toEqual([]);
  });

  it('has a slice for each network with an address, dnsrr and ingress included', async () => {
    const cluster = await small();
    await cluster.network('ingress', { isIngress: true }, '10.0.0.0/24');
    await cluster.service('rr', { endpoint: { mode: 'dnsrr' } });
    await cluster.task(
      'r',
      { serviceId: 'rr', nodeId: '1' },
      { net: '10.0.1.9/24', ingress: '10.0.0.9/24' },
    );
    await cluster.endpoints('rr');
    expect(cluster.backends('rr', 'net')).toEqual(['r:serving']);
    expect(cluster.backends('rr', 'ingress')).toEqual(['r:serving']);
    const slice = cluster.get(EndpointSlice, deriveId('slice', 'rr', 'net', 0));
    expect(slice.spec.backends[0]?.address).toBe('10.0.1.9');
  });

  it('plans nothing when everything is as it should be', async () => {
    const cluster = await small();
    expect(await cluster.endpoints('web')).toBe(1);
    expect(planEndpoints(cluster.view, 'web', cluster.now)).toEqual({ changes: [] });
  });
});

describe('drain', () => {
  it('is over when all READY nodes of the network hold the draining state', async () => {
    const cluster = await small();
    await cluster.endpoints('web');
    await cluster.want('a', { desiredState: 'shutdown' });
    await cluster.endpoints('web');
    const { version } = cluster.get(EndpointSlice, deriveId('slice', 'web', 'net', 0)).meta;
    expect(drainedAt(cluster, 'a')).toBeUndefined();
    await cluster.acknowledge('1', version);
    await cluster.acknowledge('2', version - 1);
    await cluster.endpoints('web');
    expect(drainedAt(cluster, 'a')).toBeUndefined();
    await cluster.acknowledge('2', version);
    await cluster.clock.advance(5);
    await cluster.endpoints('web');
    expect(drainedAt(cluster, 'a')).toBe(cluster.now);
    expect(cluster.backends('web', 'net')).toEqual(['a:draining']);
    await cluster.setTask('a', { state: 'shutdown' });
    await cluster.endpoints('web');
    expect(cluster.backends('web', 'net')).toEqual([]);
  });

  it('does not wait for nodes that are not READY', async () => {
    const cluster = await small();
    await cluster.endpoints('web');
    await cluster.want('a', { desiredState: 'shutdown' });
    await cluster.endpoints('web');
    await cluster.acknowledge('1');
    await cluster.setNode('2', { state: 'down' });
    await cluster.endpoints('web');
    expect(drainedAt(cluster, 'a')).toBe(cluster.now);
  });

  it('waits for one revision however often the slice is written after it', async () => {
    const cluster = await small();
    await cluster.endpoints('web');
    await cluster.want('a', { desiredState: 'shutdown' });
    await cluster.endpoints('web');
    const { version } = cluster.get(EndpointSlice, deriveId('slice', 'web', 'net', 0)).meta;
    for (const id of ['b', 'c']) {
      const address = id === 'b' ? '10.0.1.4/24' : '10.0.1.5/24';
      await cluster.task(id, { serviceId: 'web', nodeId: '2' }, { net: address });
      await cluster.endpoints('web');
    }
    expect(cluster.backends('web', 'net')).toEqual(['a:draining', 'b:serving', 'c:serving']);
    await cluster.acknowledge('1', version);
    await cluster.acknowledge('2', version);
    await cluster.endpoints('web');
    expect(drainedAt(cluster, 'a')).toBe(cluster.now);
  });

  it('is over at once for a task that no slice ever held', async () => {
    const cluster = await small();
    const never: readonly [string, TaskState, DesiredTaskState][] = [
      ['b', 'new', 'remove'],
      ['c', 'starting', 'shutdown'],
      ['d', 'rejected', 'running'],
    ];
    for (const [id, state, desiredState] of never) {
      const input = { serviceId: 'web', nodeId: '1', spec: { desiredState }, status: { state } };
      await cluster.task(id, input, { net: '10.0.1.9/24' });
    }
    await cluster.endpoints('web');
    expect(never.map(([id]) => drainedAt(cluster, id))).toEqual(never.map(() => cluster.now));
    expect(drainedAt(cluster, 'a')).toBeUndefined();
  });

  it('waits for the removal of a task that ended without draining', async () => {
    const cluster = await small();
    await cluster.task('b', { serviceId: 'web', nodeId: '2' }, { net: '10.0.1.4/24' });
    await cluster.endpoints('web');
    await cluster.setTask('a', { state: 'failed' });
    await cluster.endpoints('web');
    expect(cluster.backends('web', 'net')).toEqual(['b:serving']);
    expect(drainedAt(cluster, 'a')).toBeUndefined();
    await cluster.acknowledge('1');
    await cluster.acknowledge('2', cluster.view.revision - 1);
    await cluster.endpoints('web');
    expect(drainedAt(cluster, 'a')).toBe(cluster.now);
  });

  it('needs every network of the task', async () => {
    const cluster = await small();
    await cluster.network('other', {}, '10.0.2.0/24');
    await cluster.node('3', { other: '10.0.2.254/24' });
    await cluster.task(
      'b',
      { serviceId: 'web', nodeId: '2' },
      { net: '10.0.1.4/24', other: '10.0.2.4/24' },
    );
    await cluster.endpoints('web');
    await cluster.want('b', { desiredState: 'shutdown' });
    await cluster.endpoints('web');
    await cluster.acknowledge('1');
    await cluster.acknowledge('2');
    await cluster.endpoints('web');
    expect(drainedAt(cluster, 'b')).toBeUndefined();
    await cluster.acknowledge('3');
    await cluster.endpoints('web');
    expect(drainedAt(cluster, 'b')).toBe(cluster.now);
  });
});

describe('empty slices', () => {
  const slices = (cluster: TestCluster): number => cluster.view.count(EndpointSlice);

  it('go when their emptiness is in force', async () => {
    const cluster = await small();
    await cluster.endpoints('web');
    await cluster.setTask('a', { state: 'complete' });
    await cluster.endpoints('web');
    expect(slices(cluster)).toBe(1);
    await cluster.acknowledge('1');
    await cluster.acknowledge('2');
    await cluster.endpoints('web');
    expect(slices(cluster)).toBe(0);
  });

  it('stay while another task of the service is on its way', async () => {
    const cluster = await small();
    await cluster.endpoints('web');
    await cluster.setTask('a', { state: 'failed' });
    await cluster.task(
      'b',
      { serviceId: 'web', status: { state: 'pending' } },
      { net: '10.0.1.4/24' },
    );
    await cluster.endpoints('web');
    await cluster.acknowledge('1');
    await cluster.acknowledge('2');
    await cluster.endpoints('web');
    expect(slices(cluster)).toBe(1);
  });
});

describe('many tasks', () => {
  it('spreads over slices, in commits of at most 200 changes', async () => {
    const cluster = new TestCluster();
    await cluster.network('net', {}, '10.0.0.0/8');
    await cluster.node('1', { net: '10.255.0.1/8' });
    await cluster.service('web', {}, { net: '10.0.0.2/8' });
    const ids = Array.from({ length: 450 }, (_, at) => deriveId('task', at));
    for (const [at, id] of ids.entries()) {
      const net = `10.1.${Math.floor(at / 200)}.${(at % 200) + 1}/8`;
      await cluster.task(id, { serviceId: 'web', nodeId: '1' }, { net });
    }
    await cluster.endpoints('web');
    expect(cluster.view.count(EndpointSlice)).toBeGreaterThanOrEqual(5);
    expect(cluster.backends('web', 'net')).toHaveLength(450);
    for (const { spec } of cluster.view.list(EndpointSlice)) {
      const listed = spec.backends.map(({ taskId }) => taskId);
      expect(listed.length).toBeLessThanOrEqual(100);
      expect(listed).toEqual([...listed].sort());
    }
    await cluster.setNode('1', { state: 'down' });
    await cluster.endpoints('web');
    expect(cluster.backends('web', 'net')).toEqual([]);
    for (const id of ids) await cluster.want(id, { desiredState: 'shutdown' });
    const plan = planEndpoints(cluster.view, 'web', cluster.now);
    expect(plan.changes).toHaveLength(CHANGES_MAX);
    expect(plan.requeueAt).toBe(cluster.now);
    await cluster.endpoints('web');
    expect(ids.every((id) => drainedAt(cluster, id) !== undefined)).toBe(true);
    expect(cluster.view.count(EndpointSlice)).toBe(0);
  });

  it('asks to be called again when a slow start takes its next step', async () => {
    const cluster = await small();
    await cluster.setService('web', {
      endpoint: { slowStartMs: 1_000, weights: [{ specVersion: 1, weight: 3 }] },
    });
    await cluster.task(
      'b',
      { serviceId: 'web', nodeId: '2', spec: { specVersion: 1 } },
      { net: '10.0.1.4/24' },
    );
    expect(planEndpoints(cluster.view, 'web', cluster.now).requeueAt).toBe(cluster.now + 100);
    await cluster.clock.advance(1_000);
    await cluster.endpoints('web');
    const slice = cluster.get(EndpointSlice, deriveId('slice', 'web', 'net', 0));
    expect(slice.spec.backends.map(({ weight }) => weight)).toEqual([10, 30]);
    expect(slice.meta.owners).toEqual([{ kind: 'Service', id: 'web' }]);
    expect(cluster.view.list(EndpointSlice)).toHaveLength(1);
  });
});
