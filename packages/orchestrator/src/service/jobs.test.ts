import { describe, expect, it } from '@jest/globals';
import { Service, type ServiceSpec, type Task } from '@skep/api';
import { World, outline } from './__fixtures__/world.js';

type JobMode = Extract<ServiceSpec['mode'], { type: 'replicated-job' }>;

function job(mode: Omit<JobMode, 'type'>, task: ServiceSpec['task'] = image('a')): World {
  const world = new World();
  for (const id of ['n1', 'n2']) world.node(id);
  world.service({ mode: { type: 'replicated-job', ...mode }, task });
  world.settle();
  return world;
}

function image(name: string, maxAttempts = 0): ServiceSpec['task'] {
  return { container: { image: name }, restartPolicy: { delayMs: 0, maxAttempts } };
}

const state = (world: World): Service['status']['job'] => world.get(Service, 'svc').status.job;
const unfinished = (world: World): readonly Task[] =>
  world.wanted().filter((task) => task.status.state !== 'complete');

function finish(world: World, count = Infinity): void {
  for (const task of unfinished(world).slice(0, count)) {
    world.observe(task.meta.id, 'complete', { nodeId: 'n1' });
  }
  world.settle();
}

describe('a replicated job', () => {
  it('runs so many at a time until it has its completions, in slots from 0', () => {
    const world = job({ maxConcurrent: 2, totalCompletions: 5 });
    expect(outline(world.tasks())).toEqual(['0:complete/new', '1:complete/new']);
    expect(world.tasks().map((task) => task.spec.jobIteration)).toEqual([0, 0]);
    finish(world, 1);
    expect(unfinished(world).map((task) => task.spec.slot)).toEqual([1, 2]);
    for (let i = 0; i < 4; i += 1) finish(world);
    expect(state(world)).toMatchObject({ iteration: 0, completed: 5 });
    expect(world.tasks().map((task) => task.spec.slot)).toEqual([0, 1, 2, 3, 4]);
    expect(world.created).toBe(5);
    expect(world.get(Service, 'svc').status.observedGeneration).toBe(1);
  });

  it('one at a time, and as many as run at a time, are the defaults', () => {
    expect(job({}).created).toBe(1);
    const world = job({ maxConcurrent: 3 });
    finish(world);
    expect([world.created, state(world)?.completed]).toEqual([3, 3]);
  });

  it('restarts what failed, whatever `any` says about success', () => {
    const world = job({ maxConcurrent: 1 });
    world.observe(world.tasks()[0]!.meta.id, 'failed', { nodeId: 'n1' });
    world.settle();
    expect(outline(world.tasks())).toEqual(['0:shutdown/failed', '0:complete/new']);
    finish(world);
    expect([world.created, state(world)?.completed]).toEqual([2, 1]);
  });

  it('waits at READY for the delay', () => {
    const world = job({ maxConcurrent: 2, totalCompletions: 2 }, { container: { image: 'a' } });
    world.observe(world.tasks()[0]!.meta.id, 'failed', { nodeId: 'n1' });
    world.settle();
    expect(unfinished(world).map((task) => task.spec.desiredState)).toEqual(['ready', 'complete']);
    world.advance(5_000);
    expect(unfinished(world).map((task) => task.spec.desiredState)).toEqual([
      'complete',
      'complete',
    ]);
  });

  it('gives a slot up when its attempts are used, and goes on with the others', () => {
    const world = job({ maxConcurrent: 1, totalCompletions: 2 }, image('a', 1));
    for (let i = 0; i < 2; i += 1) {
      world.observe(unfinished(world)[0]!.meta.id, 'failed', { nodeId: 'n1' });
      world.settle();
    }
    expect(unfinished(world).map((task) => task.spec.slot)).toEqual([1]);
    finish(world);
    expect([world.created, state(world)?.completed]).toEqual([3, 1]);
    expect(unfinished(world)).toEqual([]);
  });

  it('runs elsewhere what a drained node had', () => {
    const world = job({ maxConcurrent: 1 });
    world.run(world.tasks()[0]!, 'n1');
    world.setNode('n1', { availability: 'drain' });
    world.settle();
    expect(outline(world.tasks())).toEqual(['0:shutdown/running', '0:ready/new']);
  });

  it('defect 7: only what the tasks are made from starts it again', () => {
    const world = job({ maxConcurrent: 1, totalCompletions: 2 });
    finish(world);
    world.run(unfinished(world)[0]!);
    world.declare((spec) => ({ ...spec, rollback: { parallelism: 3 } }));
    world.declare((spec) => ({
      ...spec,
      mode: { type: 'replicated-job', maxConcurrent: 2, totalCompletions: 3 },
    }));
    world.settle();
    expect(state(world)).toMatchObject({ iteration: 0, completed: 1 });
    expect(world.created).toBe(3);
    world.now += 1;
    world.declare((spec) => ({ ...spec, task: image('b') }));
    world.settle();
    expect(state(world)).toEqual({ iteration: 1, startedAt: world.now, completed: 0 });
    expect(outline(world.tasks())).toEqual([
      '0:complete/complete',
      '0:complete/new',
      '1:remove/running',
      '1:complete/new',
      '2:remove/new',
    ]);
  });

  it('defect 7: counts that make no sense give no error and no surplus', () => {
    const world = job({ maxConcurrent: 4, totalCompletions: 4 });
    world.declare((spec) => ({
      ...spec,
      mode: { type: 'replicated-job', maxConcurrent: 1, totalCompletions: 2 },
    }));
    world.settle();
    expect(outline(world.tasks())).toEqual([
      '0:complete/new',
      '1:complete/new',
      '2:remove/new',
      '3:remove/new',
    ]);
    finish(world);
    expect([world.created, state(world)?.completed]).toEqual([4, 2]);
  });
});

describe('a global job', () => {
  function globalJob(task: ServiceSpec['task'] = image('a')): World {
    const world = new World();
    for (const id of ['n1', 'n2']) world.node(id);
    world.service({ mode: { type: 'global-job' }, task });
    world.settle();
    return world;
  }

  it('completes once on every node that is ready and active', () => {
    const world = globalJob();
    world.node('n3', {}, { state: 'unknown' });
    world.node('n4', { availability: 'pause' });
    world.settle();
    expect(outline(world.tasks())).toEqual(['n1:complete/new', 'n2:complete/new']);
    finish(world);
    expect([world.created, state(world)?.completed]).toEqual([2, 2]);
  });

  it('defect 8: a node that joins late gets its task', () => {
    const world = globalJob();
    finish(world);
    world.node('n3');
    world.settle();
    expect(unfinished(world).map((task) => task.spec.nodeId)).toEqual(['n3']);
  });

  it('defect 9: attempts are limited', () => {
    const world = globalJob(image('a', 1));
    for (let i = 0; i < 4; i += 1) {
      for (const task of unfinished(world)) world.observe(task.meta.id, 'failed');
      world.settle();
    }
    expect(world.created).toBe(4);
    expect(unfinished(world)).toEqual([]);
  });

  it('stops on a drained node, and runs there again when it returns', () => {
    const world = globalJob();
    finish(world, 1);
    for (const task of unfinished(world)) world.run(task);
    for (const id of ['n1', 'n2']) world.setNode(id, { availability: 'drain' });
    world.settle();
    expect(outline(world.tasks())).toEqual(['n1:complete/complete', 'n2:shutdown/running']);
    world.obey();
    for (const id of ['n1', 'n2']) world.setNode(id, { availability: 'active' });
    world.settle();
    expect(unfinished(world).map((task) => task.spec.nodeId)).toEqual(['n2']);
  });

  it('a new template runs it everywhere again', () => {
    const world = globalJob();
    finish(world);
    world.declare((spec) => ({ ...spec, task: image('b') }));
    world.settle();
    expect(unfinished(world)).toHaveLength(2);
    expect(state(world)).toMatchObject({ iteration: 1, completed: 0 });
  });
});
