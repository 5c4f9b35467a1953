import { describe, expect, it } from '@jest/globals';
import {
  Cluster,
  Service,
  Task,
  newObject,
  withSpec,
  type ServiceSpec,
  type TaskSpec,
  type TaskStatus,
} from '@skep/api';
import { World, outline } from '../service/__fixtures__/world.js';
import { taskReaper } from './reaper-controller.js';
import { reapTasks } from './reaper.js';

const NETWORKS = [{ networkId: 'n', addresses: ['10.0.1.3/24'], aliases: [] }];

function addTask(
  world: World,
  id: string,
  more: Partial<TaskSpec> = {},
  said: Partial<TaskStatus> = {},
): void {
  const spec: TaskSpec = {
    serviceId: 'svc',
    serviceName: 'svc',
    slot: 1,
    desiredState: 'shutdown',
    template: {},
    cause: 'scale',
    ...more,
  };
  const status: TaskStatus = {
    state: 'failed',
    timestamp: 0,
    appliedAt: 0,
    message: '',
    ...said,
  };
  const object = newObject(Task, { id, spec, status });
  world.commit('setup', [{ type: 'create', object }]);
}

function reap(world: World, key = 'svc'): readonly string[] {
  const { changes } = reapTasks(world.view(), key, world.now);
  world.commit('reaper', changes);
  expect(reapTasks(world.view(), key, world.now).changes).toEqual([]);
  return changes.map((change) => (change.type === 'delete' ? change.id : ''));
}

function world(limit?: number, task: ServiceSpec['task'] = {}): World {
  const made = new World();
  if (limit !== undefined) made.cluster({ taskHistoryLimit: limit });
  made.service({ mode: { type: 'replicated', replicas: 1 }, task });
  return made;
}

/** A slot with ended tasks `t0`, `t1`, … and a running one, `live`. */
function withHistory(made: World, count: number, status: Partial<TaskStatus> = {}): World {
  for (let i = 0; i < count; i += 1) {
    addTask(made, `t${i}`, {}, { appliedAt: i, ...status });
    made.now += 1;
  }
  addTask(made, 'live', { desiredState: 'running' }, { state: 'running' });
  return made;
}

describe('tasks that are to be removed', () => {
  it.each<[string, Partial<TaskSpec>, Partial<TaskStatus>, boolean]>([
    ['that never had a node', {}, { state: 'new' }, true],
    ['pending, with an address', {}, { state: 'pending', networks: NETWORKS }, false],
    ['assigned', {}, { state: 'assigned' }, false],
    ['running', {}, { state: 'running' }, false],
    ['ended', {}, { state: 'shutdown' }, true],
    ['ended, with an address', {}, { state: 'shutdown', networks: NETWORKS }, false],
    [
      'ended, with an address that went back',
      {},
      { state: 'shutdown', networks: NETWORKS, releasedAt: 5 },
      true,
    ],
    [
      'ended, in a node-local network',
      {},
      { state: 'failed', networks: [{ networkId: 'host', addresses: [], aliases: [] }] },
      true,
    ],
    ['orphaned', {}, { state: 'orphaned' }, true],
  ])('%s: deleted %#', (_name, spec, status, expected) => {
    const made = world();
    addTask(made, 't', { desiredState: 'remove', ...spec }, status);
    expect(reap(made)).toEqual(expected ? ['t'] : []);
  });

  it('go though their service is gone', () => {
    const made = world();
    addTask(made, 't', { desiredState: 'remove', serviceId: 'gone' }, { state: 'complete' });
    expect(reap(made, 'gone')).toEqual(['t']);
  });
});

describe('tasks without a service', () => {
  it.each<[TaskStatus['state'], TaskSpec['desiredState'], boolean]>([
    ['orphaned', 'running', true],
    ['failed', 'running', false],
    ['failed', 'remove', true],
    ['running', 'remove', false],
  ])('%s, wanted %s: deleted %s', (state, desiredState, expected) => {
    const made = new World();
    addTask(made, 't', { desiredState }, { state });
    const task = made.get(Task, 't');
    const { serviceId: _, ...spec } = task.spec;
    made.put(withSpec(task, spec));
    expect(reap(made, 'Task/t')).toEqual(expected ? ['t'] : []);
  });

  it('are no more when they are gone', () => {
    expect(reap(new World(), 'Task/nobody')).toEqual([]);
  });
});

describe('history', () => {
  it.each([
    [undefined, 9, ['t0', 't1', 't2', 't3', 't4']],
    [3, 5, ['t0', 't1', 't2']],
    [1, 2, ['t0', 't1']],
    [0, 2, ['t0', 't1']],
    [-1, 9, []],
    [5, 4, []],
  ])('limit %s of %i ended tasks: deletes the oldest', (limit, count, deleted) => {
    expect(reap(withHistory(world(limit), count))).toEqual(deleted);
  });

  it('max attempts sets the limit to one more', () => {
    const made = withHistory(world(5, { restartPolicy: { maxAttempts: 1 } }), 4);
    expect(reap(made)).toEqual(['t0', 't1', 't2']);
  });

  it('is per slot', () => {
    const made = world(2);
    for (const slot of [1, 2]) for (const id of ['a', 'b']) addTask(made, `${id}${slot}`, { slot });
    expect(reap(made)).toEqual([]);
  });

  it('orders by applied time, then creation, then id', () => {
    const made = world(2);
    for (const id of ['c', 'a', 'b']) addTask(made, id, {}, { appliedAt: 7 });
    made.now += 1;
    addTask(made, 'd', {}, { appliedAt: 3 });
    made.now += 1;
    addTask(made, 'live', { desiredState: 'running' });
    expect(reap(made)).toEqual(['d', 'a', 'b']);
  });

  it('leaves what the orchestrator has not looked at, and addresses that are in use', () => {
    const made = world(0);
    addTask(made, 'unseen', { desiredState: 'running' });
    addTask(made, 'held', {}, { networks: NETWORKS });
    addTask(made, 'never', {}, { state: 'pending' });
    made.now += 1;
    addTask(made, 'live', { desiredState: 'running' }, { state: 'running' });
    expect(reap(made)).toEqual(['never']);
  });

  it('never takes the newest: a finished task of condition none holds its slot', () => {
    const made = world(0, { restartPolicy: { condition: 'none' } });
    addTask(made, 'done', {}, { state: 'complete' });
    expect(reap(made)).toEqual([]);
  });

  it('leaves the tasks of an update that goes on', () => {
    const made = withHistory(world(1), 1);
    const service = made.get(Service, 'svc');
    addTask(made, 'tried', { cause: 'update' });
    made.now += 1;
    addTask(made, 'next', { desiredState: 'running' });
    const update = {
      state: 'updating' as const,
      startedAt: 0,
      message: '',
      specVersion: 1,
      dirtySlots: 1,
      failedTasks: [],
    };
    made.put({ ...service, status: { ...service.status, update } });
    expect(reap(made)).toEqual(['t0']);
    const done = { ...update, state: 'completed' as const };
    made.put({ ...service, status: { ...service.status, update: done } });
    expect(reap(made)).toEqual(['tried']);
  });

  it('jobs: replaced attempts and old iterations are history, completions are not', () => {
    const made = world(2);
    addTask(made, 'old', { jobIteration: 0, desiredState: 'complete' }, { state: 'complete' });
    made.now += 1;
    addTask(made, 'failed', { jobIteration: 1 }, { appliedAt: 1 });
    made.now += 1;
    const finished = { jobIteration: 1, desiredState: 'complete' as const };
    addTask(made, 'done', finished, { state: 'complete', appliedAt: 2 });
    expect(reap(made)).toEqual(['old']);
  });
});

describe('reaper and orchestrator together', () => {
  it('a crash loop keeps a bounded history and its restarts', () => {
    const made = world(3, { container: { image: 'a' }, restartPolicy: { delayMs: 0 } });
    made.node('n1');
    for (let i = 0; i < 20; i += 1) {
      made.settle();
      made.now += 10;
      for (const task of made.wanted()) made.observe(task.meta.id, 'failed', { nodeId: 'n1' });
      made.settle();
      reap(made);
    }
    expect(outline(made.tasks())).toEqual([
      '1:shutdown/failed',
      '1:shutdown/failed',
      '1:running/new',
    ]);
    expect(made.tasks().at(-1)?.spec.restarts?.count).toBe(20);
  });
});

describe('what wakes the reaper', () => {
  const reaper = taskReaper();
  const watch = (kind: { name: string }): NonNullable<typeof reaper.watches>[number] =>
    reaper.watches!.find((entry) => entry.kind.name === kind.name)!;

  it('tasks that are created or become deletable', () => {
    const made = world();
    addTask(made, 't', {}, { networks: NETWORKS });
    const held = made.get(Task, 't');
    const free = { ...held, status: { ...held.status, releasedAt: 1 } };
    const { predicate, keys } = watch(Task);
    expect(predicate?.({ type: 'created', object: held })).toBe(true);
    expect(predicate?.({ type: 'updated', previous: held, object: held })).toBe(false);
    expect(predicate?.({ type: 'updated', previous: held, object: free })).toBe(true);
    expect(predicate?.({ type: 'deleted', object: free })).toBe(false);
    expect(keys({ type: 'created', object: held }, made.view())).toEqual(['svc']);
  });

  it('the history limit wakes all services', () => {
    const made = world(3);
    made.service({}, 'another');
    const cluster = made.get(Cluster, 'cluster');
    const { predicate, keys } = watch(Cluster);
    const object = withSpec(cluster, { taskHistoryLimit: 1 });
    expect(predicate?.({ type: 'updated', previous: cluster, object })).toBe(true);
    expect(predicate?.({ type: 'updated', previous: cluster, object: cluster })).toBe(false);
    expect(keys({ type: 'updated', object }, made.view())).toEqual(['another', 'svc']);
  });
});
