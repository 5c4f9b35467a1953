import { describe, expect, it } from '@jest/globals';
import { Node, Service, Task, deriveId, type RestartPolicy, type TaskState } from '@skep/api';
import { World, outline } from './__fixtures__/world.js';

function running(restartPolicy: RestartPolicy = {}, replicas = 1): World {
  const world = new World();
  for (const id of ['n1', 'n2']) world.node(id);
  world.service({
    mode: { type: 'replicated', replicas },
    task: { container: { image: 'a' }, restartPolicy },
  });
  world.settle();
  world.obey();
  world.settle();
  return world;
}

function fail(world: World, state: TaskState = 'failed'): void {
  for (const task of world.wanted()) world.observe(task.meta.id, state);
}

describe('restart policy', () => {
  it('any: creates the replacement at once at READY, and lets it run after the delay', () => {
    const world = running({ delayMs: 700 });
    const [old] = world.tasks();
    fail(world);
    world.settle();
    const [, next] = world.tasks();
    expect(outline(world.tasks())).toEqual(['1:shutdown/failed', '1:ready/new']);
    expect(next?.meta.id).toBe(deriveId(old!.meta.id, 'restart'));
    expect(next?.spec).toMatchObject({ cause: 'restart', replaces: old?.meta.id });
    expect(world.requeueAt).toBe(world.now + 700);
    world.advance(699);
    expect(world.tasks()[1]?.spec.desiredState).toBe('ready');
    world.advance(1);
    expect(world.tasks()[1]?.spec.desiredState).toBe('running');
  });

  it('takes five seconds when the policy says nothing', () => {
    const world = running();
    fail(world);
    world.settle();
    expect(world.requeueAt).toBe(world.now + 5_000);
  });

  it.each<[RestartPolicy['condition'], TaskState, number]>([
    ['any', 'complete', 2],
    ['any', 'failed', 2],
    ['any', 'rejected', 2],
    ['on-failure', 'complete', 1],
    ['on-failure', 'failed', 2],
    ['none', 'complete', 1],
    ['none', 'failed', 1],
  ])('%s after %s: %i tasks', (condition, state, count) => {
    const world = running({ condition: condition ?? 'any', delayMs: 0 });
    fail(world, state);
    world.settle();
    expect(world.tasks()).toHaveLength(count);
    expect(world.wanted()).toHaveLength(count - 1);
  });

  it('max attempts without a window: each slot is replaced once; an update resets', () => {
    const world = running({ maxAttempts: 1, delayMs: 0 }, 2);
    fail(world);
    world.settle();
    expect(world.wanted()).toHaveLength(2);
    world.obey();
    fail(world);
    world.settle();
    expect(world.wanted()).toHaveLength(0);
    expect(world.created).toBe(4);
    world.declare((spec) => ({ ...spec, task: { ...spec.task, container: { image: 'b' } } }));
    world.settle();
    world.obey();
    world.settle();
    world.obey();
    world.settle();
    expect(world.wanted()).toHaveLength(2);
    fail(world);
    world.settle();
    expect(world.wanted()).toHaveLength(2);
  });

  it('max attempts within a window: a failure inside it is final, one outside is not', () => {
    for (const [pause, count] of [
      [400, 2],
      [600, 3],
    ] as const) {
      const world = running({ maxAttempts: 1, windowMs: 500, delayMs: 0 });
      fail(world);
      world.settle();
      world.obey();
      world.now += pause;
      fail(world);
      world.settle();
      expect(world.created).toBe(count);
    }
  });

  it('does not loop tightly when a task fails while it waits for its own delay', () => {
    const world = running({ delayMs: 1_000 });
    fail(world);
    world.settle();
    world.now += 100;
    const [, waiting] = world.tasks();
    world.observe(waiting!.meta.id, 'rejected', { nodeId: 'n1' });
    world.settle();
    expect(world.created).toBe(2);
    expect(world.requeueAt).toBe(world.now + 900);
    world.advance(900);
    expect(world.created).toBe(3);
    expect(world.requeueAt).toBe(world.now + 1_000);
  });
});

describe('nodes that are lost', () => {
  it('DRAIN: no delay, but the old task has to end first', () => {
    const world = running({ delayMs: 5_000 });
    world.setNode('n1', { availability: 'drain' });
    world.settle();
    expect(outline(world.tasks())).toEqual(['1:shutdown/running', '1:ready/new']);
    const [old, next] = world.tasks();
    expect(next?.spec.cause).toBe('node');
    expect(old?.spec.stopBy).toBe(world.now + 10_000);
    world.observe(old!.meta.id, 'shutdown');
    world.settle();
    expect(world.tasks()[1]?.spec.desiredState).toBe('running');
  });

  it('DOWN: the delay applies, and nobody waits for the old task', () => {
    const world = running({ delayMs: 2_000 });
    world.setNode('n1', {}, { state: 'down' });
    world.advance(1_999);
    expect(outline(world.tasks())).toEqual(['1:shutdown/running', '1:ready/new']);
    world.advance(1);
    expect(world.tasks()[1]?.spec.desiredState).toBe('running');
  });

  it('a node that goes DOWN during the wait ends the wait', () => {
    const world = running();
    world.setNode('n1', { availability: 'drain' });
    world.settle();
    expect(world.tasks()[1]?.spec.desiredState).toBe('ready');
    world.setNode('n1', {}, { state: 'down' });
    world.settle();
    expect(world.tasks()[1]?.spec.desiredState).toBe('running');
  });

  it('an old task that never stops holds its replacement back for a minute', () => {
    const world = running();
    world.setNode('n1', { availability: 'drain' });
    world.advance(59_999);
    expect(world.tasks()[1]?.spec.desiredState).toBe('ready');
    world.advance(1);
    expect(world.tasks()[1]?.spec.desiredState).toBe('running');
  });

  it('a node that is removed leaves orphans, which are replaced', () => {
    const world = running();
    world.delete('Node', 'n1');
    world.settle();
    expect(outline(world.tasks())).toEqual(['1:shutdown/orphaned', '1:ready/new']);
  });

  it.each(['unknown', 'disconnected'] as const)('%s changes nothing', (state) => {
    const world = running();
    world.setNode('n1', {}, { state });
    world.settle();
    expect(outline(world.tasks())).toEqual(['1:running/running']);
  });

  it('PAUSE leaves tasks alone; one that fails is replaced', () => {
    const world = running({ delayMs: 0 });
    world.setNode('n1', { availability: 'pause' });
    world.settle();
    expect(world.created).toBe(1);
    fail(world);
    world.settle();
    expect(world.wanted()).toHaveLength(1);
    expect(world.created).toBe(2);
  });

  it('a node that comes back causes nothing', () => {
    const world = running({ delayMs: 0 }, 2);
    world.setNode('n1', {}, { state: 'down' });
    world.settle();
    for (const task of world.wanted()) world.run(task, 'n2');
    world.setNode('n1', {}, { state: 'ready' });
    const before = outline(world.tasks());
    world.settle();
    expect(outline(world.tasks())).toEqual(before);
  });
});

describe('faults', () => {
  it('are remembered per node, newest last, for tasks that the scheduler placed', () => {
    const world = running({ delayMs: 0 });
    for (let i = 0; i < 12; i += 1) {
      world.now += 10;
      fail(world, i % 2 === 0 ? 'failed' : 'rejected');
      world.settle();
      world.obey();
    }
    const [fault, ...others] = world.get(Service, 'svc').status.faults ?? [];
    expect(others).toEqual([]);
    expect(fault).toMatchObject({ nodeId: 'n1', specVersion: 1 });
    expect(fault?.times).toHaveLength(10);
    expect(fault?.times.at(-1)).toBe(world.now);
  });

  it('counts tasks that fail in the same moment one by one, and each once', () => {
    const world = running({ delayMs: 0 }, 3);
    fail(world);
    const faulty = world.copy();
    faulty.pass('svc', 1);
    faulty.settle();
    world.settle();
    const times = [world.now, world.now, world.now];
    expect(world.get(Service, 'svc').status.faults).toEqual([
      { nodeId: 'n1', specVersion: 1, times },
    ]);
    expect(faulty.get(Service, 'svc').status.faults).toEqual(
      world.get(Service, 'svc').status.faults,
    );
  });

  it('keeps at most 32 nodes, the oldest failure is forgotten first', () => {
    const world = running({ delayMs: 0 });
    for (let i = 0; i < 40; i += 1) {
      const id = `m${String(i).padStart(2, '0')}`;
      world.node(id);
      world.now += 1;
      const [task] = world.wanted();
      world.observe(task!.meta.id, 'failed', { nodeId: id });
      world.settle();
    }
    const faults = world.get(Service, 'svc').status.faults ?? [];
    expect(faults).toHaveLength(32);
    expect(faults[0]?.nodeId).toBe('m08');
    expect(faults.at(-1)?.nodeId).toBe('m39');
  });

  it('starts clean with a new version, and a late failure of the old one is ignored', () => {
    const world = running({ delayMs: 0 }, 2);
    const [first, second] = world.tasks();
    world.observe(first!.meta.id, 'failed');
    world.settle();
    world.declare((spec) => ({ ...spec, mode: { type: 'replicated', replicas: 2 }, rollback: {} }));
    world.settle();
    const [replacement] = world.tasks().filter((task) => task.spec.cause === 'restart');
    world.observe(replacement!.meta.id, 'failed', { nodeId: 'n1' });
    world.settle();
    const [next] = world.wanted().filter((task) => task.spec.slot === 1);
    expect(next?.spec.specVersion).toBe(2);
    world.observe(next!.meta.id, 'failed', { nodeId: 'n1' });
    world.settle();
    expect(world.get(Service, 'svc').status.faults?.[0]?.specVersion).toBe(2);
    world.observe(second!.meta.id, 'failed', { nodeId: 'n1' });
    world.settle();
    expect(world.get(Service, 'svc').status.faults?.[0]?.times).toHaveLength(1);
  });
});

describe('what a task is made from', () => {
  it('carries labels, owner, version, template and the log driver of the cluster', () => {
    const world = new World();
    world.cluster({ logDriver: { name: 'syslog' }, drainTimeoutMs: 3_000 });
    world.node('n1');
    world.service({
      networks: [{ target: 'net' }],
      endpoint: { ports: [{ targetPort: 80, publishedPort: 8080 }] },
    });
    world.settle();
    const [task] = world.tasks();
    expect(task?.meta).toMatchObject({
      name: `svc.1.${task?.meta.id ?? ''}`,
      owners: [{ kind: 'Service', id: 'svc', isController: true }],
    });
    expect(task?.meta.id).toBe(deriveId('svc', 'task', 0));
    expect(task?.spec).toEqual({
      serviceId: 'svc',
      serviceName: 'svc',
      slot: 1,
      desiredState: 'running',
      specVersion: 1,
      template: {
        container: { image: 'a' },
        networks: [{ target: 'net' }],
        logDriver: { name: 'syslog' },
      },
      endpoint: { ports: [{ targetPort: 80, publishedPort: 8080 }] },
      cause: 'scale',
    });
    expect(task?.status).toEqual({
      state: 'new',
      timestamp: world.now,
      appliedAt: world.now,
      message: 'created',
    });
    world.run(task!);
    world.declare((spec) => ({ ...spec, mode: { type: 'replicated', replicas: 0 } }));
    world.settle();
    expect(world.get(Task, task!.meta.id).spec.stopBy).toBe(world.now + 3_000);
    expect(world.get(Node, 'n1').meta.version).toBeGreaterThan(0);
  });
});
