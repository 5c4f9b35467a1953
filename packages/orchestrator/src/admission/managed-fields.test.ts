import { describe, expect, it } from '@jest/globals';
import {
  Service,
  defineKind,
  idSource,
  isEqual,
  newObject,
  seededRandom,
  type ServiceSpec,
  type StandardSchema,
} from '@skep/api';
import fc from 'fast-check';
import { World } from '../service/__fixtures__/world.js';
import { planForceUpdate, planHold, planRollback, planScale, planUpdate } from './actions.js';
import { planApply, type ApplyOptions } from './apply.js';
import type { AdmissionPlan } from './declared-objects.js';
import { managedSpec, planFields, planReleaseFields, planReturnFields } from './fields.js';
import { describeComplaint } from './complaint.js';

const image = (name: string): ServiceSpec['task'] => ({ container: { image: name } });
const replicas = (count: number) => ({ type: 'replicated' as const, replicas: count });
const STACK = 'stack shop';

function commit(world: World, plan: AdmissionPlan): AdmissionPlan {
  expect(plan.complaints).toEqual([]);
  world.commit('user', plan.changes);
  return plan;
}

function apply(
  world: World,
  spec: ServiceSpec,
  options: Partial<ApplyOptions> = {},
): AdmissionPlan {
  const ids = idSource(seededRandom(world.revision));
  return planApply(world.view(), [{ kind: Service, name: 'web', spec }], { ids, ...options });
}

const web = (world: World): Service => world.view().getByName(Service, 'web')!;

function deployed(spec: ServiceSpec, manager = STACK): World {
  const world = new World();
  commit(world, apply(world, spec, { manager }));
  return world;
}

const scaledBy = (world: World, count: number): AdmissionPlan =>
  planFields(world.view(), Service, {
    reference: 'web',
    manager: 'autoscaler',
    spec: { mode: { replicas: count } },
    force: true,
  });

describe('a declaration', () => {
  it('owns the fields that it mentions', () => {
    const world = deployed({ mode: replicas(2), task: image('web:1') });
    expect(web(world).meta.managers).toEqual({
      [STACK]: ['mode.replicas', 'mode.type', 'task.container.image'],
    });
  });

  it('removes what it does not mention any more', () => {
    const world = deployed({ mode: replicas(2), task: image('web:1'), update: { delayMs: 1 } });
    commit(world, apply(world, { task: image('web:1') }, { manager: STACK }));
    expect(web(world).spec).toEqual({ task: image('web:1') });
  });

  it('leaves to an autoscaler what it does not mention', () => {
    const world = deployed({ mode: { type: 'replicated' }, task: image('web:1') });
    commit(world, scaledBy(world, 5));
    commit(
      world,
      apply(world, { mode: { type: 'replicated' }, task: image('web:2') }, { manager: STACK }),
    );
    expect(web(world).spec).toEqual({ mode: replicas(5), task: image('web:2') });
    expect(web(world).meta.managers).toEqual({
      autoscaler: ['mode.replicas'],
      [STACK]: ['mode.type', 'task.container.image'],
    });
  });

  it('that another manager stands against is refused, with who and which field', () => {
    const spec: ServiceSpec = { mode: replicas(2), task: image('web:1') };
    const world = deployed(spec);
    commit(world, scaledBy(world, 5));
    const { complaints, changes } = apply(world, spec, { manager: STACK });
    expect(changes).toEqual([]);
    expect(complaints.map(describeComplaint)).toEqual([
      'Service web: spec.mode.replicas: autoscaler has set it to 5 ' +
        '(leave it out, so that it stays theirs, or force to take it over)',
    ]);
    expect(complaints[0]?.code).toBe('conflict');
    commit(world, apply(world, spec, { manager: STACK, force: true }));
    expect(web(world).spec).toEqual(spec);
    expect(web(world).meta.managers).not.toHaveProperty('autoscaler');
  });

  it('names conflicts and other faults in one go', () => {
    const world = deployed({ mode: replicas(2), task: image('web:1') });
    commit(world, scaledBy(world, 5));
    const wrong = { mode: replicas(2), task: image('NOT an image') };
    const { complaints } = apply(world, wrong, { manager: STACK });
    expect(complaints.map(({ field }) => field)).toEqual([
      'spec.mode.replicas',
      'spec.task.container.image',
    ]);
  });

  it('hands a field over: the autoscaler claims it, then the file drops it', () => {
    const world = deployed({ mode: replicas(2), task: image('web:1') });
    commit(world, scaledBy(world, 2));
    expect(web(world).meta.managers?.['autoscaler']).toEqual(['mode.replicas']);
    commit(
      world,
      apply(world, { mode: { type: 'replicated' }, task: image('web:1') }, { manager: STACK }),
    );
    expect(web(world).spec.mode).toEqual(replicas(2));
    // Again is nothing.
    expect(scaledBy(world, 2).changes).toEqual([]);
  });

  it('of an object that nobody was named for takes it as the user’s', () => {
    const world = new World();
    const object = newObject(Service, {
      id: 'w',
      name: 'web',
      spec: { mode: replicas(2), task: image('web:1'), update: { delayMs: 1 } },
    });
    world.commit('user', [{ type: 'create', object }]);
    expect(apply(world, object.spec).changes).toEqual([]);
    const others = apply(world, { task: image('web:2') }, { manager: STACK });
    expect(others.complaints.map(({ message }) => message)).toEqual(['user has set it to "web:1"']);
    commit(world, apply(world, { task: image('web:2') }));
    expect(web(world).spec).toEqual({ task: image('web:2') });
  });

  it('does not replace tasks again that were replaced by force', () => {
    const world = deployed({ task: image('web:1') });
    commit(world, planForceUpdate(world.view(), 'web'));
    for (const manager of [STACK, 'user']) {
      commit(world, apply(world, { task: image('web:1') }, { manager }));
      expect(web(world).spec.task.forceUpdate).toBe(1);
    }
    expect(web(world).meta.generation).toBe(2);
  });

  it('again and again by one manager is as if each had been the first', () => {
    const part = fc.record(
      {
        mode: fc.nat(3).map(replicas),
        task: fc.constantFrom('a', 'b').map(image),
        update: fc.record(
          { delayMs: fc.nat(2), order: fc.constantFrom('stop-first', 'start-first') },
          { requiredKeys: [] },
        ),
        endpoint: fc.record({
          ports: fc
            .uniqueArray(fc.constantFrom('p', 'q', 'r'), { minLength: 1 })
            .map((names) => names.map((name, at) => ({ name, targetPort: 80 + at }))),
        }),
      },
      { requiredKeys: ['task'] },
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 2, maxLength: 4 }), (specs) => {
        const world = new World();
        for (const spec of specs) {
          commit(world, apply(world, spec));
          const empty = (value: unknown): unknown =>
            JSON.parse(
              JSON.stringify(value, (_key, v: unknown) => (isEqual(v, {}) ? undefined : v)),
            );
          expect(empty(web(world).spec)).toEqual(empty(spec));
        }
      }),
      { seed: 3, numRuns: 60 },
    );
  });
});

describe('an edit', () => {
  it('makes what it changes the user’s, and nothing else', () => {
    const world = deployed({ mode: replicas(2), task: image('web:1') });
    commit(world, planScale(world.view(), 'web', 4));
    commit(
      world,
      planUpdate(world.view(), 'web', (spec) => ({ ...spec, update: { delayMs: 1 } })),
    );
    expect(web(world).meta.managers).toEqual({
      [STACK]: ['mode.type', 'task.container.image'],
      user: ['mode.replicas', 'update.delayMs'],
    });
    const { complaints } = apply(
      world,
      { mode: replicas(2), task: image('web:1') },
      { manager: STACK },
    );
    expect(complaints.map(({ message }) => message)).toEqual(['user has set it to 4']);
  });

  it('of what is the user’s as a whole leaves it so', () => {
    const world = new World();
    const spec = { mode: replicas(2), task: image('web:1') };
    const object = newObject(Service, { id: 'w', name: 'web', spec });
    world.commit('user', [{ type: 'create', object }]);
    commit(world, planScale(world.view(), 'web', 4));
    expect(web(world).meta.managers).toBeUndefined();
  });

  it('holds updates and lets them go', () => {
    const world = deployed({ task: image('web:1') });
    commit(world, planHold(world.view(), 'web', true));
    expect(web(world).spec.update).toEqual({ isHeld: true });
    expect(planHold(world.view(), 'web', true).changes).toEqual([]);
    commit(world, planHold(world.view(), 'web', false));
    expect(web(world).spec).toEqual({ task: image('web:1') });
    expect(web(world).meta.managers).toEqual({ [STACK]: ['task.container.image'] });
  });
});

describe('a rollback', () => {
  it('gives the fields back to whom they belonged, so that the file can be deployed again', () => {
    const world = deployed({ mode: { type: 'replicated' }, task: image('web:1') });
    commit(world, scaledBy(world, 5));
    commit(
      world,
      planUpdate(world.view(), 'web', (spec) => ({ ...spec, task: image('web:2') })),
    );
    commit(world, planRollback(world.view(), 'web', { now: 1 }));
    expect(web(world).spec).toEqual({ mode: replicas(5), task: image('web:1') });
    expect(web(world).meta.managers).toEqual({
      autoscaler: ['mode.replicas'],
      [STACK]: ['mode.type', 'task.container.image'],
    });
    const next = { mode: { type: 'replicated' as const }, task: image('web:3') };
    expect(apply(world, next, { manager: STACK }).complaints).toEqual([]);
  });
});

describe('a program that owns some fields', () => {
  it('takes them for a while, and gives them back', () => {
    const world = deployed({ mode: replicas(2), task: image('web:1') });
    const earlier = managedSpec(web(world));
    const rollout = { reference: 'web', manager: 'rollout', force: true } as const;
    commit(
      world,
      planFields(world.view(), Service, {
        ...rollout,
        spec: { mode: replicas(3), task: image('web:2'), update: { isHeld: true } },
      }),
    );
    expect(web(world).spec.mode).toEqual(replicas(3));
    commit(
      world,
      planReturnFields(world.view(), Service, {
        ...rollout,
        earlier,
        keep: ['task.container.image'],
      }),
    );
    expect(web(world).spec).toEqual({ mode: replicas(2), task: image('web:2') });
    commit(world, planReturnFields(world.view(), Service, { ...rollout, earlier }));
    expect(managedSpec(web(world))).toEqual(earlier);
  });

  it('that is gone leaves the values, and no conflict', () => {
    const world = deployed({ mode: { type: 'replicated' }, task: image('web:1') });
    commit(world, scaledBy(world, 5));
    commit(
      world,
      planReleaseFields(world.view(), Service, { reference: 'web', manager: 'autoscaler' }),
    );
    expect(web(world).spec.mode).toEqual(replicas(5));
    commit(world, apply(world, { mode: replicas(1), task: image('web:1') }, { manager: STACK }));
    expect(web(world).spec.mode).toEqual(replicas(1));
  });

  it('is refused what the front door refuses, and by whom the field belongs to', () => {
    const world = deployed({ mode: replicas(2), task: image('web:1') });
    const request = { reference: 'web', manager: 'autoscaler' };
    const plan = (count: number, force: boolean): AdmissionPlan =>
      planFields(world.view(), Service, { ...request, spec: { mode: replicas(count) }, force });
    expect(plan(3, false).complaints.map(({ code }) => code)).toEqual(['conflict']);
    expect(plan(-3, true).complaints.map(({ field }) => field)).toEqual(['spec.mode.replicas']);
    const nobody = planFields(world.view(), Service, { ...request, reference: 'x', spec: {} });
    expect(nobody.complaints.map(({ code }) => code)).toEqual(['not-found']);
  });
});

describe('kinds with a schema', () => {
  const schema: StandardSchema<{ readonly port: number; readonly host: string }> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => {
        const { port, host = 'here' } = value as { port?: unknown; host?: string };
        if (typeof port === 'number') return { value: { port, host } };
        return { issues: [{ message: 'expected a number', path: ['ports', 0, { key: 'port' }] }] };
      },
    },
  };
  const Gateway = defineKind<{ readonly port: number; readonly host: string }, object>({
    name: 'Gateway',
    initialStatus: {},
    schema,
  });
  const declare = (world: World, spec: unknown, manager = 'user'): AdmissionPlan =>
    planApply(world.view(), [{ kind: Gateway, name: 'front', spec }], {
      ids: idSource(seededRandom(1)),
      manager,
    });

  it('are judged by it, wherever the declaration comes from', () => {
    const world = new World();
    expect(declare(world, { port: 'x' }).complaints).toEqual([
      {
        code: 'invalid-argument',
        kind: 'Gateway',
        name: 'front',
        field: 'spec.ports[0].port',
        message: 'expected a number',
        hint: 'write what the schema of the kind Gateway takes',
      },
    ]);
    commit(world, declare(world, { port: 80 }));
    const front = world.view().getByName(Gateway, 'front')!;
    expect(front.spec).toEqual({ port: 80, host: 'here' });
    // What the schema filled in is nobody's.
    expect(front.meta.managers).toEqual({ user: ['port'] });
    expect(declare(world, { port: 80 }).changes).toEqual([]);
  });

  it('judge what several managers declare together', () => {
    const world = new World();
    commit(world, declare(world, { port: 80 }));
    commit(world, declare(world, { host: 'there' }, 'other'));
    expect(world.view().getByName(Gateway, 'front')?.spec).toEqual({ port: 80, host: 'there' });
    expect(declare(world, {}).complaints.map(({ message }) => message)).toEqual([
      'expected a number',
    ]);
  });

  it('must not be asynchronous', () => {
    const Later = defineKind<object, object>({
      name: 'Later',
      initialStatus: {},
      schema: {
        '~standard': { version: 1, vendor: 'x', validate: () => Promise.resolve({ value: {} }) },
      },
    });
    expect(() =>
      planApply(new World().view(), [{ kind: Later, name: 'x', spec: {} }], {
        ids: idSource(seededRandom(1)),
      }),
    ).toThrow('the schema of the kind Later is asynchronous');
  });
});
