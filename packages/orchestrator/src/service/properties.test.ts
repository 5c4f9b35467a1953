import { describe, expect, it } from '@jest/globals';
import {
  Node,
  Service,
  TASK_STATE_RANK,
  canonicalJson,
  slotKey,
  type ServiceMode,
  type ServiceSpec,
  type Task,
} from '@skep/api';
import fc from 'fast-check';
import { World } from './__fixtures__/world.js';

const NODES = ['n1', 'n2', 'n3'] as const;
type Step =
  | { readonly type: 'declare'; readonly spec: Partial<ServiceSpec> }
  | { readonly type: 'node'; readonly id: string; readonly to: string }
  | { readonly type: 'task'; readonly at: number; readonly to: 'failed' | 'complete' | 'rejected' }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'obey' };

const taskSpec = fc.record({
  container: fc.record({ image: fc.constantFrom('a', 'b', 'c') }),
  restartPolicy: fc.record({
    condition: fc.constantFrom('any' as const, 'on-failure' as const, 'none' as const),
    delayMs: fc.constantFrom(0, 1_000),
    maxAttempts: fc.constantFrom(0, 2),
    windowMs: fc.constantFrom(0, 3_000),
  }),
});
const updateConfig = fc.record({
  parallelism: fc.constantFrom(0, 1, 2),
  delayMs: fc.constantFrom(0, 500),
  monitorMs: fc.constantFrom(100, 2_000),
  order: fc.constantFrom('stop-first' as const, 'start-first' as const),
  failureAction: fc.constantFrom('pause' as const, 'continue' as const, 'rollback' as const),
  maxFailureRatio: fc.constantFrom(0, 0.5),
});

function modes(type: ServiceMode['type']): fc.Arbitrary<ServiceMode> {
  if (type === 'replicated') return fc.record({ type: fc.constant(type), replicas: fc.nat(5) });
  if (type === 'replicated-job') {
    const counts = { maxConcurrent: fc.integer({ min: 1, max: 3 }), totalCompletions: fc.nat(5) };
    return fc.record({ type: fc.constant(type), ...counts });
  }
  return fc.constant({ type });
}

function steps(type: ServiceMode['type']): fc.Arbitrary<readonly Step[]> {
  const isJob = type.endsWith('job');
  const spec: fc.Arbitrary<Partial<ServiceSpec>> = isJob
    ? fc.record({ task: taskSpec, mode: modes(type) }, { requiredKeys: [] })
    : fc.record(
        { task: taskSpec, update: updateConfig, rollback: updateConfig, mode: modes(type) },
        { requiredKeys: [] },
      );
  const to = fc.constantFrom('drain', 'active', 'pause', 'down', 'ready', 'removed', 'added');
  const ends = fc.constantFrom('failed' as const, 'complete' as const, 'rejected' as const);
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ type: fc.constant('declare' as const), spec }),
    fc.record({ type: fc.constant('node' as const), id: fc.constantFrom(...NODES), to }),
    fc.record({ type: fc.constant('task' as const), at: fc.nat(20), to: ends }),
    fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(1, 400, 3_000, 70_000) }),
    fc.record({ type: fc.constant('obey' as const) }),
  );
  return fc.array(step, { minLength: 1, maxLength: 25 });
}

function start(mode: ServiceMode): World {
  const world = new World();
  for (const id of NODES) world.node(id);
  world.service({ mode });
  return world;
}

function act(world: World, step: Step): void {
  world.now += 1;
  switch (step.type) {
    case 'declare':
      world.declare((spec) => ({ ...spec, ...step.spec }));
      return;
    case 'node':
      moveNode(world, step.id, step.to);
      return;
    case 'task': {
      const tasks = world.tasks().filter((task) => task.status.state === 'running');
      const task = tasks[step.at % Math.max(tasks.length, 1)];
      if (task !== undefined) world.observe(task.meta.id, step.to);
      return;
    }
    case 'wait':
      world.advance(step.ms);
      return;
    case 'obey':
      world.obey();
      world.reap();
      return;
  }
}

function moveNode(world: World, id: string, to: string): void {
  const isThere = world.view().get(Node, id) !== undefined;
  if (to === 'added') {
    if (!isThere) world.node(id);
  } else if (!isThere) {
    return;
  } else if (to === 'removed') {
    world.delete('Node', id);
  } else if (to === 'down' || to === 'ready') {
    world.setNode(id, {}, { state: to });
  } else {
    world.setNode(id, { availability: to as 'active' });
  }
}

/** All that matters of the tasks and of the service; ids of new slots may differ. */
function picture(world: World): string {
  const { status, spec, meta } = world.get(Service, 'svc');
  const { createdTasks: _, update, ...known } = status;
  const tasks = world.tasks().map((task) => ({
    slot: slotKey(task.spec),
    desired: task.spec.desiredState,
    version: task.spec.specVersion,
    stopBy: task.spec.stopBy,
    iteration: task.spec.jobIteration,
    restarts: task.spec.restarts,
    cause: task.spec.cause,
    template: task.spec.template,
    notBefore: task.spec.release?.notBefore,
    state: task.status.state,
  }));
  const lines = tasks.map((task) => canonicalJson(task)).sort();
  const { failedTasks, message: __, ...progress } = update ?? { failedTasks: [] };
  return canonicalJson({
    created: world.created,
    generation: meta.generation,
    spec,
    known,
    update: { ...progress, failures: failedTasks.length },
    lines,
  });
}

const MODES = ['replicated', 'global', 'replicated-job', 'global-job'] as const;
const first: Record<ServiceMode['type'], ServiceMode> = {
  replicated: { type: 'replicated', replicas: 3 },
  global: { type: 'global' },
  'replicated-job': { type: 'replicated-job', maxConcurrent: 2, totalCompletions: 4 },
  'global-job': { type: 'global-job' },
};

describe.each(MODES)('laws of the orchestrator for %s services', (type) => {
  it('comes to rest; desired states only rise (E1); one wanted task per slot (E2)', () => {
    fc.assert(
      fc.property(steps(type), (script) => {
        const world = start(first[type]);
        const seen = new Map<string, Task>();
        for (const step of script) {
          act(world, step);
          world.settle();
          expectRisingStates(world, seen);
          expectSingleHolders(world);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('a crash after any change leads to the same end with as many tasks created', () => {
    fc.assert(
      fc.property(steps(type), fc.infiniteStream(fc.nat(30)), (script, cuts) => {
        const world = start(first[type]);
        for (const step of script) {
          act(world, step);
          const crashed = world.copy();
          const length = crashed.copy().pass('svc').changes.length;
          const cut = (cuts.next().value ?? 0) % (length + 1);
          crashed.pass('svc', cut);
          crashed.settle();
          world.settle();
          expect(picture(crashed)).toBe(picture(world));
        }
      }),
      { numRuns: 25 },
    );
  });
});

function expectRisingStates(world: World, seen: Map<string, Task>): void {
  for (const task of world.tasks()) {
    const before = seen.get(task.meta.id);
    if (before !== undefined) {
      const rank = TASK_STATE_RANK[task.spec.desiredState];
      expect(rank).toBeGreaterThanOrEqual(TASK_STATE_RANK[before.spec.desiredState]);
      const { desiredState: _, release: __, stopBy: ___, ...fixed } = task.spec;
      const { desiredState: _2, release: __2, stopBy: ___2, ...fixedBefore } = before.spec;
      expect(fixed).toEqual(fixedBefore);
    }
    seen.set(task.meta.id, task);
  }
}

function expectSingleHolders(world: World): void {
  const { spec, status } = world.get(Service, 'svc');
  const config = status.update?.state.startsWith('rollback') === true ? spec.rollback : spec.update;
  const most = config?.order === 'start-first' ? 2 : 1;
  const counts = new Map<string, number>();
  for (const task of world.wanted()) {
    if (task.status.state === 'complete') continue;
    const key = slotKey(task.spec);
    counts.set(key, (counts.get(key) ?? 0) + 1);
    expect(counts.get(key)).toBeLessThanOrEqual(most);
  }
}

describe('after the disturbances', () => {
  it.each(['replicated', 'global'] as const)(
    'a healthy cluster runs a %s service as declared',
    (type) => {
      fc.assert(
        fc.property(steps(type), (script) => {
          const world = start(first[type]);
          for (const step of script) {
            act(world, step);
            world.settle();
          }
          for (const id of NODES) {
            moveNode(world, id, 'added');
            moveNode(world, id, 'active');
            moveNode(world, id, 'ready');
          }
          // A declaration of its own: what ended for good or was paused begins again.
          const task = { container: { image: 'z' }, restartPolicy: { delayMs: 0 } };
          world.declare((spec) => ({ ...spec, task, update: { parallelism: 0, monitorMs: 100 } }));
          world.play(2_000, { stepMs: 200 });
          world.reap();
          const { spec, status, meta } = world.get(Service, 'svc');
          const wanted = spec.mode?.type === 'replicated' ? spec.mode.replicas : NODES.length;
          expect(world.wanted()).toHaveLength(wanted ?? 1);
          for (const held of world.wanted()) {
            expect(held.spec.template).toEqual(task);
            expect(held.status.state).toBe('running');
          }
          expect(status.observedGeneration).toBe(meta.generation);
          expect(world.pass('svc').requeueAt).toBeUndefined();
        }),
        { numRuns: 25 },
      );
    },
  );
});

describe('E5: running tasks during an update of a healthy cluster', () => {
  it('stays within replicas − parallelism and replicas + parallelism', () => {
    const input = fc.record({
      replicas: fc.integer({ min: 1, max: 6 }),
      parallelism: fc.integer({ min: 1, max: 3 }),
      delayMs: fc.constantFrom(0, 150),
      order: fc.constantFrom('stop-first' as const, 'start-first' as const),
    });
    fc.assert(
      fc.property(input, ({ replicas, ...update }) => {
        const world = start({ type: 'replicated', replicas });
        world.declare((spec) => ({ ...spec, update: { ...update, monitorMs: 100 } }));
        world.settle();
        world.obey();
        world.settle();
        world.declare((spec) => ({ ...spec, task: { container: { image: 'b' } } }));
        world.play(6_000, {
          check: () => {
            const count = world.tasks().filter((task) => task.status.state === 'running').length;
            const spare = update.parallelism;
            const isStartFirst = update.order === 'start-first';
            expect(count).toBeGreaterThanOrEqual(isStartFirst ? replicas : replicas - spare);
            expect(count).toBeLessThanOrEqual(isStartFirst ? replicas + spare : replicas);
          },
        });
        expect(world.get(Service, 'svc').status.update?.state).toBe('completed');
      }),
      { numRuns: 15 },
    );
  });
});
