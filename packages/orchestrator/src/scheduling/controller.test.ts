import { describe, expect, it } from '@jest/globals';
import {
  Network,
  Node,
  Service,
  Task,
  Volume,
  SkepError,
  isSkepError,
  newObject,
  seededRandom,
  withMeta,
  withStatus,
  type StoredObject,
  type TaskTemplate,
} from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { startController } from '@skep/controller';
import { swarmPolicy, type Filter } from '@skep/scheduler';
import { memoryStore } from '@skep/store';
import { KINDS, SchedulerRig } from './__fixtures__/rig.js';
import { schedulerController } from './controller.js';

const needs = (memoryBytes: number): TaskTemplate => ({
  resources: { reservations: { memoryBytes } },
});

describe('placing', () => {
  it('writes state, node, times, message and the reason', () => {
    const rig = new SchedulerRig().nodes('n1', 'n2').task('web.1');
    rig.now += 5;
    rig.settle();
    expect(rig.status('web.1')).toEqual({
      state: 'assigned',
      timestamp: 1_005,
      appliedAt: 1_005,
      message: 'scheduler assigned task to node',
      nodeId: 'n1',
      placement: { term: 'name', runnerUp: 'n2', nodes: 2 },
    });
  });

  it('spreads the tasks of a service, and says by what', () => {
    const rig = new SchedulerRig().nodes('n1', 'n2').tasks('web', [1, 2, 3]).settle();
    expect(rig.places()).toEqual({ 'web.1': 'n1', 'web.2': 'n2', 'web.3': 'n1' });
    expect(rig.status('web.2').placement).toEqual({
      term: 'service-tasks',
      runnerUp: 'n1',
      values: [0, 1],
      nodes: 2,
    });
  });

  it('leaves tasks alone that are not allocated, or have a node', () => {
    const rig = new SchedulerRig()
      .nodes('n1')
      .task('new', {}, 'web', { state: 'new' })
      .task('running', {}, 'web', { state: 'running', nodeId: 'n1' })
      .task('ended', {}, 'web', { state: 'failed', nodeId: 'n1' })
      .settle();
    expect(rig.passes).toEqual([]);
  });

  it('records which generic resources a task was given, and keeps to the record', () => {
    const resources = { generic: [{ kind: 'gpu', ids: ['a', 'b'] }] };
    const template: TaskTemplate = {
      resources: { reservations: { generic: [{ kind: 'gpu', count: 1 }] } },
    };
    const rig = new SchedulerRig()
      .node('n1', { resources })
      .tasks('web', [1, 2, 3], { template })
      .settle();
    const given = (id: string): unknown => rig.status(id).genericResources;
    expect([given('web.1'), given('web.2')]).toEqual([
      [{ kind: 'gpu', ids: ['a'] }],
      [{ kind: 'gpu', ids: ['b'] }],
    ]);
    rig.reports('web.1', 'failed').restart().settle();
    expect(given('web.3')).toEqual([{ kind: 'gpu', ids: ['a'] }]);
  });

  it('records volumes', () => {
    const mounts = [{ type: 'cluster' as const, source: 'data', target: '/data' }];
    const rig = new SchedulerRig()
      .nodes('n1')
      .task('web.1', { template: { container: { image: 'a', mounts } } })
      .settle();
    expect(rig.status('web.1').error).toBe(
      'no suitable node (cannot fulfill requested CSI volume mounts on 1 node)',
    );
    const volume = newObject(Volume, {
      id: 'v1',
      name: 'data',
      spec: {
        driver: { name: 'csi' },
        access: { scope: 'single', sharing: 'all', type: 'mount' },
      },
      status: { volumeId: 'x' },
    });
    rig.create(volume).settle();
    expect(rig.status('web.1').volumes).toEqual([{ volumeId: 'v1', target: '/data' }]);
  });

  it('asks for the plugin of a network', () => {
    const attached = { networks: [{ networkId: 'net', addresses: [], aliases: [] }] };
    const rig = new SchedulerRig()
      .create(newObject(Network, { id: 'net', name: 'net', spec: { driver: { name: 'weave' } } }))
      .nodes('n1')
      .update(Node, 'n1', 'dispatcher', (node) => {
        const description = node.status.description;
        if (description === undefined) return node;
        const engine = { ...description.engine, plugins: [{ type: 'Network', name: 'overlay' }] };
        return withStatus(node, { ...node.status, description: { ...description, engine } });
      })
      .task('web.1', {}, 'web', attached)
      .settle();
    expect(rig.status('web.1').error).toBe('no suitable node (missing plugin on 1 node)');
  });

  it('avoids a node on which the service keeps failing', () => {
    const faults = [{ nodeId: 'n1', specVersion: 1, times: [1, 2, 3, 4, 5] }];
    const service = newObject(Service, {
      id: 'web',
      name: 'web',
      spec: { task: {} },
      status: { observedGeneration: 1, createdTasks: 0, faults },
    });
    const rig = new SchedulerRig().create(service).nodes('n1', 'n2').tasks('web', [1]).settle();
    expect(rig.status('web.1').placement).toMatchObject({ term: 'faults', values: [0, 5] });
    rig.remove(Service, 'web').task('web.2').settle();
    expect(rig.status('web.2').nodeId).toBe('n1');
  });

  it('plans commits of at most 200 tasks', () => {
    const rig = new SchedulerRig().node('n1');
    rig.tasks(
      'web',
      Array.from({ length: 450 }, (_, at) => at + 1),
    );
    const keys = [...rig.dirty];
    const plan = rig.controller.planBatch(rig.store.view(), keys, rig.now);
    expect(plan.groups.map(({ changes }) => changes.length)).toEqual([200, 200, 50]);
    expect(plan.groups.flatMap((group) => group.keys).length).toBe(450);
  });
});

describe('tasks that fit nowhere', () => {
  it('say why, as text and as data, and nothing is written twice', () => {
    const rig = new SchedulerRig()
      .nodes('n1', 'n2')
      .tasks('web', [1, 2], { template: needs(5000) })
      .settle();
    expect(rig.status('web.2')).toMatchObject({
      state: 'pending',
      message: 'pending task scheduling',
      error: 'no suitable node (insufficient resources on 2 nodes)',
      pending: {
        code: 'no-suitable-node',
        filters: [{ filter: 'resource', nodes: 2 }],
        nodes: [
          { nodeId: 'n1', nodeName: 'n1', filters: ['resource'] },
          { nodeId: 'n2', nodeName: 'n2', filters: ['resource'] },
        ],
      },
    });
    const { revision } = rig.store.view();
    rig.restart().settle();
    expect(rig.store.view().revision).toBe(revision);
    expect(rig.passes).toHaveLength(2);
  });

  it('lose what they said once they have a node', () => {
    const rig = new SchedulerRig().task('web.1').settle();
    expect(rig.status('web.1').error).toBe('no suitable node');
    rig.nodes('n1').settle();
    expect(rig.status('web.1')).toMatchObject({ state: 'assigned', nodeId: 'n1' });
    expect(rig.status('web.1').error).toBeUndefined();
    expect(rig.status('web.1').pending).toBeUndefined();
  });

  it.each<[string, (rig: SchedulerRig) => SchedulerRig, string]>([
    ['a node comes', (rig) => rig.nodes('n3'), 'n3'],
    ['a node becomes ready', (rig) => rig.nodeStatus('down', { state: 'ready' }), 'down'],
    [
      'a node becomes active',
      (rig) => rig.nodeSpec('paused', { availability: 'active' }),
      'paused',
    ],
    ['a task ends', (rig) => rig.reports('holder', 'complete'), 'full'],
    ['a task is deleted', (rig) => rig.remove(Task, 'holder'), 'full'],
  ])('are tried again when %s', (_, change, expected) => {
    const rig = new SchedulerRig()
      .node('down', { status: { state: 'down' } })
      .node('paused', { spec: { availability: 'pause' } })
      .node('full')
      .task('holder', { template: needs(900) }, 'other', { state: 'running', nodeId: 'full' })
      .task('web.1', { template: needs(500) })
      .settle();
    expect(rig.status('web.1').state).toBe('pending');
    change(rig).settle();
    expect(rig.status('web.1').nodeId).toBe(expected);
  });

  it('are tried again when a label changes', () => {
    const template: TaskTemplate = { placement: { constraints: ['node.labels.disk == ssd'] } };
    const rig = new SchedulerRig().nodes('n1').task('web.1', { template }).settle();
    expect(rig.status('web.1').state).toBe('pending');
    rig.update(Node, 'n1', 'user', (node) => withMeta(node, { labels: { disk: 'ssd' } })).settle();
    expect(rig.status('web.1').nodeId).toBe('n1');
  });

  it('are tried again when a replica is told to stop', () => {
    const template: TaskTemplate = { placement: { maxReplicasPerNode: 1 } };
    const rig = new SchedulerRig().nodes('n1').tasks('web', [1, 2], { template }).settle();
    expect(rig.status('web.2').error).toBe('no suitable node (max replicas per node limit exceed)');
    rig.wants('web.1', 'shutdown').settle();
    expect(rig.status('web.2').nodeId).toBe('n1');
  });

  it('name the nodes that are there, also after one is gone', () => {
    const rig = new SchedulerRig()
      .nodes('n1', 'n2')
      .task('web.1', { template: needs(5000) })
      .settle()
      .remove(Node, 'n2')
      .settle();
    expect(rig.status('web.1').error).toBe('no suitable node (insufficient resources on 1 node)');
  });

  it('are not woken by what cannot help', () => {
    const rig = new SchedulerRig()
      .nodes('n1', 'n2')
      .task('busy', {}, 'other', { state: 'running', nodeId: 'n1' })
      .task('web.1', { template: needs(5000) })
      .settle();
    const before = rig.passes.length;
    rig
      .nodeStatus('n1', { tables: { appliedRevision: 7 } })
      .nodeStatus('n1', { message: 'hello' })
      .create(newObject(Service, { id: 'web', name: 'web', spec: { task: {} } }))
      .task('new', {}, 'web', { state: 'new' })
      .wants('busy', 'complete')
      .settle();
    expect(rig.passes.length).toBe(before);
  });

  it('are woken once for a burst of events', () => {
    const rig = new SchedulerRig().tasks('web', [1, 2, 3]).settle().nodes('n1', 'n2', 'n3');
    expect(rig.dirty.size).toBe(3);
    const watch = rig.controller.watches?.[0];
    const object = rig.get(Node, 'n1');
    expect(watch?.keys({ type: 'created', object }, rig.store.view())).toEqual([]);
    rig.settle();
    expect(rig.places()).toEqual({ 'web.1': 'n1', 'web.2': 'n2', 'web.3': 'n3' });
  });

  it('defect 19: a task of an older version is not forgotten', () => {
    const service = newObject(Service, { id: 'web', name: 'web', spec: { task: {} } });
    const rig = new SchedulerRig().create(service).task('web.1', { specVersion: 1 }).settle();
    rig.update(Service, 'web', 'user', (old) => ({
      ...old,
      spec: { ...old.spec, task: { placement: { constraints: ['node.role == worker'] } } },
    }));
    expect(rig.get(Service, 'web').meta.generation).toBe(2);
    rig.settle().nodes('n1').settle();
    expect(rig.status('web.1').nodeId).toBe('n1');
  });
});

describe('preassigned tasks', () => {
  it('are confirmed on their node', () => {
    const rig = new SchedulerRig().nodes('n1', 'n2').task('g', { nodeId: 'n2', slot: 0 }).settle();
    expect(rig.status('g')).toMatchObject({
      state: 'assigned',
      nodeId: 'n2',
      message: 'scheduler confirmed task can run on preassigned node',
      placement: { term: 'preassigned', nodes: 1 },
    });
  });

  it('come before tasks that have a choice', () => {
    const rig = new SchedulerRig()
      .nodes('n1')
      .task('web.1', { template: needs(600) })
      .task('global', { nodeId: 'n1', template: needs(600) }, 'zeta')
      .settle();
    expect(rig.places()).toEqual({ global: 'n1', 'web.1': 'pending' });
  });

  it('wait for their node, and only a change of it wakes them', () => {
    const rig = new SchedulerRig()
      .node('n1', { spec: { availability: 'pause' } })
      .nodes('n2')
      .task('global', { nodeId: 'n1' })
      .settle();
    expect(rig.status('global').error).toBe('1 node not available for new tasks');
    const before = rig.passes.length;
    rig.nodeStatus('n2', { state: 'down' }).settle();
    expect(rig.passes.length).toBe(before);
    rig.nodeSpec('n1', { availability: 'active' }).settle();
    expect(rig.status('global').nodeId).toBe('n1');
  });

  it('say when their node does not exist', () => {
    const rig = new SchedulerRig().task('global', { nodeId: 'n9' }).settle();
    expect(rig.status('global').pending?.code).toBe('node-not-found');
    rig.nodes('n9').settle();
    expect(rig.status('global').nodeId).toBe('n9');
  });
});

describe('tasks that are not wanted', () => {
  it.each([
    ['pending', 'shutdown', undefined],
    ['pending', 'remove', undefined],
    ['new', 'shutdown', undefined],
    ['pending', 'shutdown', 'n1'],
  ] as const)('%s and to be %s (preassigned to %s): shut down', (state, desired, nodeId) => {
    const rig = new SchedulerRig()
      .task('web.1', nodeId === undefined ? {} : { nodeId }, 'web', { state })
      .settle()
      .wants('web.1', desired);
    rig.now += 7;
    rig.settle();
    expect(rig.status('web.1')).toEqual({
      state: 'shutdown',
      timestamp: 1_007,
      appliedAt: 1_007,
      message: 'scheduler shut down task that was never assigned',
    });
  });

  it('keep their node when they have one', () => {
    const rig = new SchedulerRig().nodes('n1').task('web.1').settle();
    rig.wants('web.1', 'shutdown').settle();
    expect(rig.status('web.1').state).toBe('assigned');
  });
});

describe('conflicts and crashes', () => {
  it('a commit that is lost is decided again, without counting twice', () => {
    const rig = new SchedulerRig().nodes('n1', 'n2').tasks('web', [1, 2], { template: needs(600) });
    let losses = 2;
    rig.loses = () => {
      losses -= 1;
      return losses >= 0;
    };
    rig.settle();
    expect(rig.places()).toEqual({ 'web.1': 'n1', 'web.2': 'n2' });
  });

  it('a plan on a task that has changed since meets a conflict', () => {
    const rig = new SchedulerRig().nodes('n1').task('web.1');
    const plan = rig.controller.planBatch(rig.store.view(), ['web.1'], rig.now);
    rig.wants('web.1', 'shutdown');
    expect(rig.commit('scheduler', plan.groups[0]?.changes ?? [])).toBe(false);
    rig.settle();
    expect(rig.status('web.1').state).toBe('shutdown');
  });

  it('another scheduler goes on where the first one stopped', () => {
    const rig = new SchedulerRig()
      .nodes('n1', 'n2')
      .tasks('web', [1, 2, 3, 4], { template: needs(400) });
    rig.loses = ({ keys }) => keys.length > 0;
    rig.pass();
    rig.loses = () => false;
    rig.restart().settle();
    expect(rig.places()).toEqual({ 'web.1': 'n1', 'web.2': 'n2', 'web.3': 'n1', 'web.4': 'n2' });
  });
});

describe('debounce', () => {
  it('holds a task until it has waited, by its own time', () => {
    const rig = new SchedulerRig({ debounceMs: 50 }).nodes('n1').task('web.1').settle();
    expect(rig.status('web.1').state).toBe('pending');
    expect([...rig.times]).toEqual([['web.1', 1_050]]);
    rig.passTime(30).task('web.2').settle();
    rig.passTime(20).settle();
    expect(rig.places()).toEqual({ 'web.1': 'n1', 'web.2': 'pending' });
    rig.passTime(30).settle();
    expect(rig.places()).toEqual({ 'web.1': 'n1', 'web.2': 'n1' });
  });

  it('does not hold the end of a task', () => {
    const rig = new SchedulerRig({ debounceMs: 50 })
      .task('web.1', { desiredState: 'shutdown' })
      .settle();
    expect(rig.status('web.1').state).toBe('shutdown');
  });

  it.each([-1, Number.NaN])('refuses %p', (debounceMs) => {
    let thrown: unknown;
    try {
      schedulerController({ debounceMs });
    } catch (error) {
      thrown = error;
    }
    expect(isSkepError(thrown, 'invalid-argument')).toBe(true);
  });
});

describe('under the controller runtime', () => {
  it('places what comes, and follows what its own passes wrote', async () => {
    const rig = new SchedulerRig().nodes('n1', 'n2').tasks('web', [1, 2, 3]);
    const clock = new VirtualClock();
    const store = memoryStore({ clock, kinds: KINDS, checks: { ownership: true, freeze: true } });
    const copy = (kind: typeof Node | typeof Task) =>
      rig.store
        .view()
        .list<unknown, unknown>(kind as never)
        .map((object) => ({ type: 'create' as const, object }));
    await store.commit({ actor: 'user', changes: [...copy(Node), ...copy(Task)] });
    const started = startController(schedulerController(), {
      store,
      clock,
      random: seededRandom(1),
    });
    await clock.flush();
    const running = await started;
    await store.commit({
      actor: 'user',
      changes: [{ type: 'create', object: rig.task('web.4').get(Task, 'web.4') }],
    });
    await clock.flush();
    const counts = store
      .view()
      .list(Task)
      .map(({ status }) => status.nodeId);
    expect([...counts].sort()).toEqual(['n1', 'n1', 'n2', 'n2']);
    await running.stop();
  });

  it('tries a task again on a change of a node, though its policy had given it up', async () => {
    const clock = new VirtualClock();
    const store = memoryStore({ clock, kinds: KINDS });
    let isBroken = true;
    const moody: Filter = {
      name: 'moody',
      describe: () => 'in a mood',
      prepare: () => {
        if (!isBroken) return undefined;
        throw new SkepError('invalid-argument', 'not today', { details: { isTerminal: true } });
      },
    };
    const policy = { ...swarmPolicy(), name: 'moody', filters: [moody] };
    const rig = new SchedulerRig().nodes('n1').task('web.1');
    const create = (object: StoredObject) => ({ type: 'create' as const, object });
    const [node, task] = [rig.get(Node, 'n1'), rig.get(Task, 'web.1')];
    await store.commit({ actor: 'user', changes: [create(node)] });
    const seams = { store, clock, random: seededRandom(1) };
    const started = startController(schedulerController({ policy }), seams);
    await clock.flush();
    const running = await started;
    await store.commit({ actor: 'user', changes: [create(task)] });
    await clock.advance(60_000);
    isBroken = false;
    const stored = store.view().get(Node, 'n1') as Node;
    const status = { ...stored.status, address: '10.9.9.9' };
    const object = withStatus(stored, status);
    await store.commit({ actor: 'user', changes: [{ type: 'update', object }] });
    await clock.flush();
    expect(store.view().get(Task, 'web.1')?.status.nodeId).toBe('n1');
    await running.stop();
  });
});
