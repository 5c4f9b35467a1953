import { describe, expect, it } from '@jest/globals';
import {
  Node,
  Service,
  Task,
  Volume,
  newObject,
  withMeta,
  type GenericResource,
  type NodeSpec,
  type NodeStatus,
  type Resources,
  type TaskSpec,
  type TaskStatus,
} from '@skep/api';
import { World } from '../service/__fixtures__/world.js';
import { constraintEnforcer, enforceConstraints } from './constraint-enforcer.js';
import { enforceVolume, volumeEnforcer } from './volume-enforcer.js';

interface Setup {
  readonly labels?: Record<string, string>;
  readonly resources?: Resources;
  readonly node?: Partial<NodeSpec>;
}

function world({ labels = {}, resources, node = {} }: Setup = {}): World {
  const made = new World();
  const description = {
    hostname: 'n1',
    platform: { os: 'linux', architecture: 'amd64' },
    resources: resources ?? {},
    engine: { version: '1', labels: {} },
  };
  const status: Partial<NodeStatus> = resources === undefined ? {} : { description };
  made.node('n1', node, status);
  made.labelNode('n1', labels);
  return made;
}

function addTask(
  made: World,
  id: string,
  more: { spec?: Partial<TaskSpec>; status?: Partial<TaskStatus> } = {},
): void {
  made.now += 1;
  const spec: TaskSpec = {
    serviceName: '',
    slot: 1,
    desiredState: 'running',
    template: {},
    cause: 'scale',
    ...more.spec,
  };
  const status: TaskStatus = {
    state: 'running',
    timestamp: 0,
    appliedAt: 0,
    message: '',
    nodeId: 'n1',
    ...more.status,
  };
  const object = newObject(Task, { id, spec, status });
  made.commit('setup', [{ type: 'create', object }]);
}

const inZone = (zone: string): Pick<TaskSpec, 'template'> => ({
  template: { placement: { constraints: [`node.labels.zone == ${zone}`] } },
});
const reserving = (resources: Resources): Pick<TaskSpec, 'template'> => ({
  template: { resources: { reservations: resources } },
});

function victims(made: World): readonly string[] {
  const plan = enforceConstraints(made.view(), 'n1', made.now);
  made.commit('constraint-enforcer', plan.changes);
  expect(enforceConstraints(made.view(), 'n1', made.now).changes).toEqual([]);
  return plan.changes.map((change) => (change.type === 'delete' ? '' : change.object.meta.id));
}

describe('the constraint enforcer', () => {
  it("rejects what a label does not suit any more, in Swarm's words", () => {
    const made = world({ labels: { zone: 'b' } });
    addTask(made, 'a', { spec: inZone('a') });
    addTask(made, 'b', { spec: inZone('b') });
    expect(victims(made)).toEqual(['a']);
    expect(made.get(Task, 'a').status).toMatchObject({
      state: 'rejected',
      message: 'task rejected by constraint enforcer',
      error: 'assigned node no longer meets constraints',
      timestamp: made.now,
      appliedAt: made.now,
    });
  });

  it.each<[string, Partial<TaskSpec>, Partial<TaskStatus>, Partial<NodeSpec>]>([
    ['tasks that are to stop', { desiredState: 'shutdown' }, {}, {}],
    ['tasks that ended', {}, { state: 'complete' }, {}],
    ['tasks that the scheduler has not confirmed', { nodeId: 'n1' }, { state: 'pending' }, {}],
    ['paused nodes', {}, {}, { availability: 'pause' }],
    ['drained nodes', {}, {}, { availability: 'drain' }],
  ])('leaves alone %s', (_name, spec, status, node) => {
    const made = world({ node });
    addTask(made, 't', { spec: { ...inZone('a'), ...spec }, status });
    expect(victims(made)).toEqual([]);
  });

  it.each<[string, number, string, string, readonly string[]]>([
    ["goes by the service's constraints, not by the task's stale copy", 1, 'b', 'a', []],
    ["rejects by the service's constraints", 1, 'a', 'b', ['t']],
    ['leaves to the updater what suits its own copy', 2, 'a', 'b', []],
    ['rejects what suits neither, in an update as well', 2, 'a', 'c', ['t']],
  ])('%s', (_name, generation, wanted, own, expected) => {
    const made = world({ labels: { zone: own === 'c' ? 'x' : 'b' } });
    const service = newObject(Service, {
      id: 's',
      name: 's',
      spec: { task: inZone(wanted).template },
      status: { observedGeneration: 1, createdTasks: 1 },
    });
    made.put(withMeta(service, { generation }));
    addTask(made, 't', { spec: { serviceId: 's', ...inZone(own) } });
    expect(victims(made)).toEqual(expected);
  });

  it('keeps the oldest tasks that fit', () => {
    const made = world({ resources: { cpuNanos: 4, memoryBytes: 100 } });
    for (const [id, cpuNanos] of [
      ['z-oldest', 2],
      ['m-middle', 3],
      ['a-newest', 2],
    ] as const) {
      addTask(made, id, { spec: reserving({ cpuNanos }) });
    }
    expect(victims(made)).toEqual(['m-middle']);
  });

  it('a rejected task takes nothing, and nothing is asked where the node says nothing', () => {
    const made = world({ resources: { memoryBytes: 10 } });
    addTask(made, 'a', { spec: reserving({ memoryBytes: 11 }) });
    addTask(made, 'b', { spec: reserving({ memoryBytes: 10 }) });
    expect(victims(made)).toEqual(['a']);
    const silent = world();
    addTask(silent, 'a', { spec: reserving({ memoryBytes: 11 }) });
    expect(victims(silent)).toEqual([]);
  });

  it.each<[string, readonly GenericResource[], readonly (readonly GenericResource[])[], string]>([
    [
      'defect 13: looks on after a generic resource that is gone',
      [{ kind: 'gpu', ids: ['g2'] }],
      [
        [{ kind: 'gpu', ids: ['g1'] }],
        [{ kind: 'gpu', ids: ['g2'] }],
        [{ kind: 'gpu', ids: ['g3'] }],
      ],
      't0,t2',
    ],
    [
      'counts what older tasks have',
      [{ kind: 'apple', count: 3 }],
      [[{ kind: 'apple', count: 2 }], [{ kind: 'apple', count: 2 }], [{ kind: 'apple', count: 1 }]],
      't1',
    ],
  ])('%s', (_name, generic, claims, expected) => {
    const made = world({ resources: { generic } });
    for (const [index, genericResources] of claims.entries()) {
      addTask(made, `t${index}`, { status: { genericResources } });
    }
    expect(victims(made).join(',')).toBe(expected);
  });

  it('is woken by a placement and by labels, not by acknowledgements', () => {
    const made = world();
    addTask(made, 't');
    const task = made.get(Task, 't');
    const node = made.get(Node, 'n1');
    const enforcer = constraintEnforcer();
    const watch = enforcer.watches?.[0];
    const { nodeId: _, ...unplaced } = task.status;
    const previous = { ...task, status: unplaced };
    expect(watch?.predicate?.({ type: 'updated', object: task, previous })).toBe(true);
    expect(watch?.predicate?.({ type: 'updated', object: task, previous: task })).toBe(false);
    expect(watch?.keys({ type: 'updated', object: task }, made.view())).toEqual(['n1']);
    const acked = { ...node, status: { ...node.status, tables: { appliedRevision: 1 } } };
    expect(enforcer.predicate?.({ type: 'updated', object: acked, previous: node })).toBe(false);
    const labelled = withMeta(node, { labels: { zone: 'a' } });
    expect(enforcer.predicate?.({ type: 'updated', object: labelled, previous: node })).toBe(true);
  });
});

describe('the volume enforcer', () => {
  it.each([
    ['drain', ['t']],
    ['pause', []],
    ['active', []],
  ] as const)('%s: rejects %j', (availability, expected) => {
    const made = world();
    const volume = newObject(Volume, {
      id: 'v',
      name: 'v',
      spec: {
        driver: { name: 'd' },
        access: { scope: 'single', sharing: 'all', type: 'mount' },
        availability,
      },
    });
    made.put(volume);
    const volumes = [{ volumeId: 'v', target: '/data' }];
    addTask(made, 't', { status: { volumes } });
    addTask(made, 'ended', { status: { volumes, state: 'failed' } });
    addTask(made, 'other', { status: { volumes: [{ volumeId: 'w', target: '/data' }] } });
    const plan = enforceVolume(made.view(), 'v', made.now);
    made.commit('volume-enforcer', plan.changes);
    const rejected = made
      .view()
      .list(Task)
      .filter((task) => task.status.state === 'rejected');
    expect(rejected.map((task) => task.meta.id)).toEqual(expected);
    for (const task of rejected) {
      expect(task.status.message).toBe('task rejected by volume enforcer');
      expect(task.status.error).toBe('attached to volume with availability set to drain');
    }
    expect(enforceVolume(made.view(), 'v', made.now).changes).toEqual([]);
  });

  it('is woken by tasks that are given volumes', () => {
    const made = world();
    addTask(made, 't', { status: { volumes: [{ volumeId: 'v', target: '/data' }] } });
    const task = made.get(Task, 't');
    const watch = volumeEnforcer().watches?.[0];
    expect(watch?.keys({ type: 'created', object: task }, made.view())).toEqual(['v']);
    expect(watch?.predicate?.({ type: 'created', object: task })).toBe(true);
    expect(watch?.predicate?.({ type: 'updated', object: task, previous: task })).toBe(false);
    expect(watch?.predicate?.({ type: 'deleted', object: task })).toBe(false);
  });
});
