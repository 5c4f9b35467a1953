import { describe, expect, it } from '@jest/globals';
import { Service, type ServiceSpec, type Task } from '@skep/api';
import { World } from './__fixtures__/world.js';

const held = { isHeld: true, monitorMs: 100 };

function running(mode: ServiceSpec['mode']): World {
  const world = new World();
  for (const id of ['n1', 'n2']) world.node(id);
  world.service({ ...(mode === undefined ? {} : { mode }), update: { monitorMs: 100 } });
  world.settle();
  world.obey();
  world.settle();
  return world;
}

const imageOf = (task: Task): string => task.spec.template.container?.image ?? '';
const images = (world: World): readonly string[] => world.wanted().map(imageOf).sort();

describe.each<[string, ServiceSpec['mode']]>([
  ['replicated', { type: 'replicated', replicas: 2 }],
  ['global', { type: 'global' }],
])('an update of a %s service that is held', (_type, mode) => {
  const setUp = (): World => {
    const world = running(mode);
    world.declare((spec) => ({ ...spec, update: held, task: { container: { image: 'b' } } }));
    world.play(5_000);
    return world;
  };
  const status = (world: World): Service['status'] => world.get(Service, 'svc').status;

  it('touches no task, says so, and has nothing left to do', () => {
    const world = setUp();
    expect(images(world)).toEqual(['a', 'a']);
    expect(status(world)).toMatchObject({
      observedGeneration: 2,
      update: { state: 'paused', message: 'update is held', specVersion: 2, dirtySlots: 2 },
    });
    expect(world.pass('svc').changes).toEqual([]);
  });

  it('stays held whatever else is declared', () => {
    const world = setUp();
    world.declare((spec) => ({ ...spec, task: { container: { image: 'c' } } }));
    world.play(5_000);
    expect(images(world)).toEqual(['a', 'a']);
    expect(status(world).update).toMatchObject({ state: 'paused', specVersion: 3 });
  });

  it('begins when it is let go', () => {
    const world = setUp();
    world.declare((spec) => ({ ...spec, update: { monitorMs: 100 } }));
    world.play(30_000);
    expect(images(world)).toEqual(['b', 'b']);
    expect(status(world).update?.state).toBe('completed');
  });
});

it('an update that is under way is held, too; slots in flight come to their end', () => {
  const world = running({ type: 'replicated', replicas: 2 });
  world.declare((spec) => ({ ...spec, task: { container: { image: 'b' } } }));
  world.settle();
  world.declare((spec) => ({ ...spec, update: held }));
  world.play(10_000);
  expect(images(world)).toEqual(['a', 'b']);
  expect(world.get(Service, 'svc').status.update?.state).toBe('paused');
});

it('slots that are new while it is held are made from the present spec', () => {
  const world = running({ type: 'replicated', replicas: 2 });
  world.declare((spec) => ({
    ...spec,
    mode: { type: 'replicated', replicas: 3 },
    update: held,
    task: { container: { image: 'b' } },
  }));
  world.play(10_000);
  expect(images(world)).toEqual(['a', 'a', 'b']);
});
