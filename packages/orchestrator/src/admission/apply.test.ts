import { describe, expect, it } from '@jest/globals';
import {
  Config,
  Network,
  Node,
  Secret,
  Service,
  Task,
  defineKind,
  idSource,
  newObject,
  seededRandom,
  withMeta,
  type IdSource,
  type ServiceSpec,
} from '@skep/api';
import { World } from '../service/__fixtures__/world.js';
import { planAvailability, planForceUpdate, planRollback, planScale } from './actions.js';
import { planApply } from './apply.js';
import { STACK_LABEL, type AdmissionPlan, type DeclaredObject } from './declared-objects.js';
import { planRemove, planRemoveNode } from './removal.js';

const ids = (): IdSource => idSource(seededRandom(1));
const labels = { [STACK_LABEL]: 'shop' };
const container = { image: 'nginx:1' };
const file = { name: 'x', uid: '0', gid: '0', mode: 292 };

const STACK: readonly DeclaredObject[] = [
  {
    kind: Service,
    name: 'shop_web',
    labels,
    spec: {
      task: {
        container: {
          ...container,
          secrets: [{ secretId: '', secretName: 'shop_key', file }],
          configs: [{ configId: '', configName: 'shop_conf', file }],
        },
        networks: [{ target: 'shop_net' }],
      },
      endpoint: { ports: [{ targetPort: 80, publishedPort: 8080 }] },
    },
  },
  { kind: Secret, name: 'shop_key', labels, spec: { data: 'AA==' } },
  { kind: Config, name: 'shop_conf', labels, spec: { data: 'AA==' } },
  { kind: Network, name: 'shop_net', labels, spec: {} },
];

function commit(world: World, plan: AdmissionPlan): World {
  expect(plan.complaints).toEqual([]);
  world.commit('user', plan.changes);
  return world;
}

function apply(world: World, declared: readonly DeclaredObject[], prune?: string): AdmissionPlan {
  return planApply(world.view(), declared, { ids: ids(), ...(prune ? { prune } : {}) });
}

const deployed = (): World => commit(new World(), apply(new World(), STACK));
const actions = (plan: AdmissionPlan): readonly string[] =>
  plan.results.map(({ action, kind, name }) => `${action} ${kind} ${name}`);

describe('planApply', () => {
  it('creates what is needed first first, with finalizers and resolved references', () => {
    const plan = apply(new World(), STACK);
    expect(actions(plan)).toEqual([
      'create Network shop_net',
      'create Secret shop_key',
      'create Config shop_conf',
      'create Service shop_web',
    ]);
    const world = commit(new World(), plan);
    const service = world.view().getByName(Service, 'shop_web')!;
    expect(service.meta.finalizers).toEqual(['orchestrator', 'allocator']);
    expect(world.view().getByName(Network, 'shop_net')?.meta.finalizers).toEqual(['allocator']);
    const { secrets, configs } = service.spec.task.container!;
    expect(secrets?.[0]?.secretId).toBe(world.view().getByName(Secret, 'shop_key')?.meta.id);
    expect(configs?.[0]?.configId).toBe(world.view().getByName(Config, 'shop_conf')?.meta.id);
  });

  it('a second time changes nothing', () => {
    const plan = apply(deployed(), STACK);
    expect(plan.changes).toEqual([]);
    expect(new Set(plan.results.map(({ action }) => action))).toEqual(new Set(['unchanged']));
  });

  it('the same seed gives the same ids', () => {
    expect(apply(new World(), STACK)).toEqual(apply(new World(), STACK));
  });

  it('updates what differs, and a service remembers what it was', () => {
    const world = deployed();
    const [web, ...others] = STACK;
    const spec = { task: { container, networks: [{ target: 'shop_net' }] } };
    const plan = apply(world, [{ ...web!, spec }, ...others]);
    expect(actions(plan)).toContain('update Service shop_web');
    expect(plan.changes).toHaveLength(1);
    commit(world, plan);
    const { meta, status } = world.view().getByName(Service, 'shop_web')!;
    expect(meta.generation).toBe(2);
    expect(status.history?.map((revision) => revision.specVersion)).toEqual([1]);
  });

  it('labels alone make no new generation', () => {
    const world = deployed();
    const more = STACK.map((entry) => ({ ...entry, labels: { ...labels, tier: 'a' } }));
    const plan = apply(world, more);
    expect(plan.changes).toHaveLength(4);
    commit(world, plan);
    expect(world.view().getByName(Service, 'shop_web')?.meta).toMatchObject({
      generation: 1,
      labels: { tier: 'a' },
    });
  });

  describe('the stored owner of a port keeps it', () => {
    const web = (name: string, port: number, image = 'nginx:1'): DeclaredObject => ({
      kind: Service,
      name,
      spec: {
        task: { container: { image } },
        endpoint: { ports: [{ targetPort: 80, publishedPort: port }] },
      },
    });
    const anew = (world: World, declared: readonly DeclaredObject[]): AdmissionPlan =>
      planApply(world.view(), declared, { ids: idSource(seededRandom(world.revision)) });
    const owner = (): World => commit(new World(), anew(new World(), [web('owner', 8080)]));
    const both = (): World => {
      const world = owner();
      return commit(world, anew(world, [web('a', 81)]));
    };

    it.each<[string, readonly DeclaredObject[]]>([
      ['a new service that is named first', [web('a-new', 8080), web('owner', 8080)]],
      ['a new service, and a change of the owner', [web('a', 8080), web('owner', 8080, 'b:1')]],
      ['a new service that is named last', [web('owner', 8080, 'b:1'), web('z', 8080)]],
    ])('against %s', (_what, declared) => {
      const { complaints } = anew(owner(), declared);
      expect(complaints.map(({ name, message }) => `${name}: ${message}`)).toEqual([
        expect.stringMatching(/^(a|a-new|z): port 8080\/tcp belongs to the service 'owner'$/),
      ]);
    });

    it('against another that is there and comes first', () => {
      const { complaints } = anew(both(), [web('a', 8080), web('owner', 8080, 'b:1')]);
      expect(complaints.map(({ name }) => name)).toEqual(['a']);
    });

    it('unless they change places', () => {
      expect(anew(both(), [web('a', 8080), web('owner', 81)]).complaints).toEqual([]);
    });
  });

  it('refuses all for one, with all complaints', () => {
    const world = new World();
    const bad: readonly DeclaredObject[] = [
      ...STACK,
      {
        kind: Service,
        name: 'a',
        spec: { mode: { type: 'replicated', replicas: -1 }, task: { container } },
      },
      { kind: Service, name: 'b', spec: { task: { container, networks: [{ target: 'none' }] } } },
      { kind: Secret, name: 'c', spec: {} },
    ];
    const plan = apply(world, bad);
    expect(plan.changes).toEqual([]);
    expect(plan.results).toEqual([]);
    expect(plan.complaints.map(({ name, field }) => `${name} ${field}`)).toEqual([
      'c spec.data',
      'a spec.mode.replicas',
      'b spec.task.networks[0].target',
    ]);
  });

  it('two services of a set may not publish one port: the later one is refused', () => {
    const spec: ServiceSpec = {
      task: { container },
      endpoint: { ports: [{ targetPort: 80, publishedPort: 80 }] },
    };
    const plan = apply(new World(), [
      { kind: Service, name: 'one', spec },
      { kind: Service, name: 'two', spec },
    ]);
    expect(plan.complaints.map(({ name, code }) => [name, code])).toEqual([
      ['two', 'already-exists'],
    ]);
  });

  it('two services may exchange their ports in one go', () => {
    const withPort = (publishedPort: number): ServiceSpec => ({
      task: { container },
      endpoint: { ports: [{ targetPort: 80, publishedPort }] },
    });
    const pair = (a: number, b: number): readonly DeclaredObject[] => [
      { kind: Service, name: 'one', spec: withPort(a) },
      { kind: Service, name: 'two', spec: withPort(b) },
    ];
    const world = commit(new World(), apply(new World(), pair(80, 81)));
    expect(apply(world, pair(81, 80)).complaints).toEqual([]);
  });

  it('names what is declared twice, and what several objects are called', () => {
    const twice = apply(new World(), [
      { kind: Secret, name: 'a', spec: { data: 'AA==' } },
      { kind: Secret, name: 'A', spec: { data: 'AA==' } },
    ]);
    expect(twice.complaints.map(({ message }) => message)).toEqual(['it is declared twice']);
    const world = new World();
    for (const id of ['x', 'y']) {
      world.node(id);
      world.put(withMeta(world.get(Node, id), { name: 'host' }));
    }
    const spec = { role: 'worker', availability: 'active' };
    const plan = apply(world, [{ kind: Node, name: 'host', spec }]);
    expect(plan.complaints.map(({ message }) => message)).toEqual(['2 objects have this name']);
  });

  it('does not take what is being removed for what is declared', () => {
    const world = deployed();
    world.requestRemoval(world.view().getByName(Service, 'shop_web')!.meta.id);
    expect(apply(world, STACK).complaints).toMatchObject([
      { code: 'failed-precondition', name: 'shop_web' },
    ]);
  });

  it('prunes services of the stack that are not declared any more, and nothing else', () => {
    const world = deployed();
    world.service({}, 'stranger');
    const rest = STACK.filter(({ kind }) => kind !== Service);
    const plan = apply(world, rest, 'shop');
    expect(actions(plan)).toContain('delete Service shop_web');
    expect(plan.changes).toHaveLength(1);
    expect(apply(world, rest).changes).toEqual([]);
  });

  it("a port that a pruned service had may be another's at once", () => {
    const world = deployed();
    const spec: ServiceSpec = {
      task: { container },
      endpoint: { ports: [{ targetPort: 80, publishedPort: 8080 }] },
    };
    const next: readonly DeclaredObject[] = [{ kind: Service, name: 'shop_new', labels, spec }];
    expect(apply(world, next).complaints).toHaveLength(1);
    expect(apply(world, next, 'shop').complaints).toEqual([]);
  });

  it('fills in the defaults of custom kinds', () => {
    interface Recipe {
      readonly cups?: number;
    }
    const kind = defineKind<Recipe, object>({
      name: 'Recipe',
      initialStatus: {},
      defaults: (spec) => ({ cups: 1, ...spec }),
    });
    const world = new World();
    commit(world, apply(world, [{ kind, name: 'tea', spec: {} }]));
    expect(world.view().getByName(kind, 'tea')?.spec).toEqual({ cups: 1 });
    expect(apply(world, [{ kind, name: 'tea', spec: {} }]).changes).toEqual([]);
  });
});

describe('planRemove', () => {
  it('a stack goes as a whole: users before what they use', () => {
    const plan = planRemove(deployed().view(), [{ stack: 'shop' }]);
    expect(plan.complaints).toEqual([]);
    expect(plan.results.map(({ kind }) => kind)).toEqual([
      'Service',
      'Secret',
      'Config',
      'Network',
    ]);
  });

  it('what is used stays, and then everything stays', () => {
    const view = deployed().view();
    const plan = planRemove(view, [
      { kind: Network, reference: 'shop_net' },
      { kind: Secret, reference: 'shop_key' },
    ]);
    expect(plan.changes).toEqual([]);
    expect(plan.complaints.map(({ message }) => message)).toEqual([
      "the secret is used by 'shop_web'",
      "the network is used by 'shop_web'",
    ]);
  });

  it('names what is not there', () => {
    const view = new World().view();
    const plan = planRemove(view, [{ stack: 'none' }, { kind: Service, reference: 'x' }]);
    expect(plan.complaints.map(({ code, name }) => [code, name])).toEqual([
      ['not-found', 'none'],
      ['not-found', 'x'],
    ]);
  });
});

describe('planRemoveNode', () => {
  it('orphans its tasks in the same transaction', () => {
    const world = new World();
    world.node('n1');
    world.service({ mode: { type: 'replicated', replicas: 3 } });
    world.settle();
    const [first, second] = world.tasks();
    world.run(first!, 'n1');
    world.observe(second!.meta.id, 'complete', { nodeId: 'n1' });
    expect(planRemoveNode(world.view(), 'n1', { now: world.now }).complaints).toHaveLength(1);
    const plan = planRemoveNode(world.view(), 'n1', { now: world.now, isForced: true });
    expect(plan.changes.map((change) => change.type)).toEqual(['delete', 'update']);
    commit(world, plan);
    expect(world.get(Task, first!.meta.id).status).toMatchObject({
      state: 'orphaned',
      appliedAt: world.now,
    });
    world.settle();
    expect(world.wanted()).toHaveLength(3);
    expect(planRemoveNode(world.view(), 'n1', { now: 0 }).complaints[0]?.code).toBe('not-found');
  });
});

describe('what is done to one object', () => {
  const world = (spec: Partial<ServiceSpec> = {}): World => {
    const made = new World();
    made.node('n1');
    made.service({ task: { container }, ...spec });
    made.settle();
    return made;
  };

  it('planScale: replicas, completions, and nothing of global services', () => {
    const replicated = commit(world(), planScale(world().view(), 'svc', 4));
    expect(replicated.get(Service, 'svc').spec.mode).toEqual({ type: 'replicated', replicas: 4 });
    expect(planScale(replicated.view(), 'svc', 4).results[0]?.action).toBe('unchanged');
    const job = world({ mode: { type: 'replicated-job' } });
    commit(job, planScale(job.view(), 'svc', 7));
    expect(job.get(Service, 'svc').spec.mode).toMatchObject({ totalCompletions: 7 });
    const global = world({ mode: { type: 'global' } });
    expect(planScale(global.view(), 'svc', 2).complaints[0]?.code).toBe('failed-precondition');
    expect(planScale(global.view(), 'none', 2).complaints[0]?.code).toBe('not-found');
    expect(planScale(replicated.view(), 'svc', -1).complaints[0]?.field).toBe('spec.mode.replicas');
  });

  it('planForceUpdate: replaces tasks though nothing changed', () => {
    const made = world();
    commit(made, planForceUpdate(made.view(), 'svc'));
    made.play(10_000);
    expect(made.created).toBe(2);
    expect(made.get(Service, 'svc').status.update?.state).toBe('completed');
  });

  it('planAvailability', () => {
    const made = world();
    commit(made, planAvailability(made.view(), 'n1', 'drain'));
    expect(made.get(Node, 'n1').spec.availability).toBe('drain');
    expect(planAvailability(made.view(), 'n1', 'drain').changes).toEqual([]);
    expect(planAvailability(made.view(), 'none', 'drain').complaints).toHaveLength(1);
  });

  it('planRollback: to the one before, and back again', () => {
    const made = world({ update: { monitorMs: 10 }, rollback: { monitorMs: 10 } });
    made.declare((spec) => ({ ...spec, task: { container: { image: 'nginx:2' } } }));
    made.play(2_000);
    for (const image of ['nginx:1', 'nginx:2']) {
      const plan = planRollback(made.view(), 'svc', { now: made.now });
      commit(made, plan);
      expect(made.get(Service, 'svc').status.update).toMatchObject({
        state: 'rollback-started',
        message: 'manually requested rollback',
      });
      made.play(2_000);
      const { spec, status } = made.get(Service, 'svc');
      expect(spec.task.container?.image).toBe(image);
      expect(status.update).toMatchObject({ state: 'rollback-completed', dirtySlots: 1 });
      expect(made.wanted().map((task) => task.spec.template.container?.image)).toEqual([image]);
    }
  });

  it('planRollback: to a generation that is known', () => {
    const made = world();
    for (const image of ['nginx:2', 'nginx:3']) {
      made.declare((spec) => ({ ...spec, task: { container: { image } } }));
      made.settle();
    }
    const plan = planRollback(made.view(), 'svc', { now: made.now, toSpecVersion: 1 });
    commit(made, plan);
    expect(made.get(Service, 'svc').spec.task.container?.image).toBe('nginx:1');
    const unknown = planRollback(made.view(), 'svc', { now: made.now, toSpecVersion: 9 });
    expect(unknown.complaints[0]).toMatchObject({
      code: 'failed-precondition',
      hint: 'known generations: 3, 2, 1',
    });
  });

  it('planRollback: nothing to go back to', () => {
    expect(planRollback(world().view(), 'svc', { now: 0 }).complaints).toHaveLength(1);
  });

  it('an object may be meant by its id', () => {
    const made = world();
    made.put(newObject(Service, { id: 'other', name: 'named', spec: { task: { container } } }));
    expect(planScale(made.view(), 'other', 3).results[0]?.name).toBe('named');
  });
});
