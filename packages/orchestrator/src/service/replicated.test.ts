import { describe, expect, it } from '@jest/globals';
import { Service, type ServiceSpec } from '@skep/api';
import { World, outline } from './__fixtures__/world.js';

function running(replicas: number, task?: ServiceSpec['task']): World {
  const world = new World();
  world.node('n1');
  world.service({ mode: { type: 'replicated', replicas }, ...(task ? { task } : {}) });
  world.settle();
  world.obey();
  world.settle();
  return world;
}

function scale(world: World, replicas: number): void {
  world.now += 1;
  world.declare((spec) => ({ ...spec, mode: { type: 'replicated', replicas } }));
  world.settle();
}

const slots = (world: World): readonly number[] => world.wanted().map((task) => task.spec.slot);

describe('a replicated service', () => {
  it('has one task when it says nothing', () => {
    const world = new World();
    world.service({});
    world.settle();
    expect(outline(world.tasks())).toEqual(['1:running/new']);
    const { status } = world.get(Service, 'svc');
    expect(status).toMatchObject({ createdTasks: 1, observedGeneration: 1 });
    expect(status.history).toEqual([{ specVersion: 1, spec: world.get(Service, 'svc').spec }]);
  });

  it('writes the service before the tasks', () => {
    const world = new World();
    world.service({ mode: { type: 'replicated', replicas: 3 } });
    const plan = world.pass('svc');
    expect(plan.changes.map((change) => change.type)).toEqual([
      'update',
      'create',
      'create',
      'create',
    ]);
  });

  it('takes the lowest free numbers, those of dead slots included', () => {
    const world = running(4);
    scale(world, 2);
    expect(slots(world)).toEqual([1, 2]);
    scale(world, 5);
    expect(slots(world)).toEqual([1, 2, 3, 4, 5]);
    expect(outline(world.tasks().filter((task) => task.spec.slot === 3))).toEqual([
      '3:remove/running',
      '3:running/new',
    ]);
    world.obey();
    world.reap();
    world.settle();
    expect(world.tasks()).toHaveLength(5);
    expect(world.created).toBe(7);
  });

  it('a finished task of condition none holds its slot', () => {
    const task = { container: { image: 'a' }, restartPolicy: { condition: 'none' as const } };
    const world = running(2, task);
    world.observe(world.tasks()[0]!.meta.id, 'complete');
    world.settle();
    scale(world, 3);
    expect(slots(world)).toEqual([2, 3]);
    expect(world.created).toBe(3);
  });

  it('asks all tasks of a surplus slot to be removed, ended ones as well', () => {
    const world = running(1, { container: { image: 'a' }, restartPolicy: { delayMs: 0 } });
    world.observe(world.tasks()[0]!.meta.id, 'failed');
    world.settle();
    scale(world, 0);
    expect(outline(world.tasks())).toEqual(['1:remove/failed', '1:remove/new']);
  });

  it('one task per slot: a surplus task is shut down', () => {
    const world = running(1);
    const [task] = world.tasks();
    const twin = { ...task!, meta: { ...task!.meta, id: 'twin', createdAt: world.now + 1 } };
    world.commit('setup', [{ type: 'create', object: twin }]);
    world.settle();
    expect(world.wanted()).toHaveLength(1);
  });
});

describe('removing a service', () => {
  it('asks its tasks to be removed and lets it go when the last is gone', () => {
    const world = running(3);
    world.requestRemoval();
    world.settle();
    expect(new Set(world.tasks().map((task) => task.spec.desiredState))).toEqual(
      new Set(['remove']),
    );
    expect(world.tasks().every((task) => task.spec.stopBy === world.now + 10_000)).toBe(true);
    expect(world.get(Service, 'svc').meta.finalizers).toEqual(['orchestrator', 'allocator']);
    world.reap();
    world.settle();
    expect(world.get(Service, 'svc').meta.finalizers).toEqual(['allocator']);
  });

  it('clears up after a service that is gone all the same', () => {
    const world = running(2);
    world.put({
      ...world.get(Service, 'svc'),
      meta: { ...world.get(Service, 'svc').meta, finalizers: [] },
    });
    world.delete('Service', 'svc');
    world.settle();
    expect(world.wanted()).toEqual([]);
    expect(world.pass('nobody').changes).toEqual([]);
  });
});
