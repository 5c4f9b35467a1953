import { describe, expect, it } from '@jest/globals';
import { Service, Task, newObject, type TaskState } from '@skep/api';
import { World } from './__fixtures__/world.js';
import { rankForKeeping, type RankedSlot } from './scale-down.js';

function slot(number: number, node: string | undefined, state: TaskState): RankedSlot {
  const task = newObject(Task, {
    id: `t${number}`,
    spec: {
      serviceId: 'svc',
      serviceName: 'svc',
      slot: number,
      desiredState: 'running',
      template: {},
      cause: 'scale',
    },
    status: {
      state,
      timestamp: 0,
      appliedAt: 0,
      message: '',
      ...(node === undefined ? {} : { nodeId: node }),
    },
  });
  return { slot: { slot: number, tasks: [task] }, holders: [task] };
}

const keep = (slots: readonly RankedSlot[], count: number): readonly number[] =>
  rankForKeeping(slots, (task) => task.status.nodeId)
    .slice(0, count)
    .map(({ slot: kept }) => kept.slot)
    .sort((a, b) => a - b);

const SCENARIO: readonly RankedSlot[] = [
  slot(1, 'n1', 'starting'),
  slot(2, 'n2', 'running'),
  slot(3, 'n2', 'running'),
  slot(4, 'n3', 'running'),
  slot(5, 'n3', 'running'),
  slot(6, 'n3', 'running'),
  slot(7, undefined, 'new'),
];

describe('ranking for scale-down', () => {
  it.each([
    [6, [1, 2, 3, 4, 5, 6]],
    [4, [1, 2, 3, 4]],
    [2, [2, 4]],
    [0, []],
  ])('keeps of seven slots %i as Swarm does', (count, kept) => {
    expect(keep(SCENARIO, count)).toEqual(kept);
    expect(keep([...SCENARIO].reverse(), count)).toEqual(kept);
  });

  it('takes slots with several tasks first', () => {
    const double = slot(1, 'n1', 'running');
    const task = double.holders[0]!;
    const updating = { ...double, holders: [task, { ...task, meta: { ...task.meta, id: 'x' } }] };
    expect(keep([updating, slot(2, 'n1', 'starting')], 1)).toEqual([2]);
  });

  it('defect 5: is a total order above twelve slots', () => {
    const slots = Array.from({ length: 40 }, (_, i) => slot(i + 1, `n${i % 2}`, 'running'));
    expect(keep(slots, 20)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(keep([...slots].reverse(), 20)).toEqual(keep(slots, 20));
  });
});

describe('a replicated service that shrinks', () => {
  function sevenSlots(): World {
    const world = new World();
    for (const id of ['n1', 'n2', 'n3']) world.node(id);
    world.service({ mode: { type: 'replicated', replicas: 7 } });
    world.settle();
    const places = ['n1', 'n2', 'n2', 'n3', 'n3', 'n3'];
    for (const task of world.tasks()) {
      const place = places[task.spec.slot - 1];
      const state = task.spec.slot === 1 ? 'starting' : 'running';
      if (place !== undefined) world.observe(task.meta.id, state, { nodeId: place });
    }
    world.settle();
    return world;
  }

  it.each([
    [6, [7]],
    [4, [5, 6, 7]],
    [2, [1, 3, 5, 6, 7]],
  ])('to %i removes the slots that Swarm removes', (replicas, removed) => {
    const world = sevenSlots();
    world.declare((spec) => ({ ...spec, mode: { type: 'replicated', replicas } }));
    world.settle();
    const gone = world.tasks().filter((task) => task.spec.desiredState === 'remove');
    expect(gone.map((task) => task.spec.slot)).toEqual(removed);
    expect(world.get(Service, 'svc').status.observedGeneration).toBe(2);
  });

  it('takes a slot whose task is about to be replaced before all others', () => {
    const world = sevenSlots();
    const [, second] = world.tasks();
    world.observe(second!.meta.id, 'failed', { nodeId: 'n2' });
    const last = world.tasks().at(-1)!;
    world.run(last, 'n1');
    world.declare((spec) => ({ ...spec, mode: { type: 'replicated', replicas: 6 } }));
    world.settle();
    expect(world.wanted().map((task) => task.spec.slot)).toEqual([1, 3, 4, 5, 6, 7]);
    expect(world.created).toBe(7);
  });
});
