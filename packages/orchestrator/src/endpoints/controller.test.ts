import { describe, expect, it } from '@jest/globals';
import { EndpointSlice, Node, Service, Task, seededRandom } from '@skep/api';
import { ControllerGroup } from '@skep/controller';
import type { CommitEvent } from '@skep/store';
import { TestCluster } from './__fixtures__/cluster.js';
import { endpointsController } from './controller.js';
import { WaitingServices } from './waiting.js';

/** Follows a cluster with the controller; `woken` are the keys of the newest commit. */
function follow(cluster: TestCluster) {
  const controller = endpointsController();
  controller.state?.rebuild(cluster.view);
  let woken: readonly string[] = [];
  cluster.store.subscribe({
    commit: ({ events }: CommitEvent) => {
      controller.state?.observe(events, cluster.view);
      const keys = events.flatMap((event) => {
        const own = event.object.kind === Service.name && controller.predicate?.(event) !== false;
        const watched = (controller.watches ?? [])
          .filter(({ kind }) => kind.name === event.object.kind)
          .filter(({ predicate }) => predicate?.(event) !== false)
          .flatMap(({ keys: of }) => of(event, cluster.view));
        return own ? [event.object.meta.id, ...watched] : watched;
      });
      woken = [...new Set(keys)].sort();
    },
    ended: () => undefined,
  });
  return async (act: Promise<unknown>): Promise<readonly string[]> => {
    await act;
    await cluster.clock.flush();
    return woken;
  };
}

async function twoServices(): Promise<TestCluster> {
  const cluster = new TestCluster();
  await cluster.network('net');
  await cluster.node('1', { net: '10.0.1.254/24' });
  for (const [at, id] of ['api', 'web'].entries()) {
    await cluster.service(id, {}, { net: `10.0.1.${10 + at}/24` });
    await cluster.task(
      `${id}-task`,
      { serviceId: id, nodeId: '1' },
      { net: `10.0.1.${20 + at}/24` },
    );
    await cluster.endpoints(id);
  }
  return cluster;
}

describe('what wakes the endpoints loop', () => {
  it('a task that moves, and not one that only says something', async () => {
    const cluster = await twoServices();
    const woken = follow(cluster);
    expect(await woken(cluster.setTask('web-task', { message: 'healthy' }))).toEqual([]);
    expect(await woken(cluster.want('web-task', { desiredState: 'shutdown' }))).toEqual(['web']);
    expect(await woken(cluster.setTask('web-task', { state: 'shutdown' }))).toEqual(['web']);
    expect(await woken(cluster.remove(Task, 'web-task'))).toEqual(['web']);
  });

  it('an acknowledgement, but only services that wait in a network of the node', async () => {
    const cluster = await twoServices();
    await cluster.network('far', {}, '10.0.9.0/24');
    await cluster.node('9', { far: '10.0.9.254/24' });
    const woken = follow(cluster);
    expect(await woken(cluster.acknowledge('1'))).toEqual([]);
    await cluster.want('web-task', { desiredState: 'shutdown' });
    expect(await woken(cluster.acknowledge('9'))).toEqual([]);
    expect(await woken(cluster.acknowledge('1'))).toEqual(['web']);
  });

  it('a node that is lost or returns: the services of its tasks', async () => {
    const cluster = await twoServices();
    const woken = follow(cluster);
    expect(await woken(cluster.setNode('1', { state: 'down' }))).toEqual(['api', 'web']);
    expect(await woken(cluster.setNode('1', { state: 'unknown' }))).toEqual(['api', 'web']);
    expect(await woken(cluster.setNode('1', { state: 'ready' }))).toEqual([]);
    expect(await woken(cluster.remove(Node, '1'))).toEqual(['api', 'web']);
  });

  it('a change of weights, not one of status', async () => {
    const cluster = await twoServices();
    const woken = follow(cluster);
    const spec = { endpoint: { weights: [{ specVersion: 1, weight: 2 }] } };
    expect(await woken(cluster.setService('web', spec))).toEqual(['web']);
    const service = cluster.get(Service, 'web');
    const object = { ...service, status: { ...service.status, createdTasks: 3 } };
    expect(await woken(cluster.commit('orchestrator', { type: 'update', object }))).toEqual([]);
  });
});

describe('the loop at work', () => {
  it('lists, drains and forgets a task as nodes acknowledge', async () => {
    const cluster = await twoServices();
    const { store, clock } = cluster;
    const group = new ControllerGroup({ store, clock, random: seededRandom(1) });
    await group.add(endpointsController()).start();
    const net = { net: '10.0.1.30/24' };
    await cluster.task('new', { serviceId: 'web', nodeId: '1', status: { state: 'ready' } }, net);
    await clock.flush();
    expect(cluster.backends('web', 'net')).toEqual(['web-task:serving']);
    await cluster.setTask('new', { state: 'running', runningAt: cluster.now });
    await clock.flush();
    expect(cluster.backends('web', 'net')).toEqual(['new:serving', 'web-task:serving']);
    await cluster.want('web-task', { desiredState: 'shutdown' });
    await clock.flush();
    expect(cluster.backends('web', 'net')).toEqual(['new:serving', 'web-task:draining']);
    expect(cluster.get(Task, 'web-task').status.drainedAt).toBeUndefined();
    await cluster.acknowledge('1');
    await clock.flush();
    expect(cluster.get(Task, 'web-task').status.drainedAt).toBe(cluster.now);
    for (const id of ['new', 'web-task']) await cluster.setTask(id, { state: 'shutdown' });
    await clock.flush();
    await cluster.acknowledge('1');
    await clock.flush();
    expect(cluster.view.list(EndpointSlice).map(({ spec }) => spec.serviceId)).toEqual(['api']);
    await group.stop();
    expect(clock.nextTimer()).toBeUndefined();
  });
});

describe('WaitingServices', () => {
  it('is the same rebuilt as followed', async () => {
    const cluster = await twoServices();
    const followed = new WaitingServices();
    followed.rebuild(cluster.view);
    cluster.store.subscribe({
      commit: ({ events }) => followed.observe(events),
      ended: () => undefined,
    });
    const waiting = (index: WaitingServices): readonly string[] =>
      [...index.inNetwork('net')].sort();
    const steps: readonly (() => Promise<unknown>)[] = [
      () => cluster.want('web-task', { desiredState: 'shutdown' }),
      () => cluster.setTask('api-task', { state: 'failed' }),
      () => cluster.endpoints('api'),
      () => cluster.setTask('web-task', { drainedAt: cluster.now }, 'endpoints'),
      () => cluster.acknowledge('1'),
      () => cluster.endpoints('api'),
      () => cluster.remove(Task, 'api-task'),
      () => cluster.endpoints('web'),
    ];
    const seen: string[] = [];
    for (const step of steps) {
      await step();
      await cluster.clock.flush();
      const rebuilt = new WaitingServices();
      rebuilt.rebuild(cluster.view);
      expect(waiting(followed)).toEqual(waiting(rebuilt));
      seen.push(waiting(followed).join());
    }
    expect(seen.slice(0, 4)).toEqual(['web', 'api,web', 'api,web', 'api']);
    expect(cluster.view.count(EndpointSlice)).toBeGreaterThan(0);
  });
});
