import { describe, expect, it } from '@jest/globals';
import { Service, type ServiceSpec, type Task, type UpdateConfig } from '@skep/api';
import { World, outline } from './__fixtures__/world.js';

function running(replicas: number, update?: UpdateConfig, more: Partial<ServiceSpec> = {}): World {
  const world = new World();
  for (const id of ['n1', 'n2']) world.node(id);
  world.service({
    mode: { type: 'replicated', replicas },
    ...(update ? { update } : {}),
    ...more,
  });
  world.settle();
  world.obey();
  world.settle();
  return world;
}

function setImage(world: World, image: string): void {
  world.declare((spec) => ({ ...spec, task: { ...spec.task, container: { image } } }));
}

const imageOf = (task: Task): string => task.spec.template.container?.image ?? '';
const isNew = (task: Task): boolean => imageOf(task) === 'b';
const isRunning = (task: Task): boolean => task.status.state === 'running';
const update = (world: World): Service['status']['update'] =>
  world.get(Service, 'svc').status.update;

describe('a stop-first update', () => {
  it('takes one slot after another, rests after each, and watches the last', () => {
    const world = running(3, { parallelism: 1, delayMs: 1_000, monitorMs: 2_000 });
    const start = world.now;
    setImage(world, 'b');
    let least = 3;
    world.play(10_000, {
      check: () => {
        least = Math.min(least, world.tasks().filter(isRunning).length);
        const inWork = world.wanted().filter((task) => isNew(task) && !isRunning(task));
        expect(inWork.length).toBeLessThanOrEqual(1);
      },
    });
    expect(least).toBe(2);
    const done = update(world);
    expect(done).toMatchObject({ state: 'completed', dirtySlots: 3, failedTasks: [] });
    // Three rests, the last included, then the watch.
    expect(done!.completedAt! - start).toBeGreaterThanOrEqual(3 * 1_000 + 2_000);
    expect(world.wanted().map(imageOf)).toEqual(['b', 'b', 'b']);
    expect(world.created).toBe(6);
    expect(world.get(Service, 'svc').status.observedGeneration).toBe(2);
  });

  it('asks the old task to stop and waits for it, a minute at most', () => {
    const world = running(1);
    setImage(world, 'b');
    world.settle();
    expect(outline(world.tasks())).toEqual(['1:shutdown/running', '1:ready/new']);
    world.advance(59_999);
    expect(world.tasks()[1]?.spec.desiredState).toBe('ready');
    world.advance(1);
    expect(world.tasks()[1]?.spec.desiredState).toBe('running');
  });

  it.each([
    [0, 5],
    [1, 1],
    [2, 2],
    [9, 5],
  ])('parallelism %i: %i slots at a time', (parallelism, atOnce) => {
    const world = running(5, { parallelism, monitorMs: 100 });
    setImage(world, 'b');
    let most = 0;
    world.play(3_000, {
      check: () => {
        const inWork = world.wanted().filter((task) => isNew(task) && !isRunning(task));
        most = Math.max(most, inWork.length);
      },
    });
    expect(most).toBe(atOnce);
    expect(update(world)?.state).toBe('completed');
  });

  it('slides: a slot that is done makes room for the next though others are not', () => {
    const world = running(4, { parallelism: 2 });
    setImage(world, 'b');
    world.settle();
    world.obey();
    world.settle();
    const second = world.wanted().find((task) => task.spec.slot === 2 && isNew(task));
    world.run(second!, 'n1');
    world.settle();
    const begun = world.wanted().filter(isNew);
    expect(begun.map((task) => task.spec.slot)).toEqual([1, 2, 3]);
  });
});

describe('a start-first update', () => {
  it('never runs fewer tasks than replicas, nor more than parallelism above', () => {
    const world = running(3, { order: 'start-first', monitorMs: 500 });
    setImage(world, 'b');
    world.play(5_000, {
      check: () => {
        const count = world.tasks().filter(isRunning).length;
        expect(count).toBeGreaterThanOrEqual(3);
        expect(count).toBeLessThanOrEqual(4);
      },
    });
    expect(update(world)?.state).toBe('completed');
    expect(outline(world.tasks().filter(isNew))).toEqual(
      [1, 2, 3].map((slot) => `${slot}:running/running`),
    );
    expect(outline(world.tasks().filter((task) => !isNew(task)))).toEqual(
      [1, 2, 3].map((slot) => `${slot}:shutdown/shutdown`),
    );
  });

  it('an old task without a node has nothing to go on with, and makes room', () => {
    const world = new World();
    world.service({ update: { order: 'start-first' } });
    world.settle();
    world.observe(world.tasks()[0]!.meta.id, 'pending');
    setImage(world, 'b');
    world.settle();
    expect(outline(world.tasks())).toEqual(['1:shutdown/pending', '1:running/new']);
  });

  it('an old task that fails meanwhile has its successor already', () => {
    const world = running(1, { order: 'start-first' });
    setImage(world, 'b');
    world.settle();
    const [old] = world.tasks();
    world.observe(old!.meta.id, 'failed');
    world.settle();
    expect(world.created).toBe(2);
    expect(outline(world.tasks())).toEqual(['1:shutdown/failed', '1:running/new']);
  });
});

describe('failures', () => {
  const broken = { isBroken: isNew };

  it('pause at ratio 0: one new task exists, nothing goes on, a new spec resumes', () => {
    const world = running(3, { failureAction: 'pause' }, { task: noRestart('a') });
    setImage(world, 'b');
    world.play(3_000, broken);
    expect(update(world)).toMatchObject({ state: 'paused', dirtySlots: 3 });
    const [failed] = world.tasks().filter(isNew);
    expect(world.tasks().filter(isNew)).toHaveLength(1);
    expect(update(world)?.message).toBe(
      `update paused due to failure or early termination of task ${failed?.meta.id ?? ''}`,
    );
    const before = world.revision;
    for (let i = 0; i < 3; i += 1) world.pass('svc');
    expect(world.revision).toBe(before);
    setImage(world, 'c');
    world.play(30_000);
    expect(update(world)?.state).toBe('completed');
    expect(world.wanted().map(imageOf)).toEqual(['c', 'c', 'c']);
  });

  it('ratio 0.4 of four slots with rollback: the second failure triggers', () => {
    const config: UpdateConfig = { failureAction: 'rollback', maxFailureRatio: 0.4 };
    const world = running(4, config, { task: noRestart('a') });
    setImage(world, 'b');
    let failuresAtRollback = 0;
    world.play(40_000, {
      ...broken,
      check: () => {
        if (update(world)?.state !== 'updating') return;
        failuresAtRollback = Math.max(failuresAtRollback, update(world)?.failedTasks.length ?? 0);
      },
    });
    expect(failuresAtRollback).toBe(1);
    expect(update(world)).toMatchObject({ state: 'rollback-completed', specVersion: 3 });
    expect(world.tasks().filter(isNew)).toHaveLength(2);
    expect(world.wanted().map(imageOf)).toEqual(['a', 'a', 'a', 'a']);
    const { spec, meta, status } = world.get(Service, 'svc');
    expect([spec.task.container?.image, meta.generation]).toEqual(['a', 3]);
    expect(status.observedGeneration).toBe(3);
    expect(status.history?.map((revision) => revision.specVersion)).toEqual([3, 2, 1]);
  });

  it('continue: goes through all slots', () => {
    const world = running(3, { failureAction: 'continue' }, { task: noRestart('a') });
    setImage(world, 'b');
    world.play(10_000, broken);
    expect(update(world)?.state).toBe('completed');
    expect(update(world)?.failedTasks).toHaveLength(3);
    expect(world.tasks().filter(isNew)).toHaveLength(3);
  });

  it.each([
    [4_900, 'paused'],
    [5_200, 'completed'],
  ])('a task that ends %i ms after it ran: %s', (after, state) => {
    const world = running(1, { monitorMs: 5_000 });
    setImage(world, 'b');
    world.play(200);
    const fresh = world.wanted().find(isNew)!;
    world.play(after - (world.now - fresh.status.runningAt!), { stepMs: 50 });
    world.observe(fresh.meta.id, 'failed');
    world.settle();
    expect(update(world)?.state).toBe(state);
  });

  it('defect 11: a rollback that fails stays paused', () => {
    const config: UpdateConfig = { failureAction: 'rollback' };
    const world = running(3, config, { rollback: config, task: noRestart('a') });
    setImage(world, 'b');
    world.play(600, { isBroken: (task) => isNew(task) && task.spec.slot === 3 });
    expect(update(world)).toMatchObject({ state: 'rollback-started', dirtySlots: 2 });
    world.play(2_000, { isBroken: (task) => task.spec.cause === 'update' });
    expect(update(world)?.state).toBe('rollback-paused');
    world.play(30_000);
    expect(update(world)?.state).toBe('rollback-paused');
    expect(update(world)?.completedAt).toBeUndefined();
  });

  it('rolls back to nothing when there is nothing', () => {
    const world = running(1, { failureAction: 'rollback' }, { task: noRestart('a') });
    setImage(world, 'b');
    const service = world.get(Service, 'svc');
    world.put({ ...service, status: { ...service.status, history: [] } });
    world.play(1_000, broken);
    expect(update(world)).toMatchObject({ state: 'paused' });
    expect(update(world)?.message).toContain('no earlier specification');
  });

  it('restarted tasks do not count again, and what replaces them is from the old spec', () => {
    const config: UpdateConfig = { failureAction: 'rollback' };
    const world = running(2, config);
    setImage(world, 'b');
    world.play(30_000, broken);
    expect(update(world)?.state).toBe('rollback-completed');
    expect(world.wanted().map(imageOf)).toEqual(['a', 'a']);
    expect(world.tasks().filter(isNew)).toHaveLength(1);
  });

  it('defect 10: a task that does not come up in time counts, from when it may run', () => {
    const world = running(2, { progressDeadlineMs: 3_000 });
    setImage(world, 'b');
    world.settle();
    const [old, fresh] = world.tasks();
    world.now += 2_000;
    world.observe(old!.meta.id, 'shutdown');
    world.settle();
    world.advance(2_999);
    expect(update(world)?.state).toBe('updating');
    world.advance(1);
    expect(update(world)).toMatchObject({ state: 'paused', failedTasks: [fresh?.meta.id] });
  });

  it('says which task it waits for when there is no node', () => {
    const world = running(2);
    setImage(world, 'b');
    world.settle();
    const fresh = world.wanted().find(isNew)!;
    const pending = { code: 'no-suitable-node', message: 'no suitable node' };
    world.observe(fresh.meta.id, 'pending', { pending });
    world.settle();
    expect(update(world)?.blocked).toBe(`task ${fresh.meta.name}: no suitable node`);
    expect(world.requeueAt).toBe(fresh.spec.release?.giveUpAt);
    world.obey();
    world.play(15_000);
    expect(update(world)).toMatchObject({ state: 'completed' });
    expect(update(world)?.blocked).toBeUndefined();
  });
});

describe('what does not replace tasks', () => {
  const untouched: readonly [string, (spec: ServiceSpec) => ServiceSpec][] = [
    [
      'placement that nodes still match',
      (spec) => ({ ...spec, task: { ...spec.task, placement: { constraints: ['node.id != x'] } } }),
    ],
    [
      'registry credentials',
      (spec) => ({
        ...spec,
        task: {
          ...spec.task,
          container: { image: 'a', pullOptions: { registryAuth: 'x' } },
        },
      }),
    ],
    ['the number of replicas', (spec) => ({ ...spec, mode: { type: 'replicated', replicas: 2 } })],
    ['weights', (spec) => ({ ...spec, endpoint: { weights: [{ weight: 2, specVersion: 1 }] } })],
    ['the update configuration', (spec) => ({ ...spec, update: { parallelism: 3 } })],
  ];

  it.each(untouched)('%s', (_name, change) => {
    const world = running(3);
    world.declare(change);
    world.play(1_000, { check: () => expect(update(world)).toBeUndefined() });
    expect(world.created).toBe(3);
    expect(world.get(Service, 'svc').status.observedGeneration).toBe(2);
  });

  it('registry credentials replace tasks that have no image yet', () => {
    const world = running(1);
    const [task] = world.tasks();
    const { status } = task!;
    const { runningAt: _, ...rest } = status;
    world.put({ ...task!, status: { ...rest, state: 'preparing' } });
    world.declare((spec) => ({
      ...spec,
      task: { container: { image: 'a', pullOptions: { registryAuth: 'x' } } },
    }));
    world.settle();
    expect(world.created).toBe(2);
  });
});

describe('updates and other changes', () => {
  it('scaling during an update keeps its failures', () => {
    const config: UpdateConfig = { maxFailureRatio: 0.4, delayMs: 1_000 };
    const world = running(4, config, { task: noRestart('a') });
    setImage(world, 'b');
    world.play(300, { isBroken: isNew });
    expect(update(world)?.failedTasks).toHaveLength(1);
    world.declare((spec) => ({ ...spec, mode: { type: 'replicated', replicas: 5 } }));
    world.play(2_000, { isBroken: isNew });
    expect(update(world)).toMatchObject({ state: 'paused', specVersion: 3, dirtySlots: 4 });
    expect(update(world)?.failedTasks).toHaveLength(2);
  });

  it('a scale that was declared after the culprit survives its rollback', () => {
    const config: UpdateConfig = { failureAction: 'rollback', delayMs: 3_000 };
    const world = running(3, config, { task: noRestart('a') });
    setImage(world, 'b');
    world.play(1_000);
    world.declare((spec) => ({ ...spec, mode: { type: 'replicated', replicas: 5 } }));
    world.play(20_000, { isBroken: isNew });
    expect(world.get(Service, 'svc').spec).toMatchObject({
      mode: { replicas: 5 },
      task: { container: { image: 'a' } },
    });
  });

  it('a new image in the middle starts again, and each slot ends with one task', () => {
    const world = running(4, { order: 'start-first', parallelism: 2, delayMs: 500 });
    setImage(world, 'b');
    world.play(800);
    setImage(world, 'c');
    world.play(15_000);
    expect(update(world)).toMatchObject({ state: 'completed', specVersion: 3 });
    expect(world.wanted().map(imageOf)).toEqual(['c', 'c', 'c', 'c']);
    expect(world.wanted().map((task) => task.spec.slot)).toEqual([1, 2, 3, 4]);
  });

  it('scaling down during an update takes slots in the middle of it first', () => {
    const world = running(4, { order: 'start-first', delayMs: 500 });
    setImage(world, 'b');
    world.settle();
    world.declare((spec) => ({ ...spec, mode: { type: 'replicated', replicas: 3 } }));
    world.settle();
    const slots = new Set(world.wanted().map((task) => task.spec.slot));
    expect([...slots]).toEqual([2, 3, 4]);
  });

  it('goes back and forth between two images without colliding ids', () => {
    const world = running(2, { order: 'start-first', monitorMs: 10 }, { task: noRestart('a') });
    for (const image of ['b', 'a', 'b', 'a']) {
      setImage(world, image);
      world.settle();
      world.play(300, { isBroken: isNew });
    }
    world.play(10_000);
    expect(world.wanted().map(imageOf)).toEqual(['a', 'a']);
  });
});

function noRestart(image: string): ServiceSpec['task'] {
  return { container: { image }, restartPolicy: { condition: 'none' } };
}
