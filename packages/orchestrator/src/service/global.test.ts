import { describe, expect, it } from '@jest/globals';
import { Service, type ServiceSpec } from '@skep/api';
import { World, outline } from './__fixtures__/world.js';

function running(spec: Partial<ServiceSpec> = {}, nodes = ['n1', 'n2']): World {
  const world = new World();
  for (const id of nodes) world.node(id);
  world.service({ mode: { type: 'global' }, ...spec });
  world.settle();
  world.obey();
  world.settle();
  return world;
}

function setImage(world: World, image: string): void {
  world.declare((spec) => ({ ...spec, task: { ...spec.task, container: { image } } }));
}

const onNode = (constraint: string): ServiceSpec['task'] => ({
  container: { image: 'a' },
  placement: { constraints: [constraint] },
});

const wanted = (world: World): readonly string[] => outline(world.wanted());

describe('a global service', () => {
  it('has one task on every node that fits, with the node fixed', () => {
    const world = running({}, ['n2', 'n1']);
    expect(wanted(world).toSorted()).toEqual(['n1:running/running', 'n2:running/running']);
    expect(world.tasks().map((task) => [task.spec.slot, task.spec.cause])).toEqual([
      [0, 'node'],
      [0, 'node'],
    ]);
    expect(world.get(Service, 'svc').status.observedGeneration).toBe(1);
  });

  it('visits nodes by host name', () => {
    const world = new World();
    for (const id of ['b', 'a', 'c']) world.node(id);
    world.service({ mode: { type: 'global' } });
    const plan = world.pass('svc');
    const order = plan.changes.flatMap((change) =>
      change.type === 'create' ? [(change.object.spec as { nodeId: string }).nodeId] : [],
    );
    expect(order).toEqual(['a', 'b', 'c']);
  });

  it('follows nodes that join, leave, drain and return', () => {
    const world = running();
    world.node('n3');
    world.settle();
    expect(world.wanted()).toHaveLength(3);
    world.setNode('n1', { availability: 'drain' });
    world.setNode('n2', {}, { state: 'down' });
    world.settle();
    expect(wanted(world)).toEqual(['n3:running/new']);
    expect(world.tasks().filter((task) => task.spec.desiredState === 'shutdown')).toHaveLength(2);
    world.setNode('n1', { availability: 'active' });
    world.setNode('n2', {}, { state: 'ready' });
    world.settle();
    expect(
      world
        .wanted()
        .map((task) => task.spec.nodeId)
        .toSorted(),
    ).toEqual(['n1', 'n2', 'n3']);
    expect(world.created).toBe(5);
    world.delete('Node', 'n1');
    world.settle();
    const onLost = world.tasks().filter((task) => task.spec.nodeId === 'n1');
    expect(new Set(onLost.map((task) => task.spec.desiredState))).toEqual(new Set(['remove']));
  });

  it('leaves a paused node alone: nothing added, nothing stopped, nothing restarted', () => {
    const world = running({ task: { container: { image: 'a' }, restartPolicy: { delayMs: 0 } } });
    world.setNode('n1', { availability: 'pause' });
    world.node('n3', { availability: 'pause' });
    world.settle();
    expect(wanted(world)).toEqual(['n1:running/running', 'n2:running/running']);
    for (const task of world.tasks()) world.observe(task.meta.id, 'failed');
    world.settle();
    expect(wanted(world)).toEqual(['n2:running/new']);
    world.setNode('n1', { availability: 'active' });
    world.settle();
    expect(
      world
        .wanted()
        .map((task) => task.spec.nodeId)
        .toSorted(),
    ).toEqual(['n1', 'n2']);
  });

  it('stops where the constraints do not match any more', () => {
    const world = running();
    world.labelNode('n1', { zone: 'a' });
    world.declare((spec) => ({ ...spec, task: onNode('node.labels.zone == a') }));
    world.settle();
    expect(wanted(world)).toEqual(['n1:running/running']);
    world.labelNode('n2', { zone: 'a' });
    world.labelNode('n1', { zone: 'b' });
    world.settle();
    expect(wanted(world)).toEqual(['n2:running/new']);
  });

  it('restarts on the same node after the delay', () => {
    const world = running({}, ['n1']);
    const [task] = world.tasks();
    world.observe(task!.meta.id, 'failed');
    world.settle();
    expect(outline(world.tasks())).toEqual(['n1:shutdown/failed', 'n1:ready/new']);
    world.advance(5_000);
    expect(wanted(world)).toEqual(['n1:running/new']);
  });

  it('condition none: a task that ended stays so', () => {
    const task = { container: { image: 'a' }, restartPolicy: { condition: 'none' as const } };
    const world = running({ task }, ['n1']);
    world.observe(world.tasks()[0]!.meta.id, 'complete');
    world.settle();
    expect(wanted(world)).toEqual([]);
    expect(world.created).toBe(1);
  });

  it('defect 6: judges each task by its own service', () => {
    const world = running({ task: onNode('node.id == n1') });
    world.service({ mode: { type: 'global' }, task: onNode('node.id == n2') }, 'other');
    world.settle('other');
    world.settle('svc');
    expect(world.wanted('svc').map((task) => task.spec.nodeId)).toEqual(['n1']);
    expect(world.wanted('other').map((task) => task.spec.nodeId)).toEqual(['n2']);
  });

  it('a constraint that does not parse matches no node', () => {
    const world = running({ task: onNode('nonsense') });
    expect(world.tasks()).toEqual([]);
  });
});

describe('updating a global service', () => {
  it('goes node by node', () => {
    const world = running({ update: { monitorMs: 300 } }, ['n1', 'n2', 'n3']);
    setImage(world, 'b');
    world.settle();
    const begun = world.tasks().filter((task) => task.spec.cause === 'update');
    expect(begun.map((task) => task.spec.nodeId)).toEqual(['n1']);
    world.play(3_000);
    expect(world.get(Service, 'svc').status.update?.state).toBe('completed');
    expect(world.wanted()).toHaveLength(3);
    expect(world.created).toBe(6);
  });

  it('a node that returns from PAUSE later catches up at once, without a status', () => {
    const world = running({ update: { monitorMs: 300 } }, ['n1', 'n2']);
    world.setNode('n2', { availability: 'pause' });
    setImage(world, 'b');
    world.play(2_000);
    const { update, observedGeneration } = world.get(Service, 'svc').status;
    expect([update?.state, update?.dirtySlots, observedGeneration]).toEqual(['completed', 1, 2]);
    world.setNode('n2', { availability: 'active' });
    world.settle();
    expect(world.get(Service, 'svc').status.update).toEqual(update);
    world.play(1_000);
    expect(world.wanted().map((task) => task.spec.template.container?.image)).toEqual(['b', 'b']);
  });

  it('catches up though a task of an equal older declaration is in the history', () => {
    const world = running({ update: { monitorMs: 300 } }, ['n1', 'n2']);
    for (const image of ['b', 'a']) {
      setImage(world, image);
      world.play(3_000);
    }
    world.setNode('n2', { availability: 'pause' });
    setImage(world, 'b');
    world.play(3_000);
    world.setNode('n2', { availability: 'active' });
    world.play(1_000);
    expect(world.wanted().map((task) => task.spec.template.container?.image)).toEqual(['b', 'b']);
  });
});
