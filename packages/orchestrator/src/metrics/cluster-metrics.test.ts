import { describe, expect, it } from '@jest/globals';
import {
  ACTORS,
  Network,
  newObject,
  Node,
  seededRandom,
  Service,
  silentLogger,
  Task,
  withStatus,
  type Metrics,
  type TaskStatus,
} from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { memoryStore, type Change, type Store } from '@skep/store';
import { ClusterMetrics } from './cluster-metrics.js';

interface Setting {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly metrics: ClusterMetrics;
  readonly values: ReadonlyMap<string, number>;
  readonly observed: readonly number[];
}

function setUp(bufferMax = 10_000): Setting {
  const clock = new VirtualClock();
  const kinds = [Node, Service, Task, Network];
  const store = memoryStore({ clock, kinds, watcher: { bufferMax } });
  const values = new Map<string, number>();
  const observed: number[] = [];
  const key = (name: string, labels: Readonly<Record<string, string>> = {}): string =>
    [name, ...Object.values(labels)].join(' ');
  const seam: Metrics = {
    counter: ({ name }) => ({
      add: (value, labels) =>
        void values.set(key(name, labels), value + (values.get(key(name, labels)) ?? 0)),
    }),
    gauge: ({ name }) => ({ set: (value, labels) => void values.set(key(name, labels), value) }),
    histogram: () => ({ observe: (value) => void observed.push(value) }),
  };
  const metrics = new ClusterMetrics({ store, clock, logger: silentLogger, metrics: seam });
  return { clock, store, metrics, values, observed };
}

function task(id: string): Task {
  return newObject(Task, {
    id,
    name: id,
    spec: {
      serviceName: '',
      slot: 1,
      specVersion: 1,
      cause: 'scale',
      desiredState: 'running',
      template: { container: { image: 'app:1' } },
    } as unknown as Task['spec'],
    status: { state: 'new', timestamp: 0, appliedAt: 0, message: '' },
  });
}

async function write(store: Store, actor: string, ...changes: Change[]): Promise<void> {
  const result = await store.commit({ actor, changes });
  if (!result.ok) throw new Error(result.conflict.message);
}

async function setTask(
  store: Store,
  id: string,
  status: Partial<TaskStatus>,
  actor: string = ACTORS.dispatcher,
): Promise<void> {
  const before = store.view().get(Task, id);
  if (before === undefined) throw new Error(`no task ${id}`);
  const object = withStatus(before, { ...before.status, ...status });
  await write(store, actor, { type: 'update', object });
}

const PENDING = { code: 'NoSuitableNode', message: '', since: 0 } as unknown as NonNullable<
  TaskStatus['pending']
>;

describe('ClusterMetrics', () => {
  it('counts what is there, follows what comes, and stops', async () => {
    const { store, metrics, values } = setUp();
    await write(store, 'user', { type: 'create', object: task('a') });
    await metrics.start();
    expect(values.get('swarm_manager_tasks_total new')).toBe(1);
    expect(values.get('swarm_manager_tasks_total running')).toBe(0);
    expect(values.get('swarm_manager_leader')).toBe(1);
    const network = newObject(Network, {
      id: 'n',
      name: 'n',
      spec: { driver: { name: 'overlay' } },
    });
    await write(store, 'user', { type: 'create', object: network });
    await write(store, 'user', { type: 'create', object: task('b') });
    await setTask(store, 'a', { state: 'failed' });
    expect(values.get('swarm_manager_networks_total')).toBe(1);
    expect(values.get('swarm_manager_secrets_total')).toBe(0);
    expect(values.get('swarm_manager_tasks_total new')).toBe(1);
    expect(values.get('swarm_manager_tasks_total failed')).toBe(1);
    await write(store, 'reaper', { type: 'delete', kind: 'Task', id: 'a' });
    expect(values.get('swarm_manager_tasks_total failed')).toBe(0);
    await metrics.stop();
    await setTask(store, 'b', { state: 'failed' });
    expect(values.get('swarm_manager_tasks_total failed')).toBe(0);
    expect(values.get('swarm_manager_leader')).toBe(0);
  });

  it('counts what the scheduler found, and who waits', async () => {
    const { store, metrics, values } = setUp();
    await metrics.start();
    await write(store, 'user', { type: 'create', object: task('a') });
    await setTask(store, 'a', { state: 'pending' }, ACTORS.allocator);
    expect(values.get('scheduler_pending_pods active')).toBe(1);
    await setTask(store, 'a', { pending: PENDING }, ACTORS.scheduler);
    expect(values.get('scheduler_pending_pods active')).toBe(0);
    expect(values.get('scheduler_pending_pods unschedulable')).toBe(1);
    expect(values.get('scheduler_schedule_attempts_total unschedulable')).toBe(1);
    await setTask(store, 'a', { state: 'assigned', nodeId: 'n1' }, ACTORS.scheduler);
    expect(values.get('scheduler_pending_pods unschedulable')).toBe(0);
    expect(values.get('scheduler_schedule_attempts_total scheduled')).toBe(1);
    await setTask(store, 'a', { state: 'accepted' });
    expect(values.get('scheduler_schedule_attempts_total scheduled')).toBe(1);
    await metrics.stop();
  });

  it('tells how long tasks take from NEW to RUNNING', async () => {
    const { store, clock, metrics, observed } = setUp();
    await metrics.start();
    await write(store, 'user', { type: 'create', object: task('a') });
    await clock.advance(1500);
    await setTask(store, 'a', { state: 'running', nodeId: 'n1' });
    await setTask(store, 'a', { message: 'still' });
    await setTask(store, 'a', { state: 'failed' });
    await clock.flush();
    expect(observed).toEqual([1.5]);
    await metrics.stop();
  });

  it('counts anew when its watch ends, and lets a closed store be', async () => {
    const { store, clock, metrics, values } = setUp(2);
    await metrics.start();
    for (const id of ['a', 'b', 'c', 'd'])
      void write(store, 'user', { type: 'create', object: task(id) });
    await clock.flush();
    await clock.advance(2000);
    expect(values.get('swarm_manager_tasks_total new')).toBe(4);
    await store.close();
    await clock.advance(5000);
    expect(clock.pending()).toEqual([]);
    await metrics.stop();
  });

  it('is right after any history, as if it had counted at its end', async () => {
    const random = seededRandom('any history');
    const { store, clock, metrics, values } = setUp();
    await metrics.start();
    const states = ['pending', 'assigned', 'running', 'failed'] as const;
    for (let i = 0; i < 300; i += 1) {
      const id = `${random.int(20)}`;
      const known = store.view().get(Task, id);
      if (known === undefined) await write(store, 'user', { type: 'create', object: task(id) });
      else if (random.int(5) === 0) await write(store, 'r', { type: 'delete', kind: 'Task', id });
      else await setTask(store, id, { state: states[random.int(4)] ?? 'failed' });
    }
    await clock.flush();
    const counts = new Map<string, number>();
    for (const { status } of store.view().list(Task)) {
      counts.set(status.state, (counts.get(status.state) ?? 0) + 1);
    }
    for (const state of [...states, 'new']) {
      expect(values.get(`swarm_manager_tasks_total ${state}`)).toBe(counts.get(state) ?? 0);
    }
    await metrics.stop();
  });
});
