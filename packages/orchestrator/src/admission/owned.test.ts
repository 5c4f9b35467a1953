import { describe, expect, it } from '@jest/globals';
import type { Task } from '@skep/api';
import { Service, byOwner, defineKind, deriveId, newObject, type ServiceSpec } from '@skep/api';
import { outline, World } from '../service/__fixtures__/world.js';
import type { AdmissionPlan } from './declared-objects.js';
import { planMove } from './move.js';
import { planOwned } from './owned.js';

const CronJob = defineKind<object, object>({ name: 'CronJob', initialStatus: {} });
const job = newObject(CronJob, { id: 'j', name: 'nightly', spec: {} });

function commit(world: World, plan: AdmissionPlan): void {
  expect(plan.complaints).toEqual([]);
  world.commit('user', plan.changes);
}

describe('planOwned', () => {
  const run = (image: string, name = 'nightly-1'): AdmissionPlan =>
    planOwned(world.view(), job, [
      {
        kind: Service,
        id: deriveId('j', 'run', 1),
        name,
        spec: { task: { container: { image } } },
      },
    ]);
  let world = new World();

  it('makes a service as the front door does, with an owner', () => {
    world = new World();
    commit(world, run('a:1'));
    const [service] = world.view().list(Service, byOwner(Service, 'j'));
    expect(service?.meta).toMatchObject({
      id: deriveId('j', 'run', 1),
      owners: [{ kind: 'CronJob', id: 'j', isController: true }],
      finalizers: ['orchestrator', 'allocator'],
      managers: { 'CronJob nightly': ['task.container.image'] },
    });
    expect(run('a:1').changes).toEqual([]);
  });

  it('keeps what it declares, and leaves alone what it does not', () => {
    world = new World();
    commit(world, run('a:1'));
    const service = world.get(Service, deriveId('j', 'run', 1));
    const edited = {
      ...service,
      meta: { ...service.meta, labels: { tier: 'x' } },
      spec: { task: { container: { image: 'b:1' } }, update: { delayMs: 1 } },
    };
    world.commit('user', [{ type: 'update', object: edited }]);
    commit(world, run('a:2'));
    const { spec, meta } = world.get(Service, service.meta.id);
    expect(spec).toEqual({ task: { container: { image: 'a:2' } }, update: { delayMs: 1 } });
    expect(meta.labels).toEqual({ tier: 'x' });
  });

  it('says why the front door refuses it, also for a name that is taken', () => {
    world = new World();
    expect(run('NOT AN IMAGE').complaints.map(({ field }) => field)).toEqual([
      'spec.task.container.image',
    ]);
    const other = newObject(Service, { id: 'x', name: 'nightly-1', spec: { task: {} } });
    world.commit('user', [{ type: 'create', object: other }]);
    expect(run('a:1').complaints.map(({ code }) => code)).toEqual(['already-exists']);
  });
});

describe('planMove', () => {
  function running(spec: Partial<ServiceSpec> = {}): World {
    const world = new World();
    for (const id of ['n1', 'n2']) world.node(id);
    world.service({ mode: { type: 'replicated', replicas: 2 }, ...spec });
    world.settle();
    world.obey();
    world.settle();
    return world;
  }
  const first = (world: World): Task => world.wanted()[0]!;

  it('stops first where updates do', () => {
    const world = running();
    const moved = first(world).meta.id;
    commit(world, planMove(world.view(), moved));
    world.settle();
    expect(outline(world.tasks())).toEqual([
      '1:shutdown/running',
      '1:ready/new',
      '2:running/running',
    ]);
    world.play(2_000);
    expect(world.wanted().map(({ spec, status }) => `${spec.slot} ${status.state}`)).toEqual([
      '1 running',
      '2 running',
    ]);
    expect(world.wanted().some(({ meta }) => meta.id === moved)).toBe(false);
    expect(world.get(Service, 'svc').status.update).toBeUndefined();
  });

  it('starts first where updates do: there are never too few', () => {
    const world = running({ update: { order: 'start-first' } });
    commit(world, planMove(world.view(), first(world).meta.id));
    let least = 2;
    world.play(2_000, {
      check: () => {
        const up = world.tasks().filter(({ status }) => status.state === 'running').length;
        least = Math.min(least, up);
      },
    });
    expect(least).toBe(2);
    expect(world.created).toBe(3);
    expect(world.wanted()).toHaveLength(2);
  });

  it('a task that is asked to move and fails is replaced once', () => {
    const world = running({ update: { order: 'start-first' } });
    const task = first(world);
    commit(world, planMove(world.view(), task.meta.id));
    world.settle();
    world.observe(task.meta.id, 'failed');
    world.play(20_000);
    expect(world.wanted().map(({ spec }) => spec.slot)).toEqual([1, 2]);
    expect(world.created).toBe(3);
  });

  it.each<[string, (world: World) => string, string]>([
    ['nobody', () => 'nobody', 'it does not exist'],
    [
      'a task that moves already',
      (world) => {
        const { id } = first(world).meta;
        commit(world, planMove(world.view(), id));
        return id;
      },
      'it is moving already',
    ],
    [
      'a task of a service that is updated',
      (world) => {
        world.declare((spec) => ({ ...spec, task: { container: { image: 'b' } } }));
        return first(world).meta.id;
      },
      "the service 'svc' is being changed",
    ],
    [
      'a task that does not run',
      (world) => {
        world.observe(first(world).meta.id, 'failed');
        return first(world).meta.id;
      },
      'it is failed, not running',
    ],
  ])('refuses %s', (_what, setUp, message) => {
    const world = running();
    const reference = setUp(world);
    const { complaints } = planMove(world.view(), reference);
    expect(complaints.map((one) => one.message)).toEqual([message]);
  });

  it('refuses a task of a global service', () => {
    const world = running({ mode: { type: 'global' } });
    expect(planMove(world.view(), first(world).meta.id).complaints[0]?.message).toBe(
      'it belongs to a global service',
    );
  });
});
