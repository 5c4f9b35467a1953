/**
 * The allocator under the real controller runtime, on virtual time.
 */
import { describe, expect, it } from '@jest/globals';
import {
  Cluster,
  EndpointSlice,
  Event,
  Network,
  Node,
  Service,
  Task,
  newObject,
  seededRandom,
  withSpec,
  withStatus,
} from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { ControllerGroup } from '@skep/controller';
import { memoryStore, type Change } from '@skep/store';
import { allocatorController } from './controller.js';

const KINDS = [Cluster, Network, Node, Service, EndpointSlice, Task, Event];

function objects(): readonly Change[] {
  const finalizers = ['allocator'];
  const node = { role: 'worker', availability: 'active' } as const;
  const task = { networks: [{ target: 'overlay1' }] };
  const ports = [{ targetPort: 80, publishedPort: 8080 }];
  return [
    newObject(Cluster, { id: 'cluster', name: 'default', spec: {} }),
    newObject(Network, { id: 'ingress', name: 'ingress', spec: { isIngress: true }, finalizers }),
    newObject(Network, { id: 'overlay1', name: 'overlay1', spec: {}, finalizers }),
    newObject(Node, { id: 'node1', name: 'node1', spec: node }),
    newObject(Node, { id: 'node2', name: 'node2', spec: node }),
    newObject(Service, {
      id: 'vote',
      name: 'vote',
      spec: { task, endpoint: { ports } },
      finalizers: ['orchestrator', ...finalizers],
    }),
    ...[1, 2].map((slot) =>
      newObject(Task, {
        id: `vote.${slot}`,
        spec: {
          serviceId: 'vote',
          serviceName: 'vote',
          slot,
          desiredState: 'running',
          specVersion: 1,
          template: task,
          cause: 'scale',
        },
      }),
    ),
  ].map((object) => ({ type: 'create', object }));
}

describe('the allocator under the controller runtime', () => {
  it('finds everything at its start, and follows what happens then', async () => {
    const clock = new VirtualClock({ start: 0 });
    const store = memoryStore({ clock, kinds: KINDS, checks: { ownership: true, freeze: true } });
    const changes = objects();
    for (const change of changes) await store.commit({ actor: 'user', changes: [change] });
    const group = new ControllerGroup({ store, clock, random: seededRandom(1) });
    group.add(allocatorController());
    await group.start();
    await clock.advance(1);
    const task = store.view().get(Task, 'vote.2');
    expect(task?.status.networks?.map((one) => one.addresses[0])).toEqual([
      '10.0.0.6/24',
      '10.0.1.4/24',
    ]);
    expect(store.view().get(Cluster, 'cluster')?.status.lastVxlanId).toBe(4097);

    if (task === undefined) throw new Error('the task is gone');
    const unwanted = withSpec(task, { ...task.spec, desiredState: 'remove' });
    await store.commit({ actor: 'orchestrator', changes: [{ type: 'update', object: unwanted }] });
    await clock.advance(4_000);
    const quarantine = (): readonly unknown[] =>
      store.view().get(Network, 'ingress')?.status.quarantine ?? [];
    expect(quarantine()).toHaveLength(1);
    await clock.advance(1_000);
    expect(quarantine()).toEqual([]);
    await group.stop();
  });

  it('tries again what met a conflict', async () => {
    const clock = new VirtualClock({ start: 0 });
    const store = memoryStore({ clock, kinds: KINDS });
    const changes = objects();
    await store.commit({ actor: 'user', changes });
    const group = new ControllerGroup({ store, clock, random: seededRandom(1) });
    const allocator = allocatorController();
    let rivals = 3;
    group.add({
      ...allocator,
      planBatch: (view, keys, now) => {
        const plan = allocator.planBatch(view, keys, now);
        rivals -= 1;
        const service = store.view().get(Service, 'vote');
        if (rivals >= 0 && service !== undefined) {
          const status = { ...service.status, createdTasks: service.status.createdTasks + 1 };
          const object = withStatus(service, status);
          void store.commit({ actor: 'orchestrator', changes: [{ type: 'update', object }] });
        }
        return plan;
      },
    });
    await group.start();
    await clock.advance(1_000);
    expect(rivals).toBeLessThan(0);
    expect(store.view().get(Service, 'vote')?.status).toMatchObject({
      createdTasks: 3,
      endpoint: { observedGeneration: 1 },
    });
    expect(store.view().get(Task, 'vote.1')?.status.state).toBe('pending');
    await group.stop();
  });
});
