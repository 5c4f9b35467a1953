import { describe, expect, it } from '@jest/globals';
import { byService, idSource, newObject, seededRandom, Service, Task } from '@skep/api';
import { wantedReplicas, withSpec } from '@skep/api';
import { create, remove, update } from '@skep/controller';
import { planApply, planUpdate } from '@skep/orchestrator';
import { ContainerModule } from 'inversify';
import { createCluster, identifiers } from 'skep';
import { itObeysTheLaws } from '../kit/laws.js';
import { obedientWorld } from '../kit/obedient-world.js';
import { runTrial, type Stage, type Trial } from '../kit/trial.js';
import { rolloutController } from './controller.js';
import { Rollout, type RolloutSpec } from './kind.js';
import { stepWeights } from './service-states.js';

const MINUTE = 60_000;

describe('weights of a step', () => {
  const tasks = [{ spec: { specVersion: 3 } }] as unknown as readonly Task[];
  const generations = { tasks, first: 4, next: 5 };
  it.each([
    [{ tasks: 1, percent: 10 }, 9, 1, 1],
    [{ tasks: 1, percent: 10 }, 4, 9, 4],
    [{ tasks: 2, percent: 50 }, 4, 1, 2],
    [{ tasks: 4, percent: 0 }, 4, 1, 0],
    [{ tasks: 4, percent: 100 }, 4, 0, 1],
  ])('%j beside %i: old %i, new %i', (step, replicas, old, young) => {
    expect(stepWeights(step, replicas, generations)).toEqual([
      { specVersion: 3, weight: old },
      { specVersion: 4, weight: young },
      { specVersion: 5, weight: young },
    ]);
    if (step.percent === 0) return;
    const share = (young * step.tasks) / (young * step.tasks + old * replicas);
    expect(share * 100).toBeCloseTo(step.percent);
  });
});

const service = (stage: Stage): Service => stage.view().get(Service, 'web')!;
const rollout = (stage: Stage): Rollout => stage.view().get(Rollout, 'r')!;

/** Running tasks by image. */
function running(stage: Stage): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { spec, status } of stage.view().list(Task, byService('web'))) {
    const image = spec.template.container?.image ?? '';
    if (status.state === 'running') counts[image] = (counts[image] ?? 0) + 1;
  }
  return counts;
}

const canary: RolloutSpec = {
  service: 'web',
  image: 'web:2',
  steps: [
    { tasks: 1, percent: 10, pauseMs: 5 * MINUTE },
    { tasks: 2, percent: 50, pauseMs: 5 * MINUTE },
  ],
};

function trialOf(spec: Partial<RolloutSpec>, script: (stage: Stage) => Promise<void>): Trial {
  return {
    kinds: [Rollout],
    controllers: () => [rolloutController()],
    world: obedientWorld({ bad: ['web:bad'] }),
    script: async (stage) => {
      const mode = { type: 'replicated', replicas: 4 } as const;
      const task = { container: { image: 'web:1' } };
      const web = newObject(Service, { id: 'web', name: 'web', spec: { mode, task } });
      await stage.commit('user', create(web));
      await stage.clock.advance(MINUTE);
      const given = newObject(Rollout, { id: 'r', name: 'r', spec: { ...canary, ...spec } });
      await stage.commit('user', create(given));
      await stage.clock.flush();
      await script(stage);
    },
  };
}

const blueGreen: Partial<RolloutSpec> = {
  steps: [
    { tasks: 4, percent: 0, pauseMs: 5 * MINUTE },
    { tasks: 4, percent: 100, pauseMs: 5 * MINUTE },
  ],
};

describe('a rollout', () => {
  it('is a canary, then half, then all', async () => {
    await runTrial(
      trialOf({}, async (stage) => {
        const before = withoutImage(service(stage));
        expect(running(stage)).toEqual({ 'web:1': 4, 'web:2': 1 });
        expect(service(stage).spec.endpoint?.weights).toEqual([
          { specVersion: 1, weight: 9 },
          { specVersion: 2, weight: 4 },
        ]);
        await stage.clock.advance(5 * MINUTE);
        expect(running(stage)).toEqual({ 'web:1': 4, 'web:2': 2 });
        await stage.clock.advance(5 * MINUTE);
        expect(rollout(stage).status.phase).toBe('promoting');
        await stage.clock.advance(5 * MINUTE);
        expect(rollout(stage).status.phase).toBe('completed');
        expect(running(stage)).toEqual({ 'web:2': 4 });
        expect(service(stage).spec.endpoint).toBeUndefined();
        expect(before.mode).toEqual({ type: 'replicated', replicas: 5 });
        expect(wantedReplicas(service(stage).spec)).toBe(4);
      }),
    );
  });

  it('is blue/green: all new tasks wait without traffic, then they have all of it', async () => {
    await runTrial(
      trialOf(blueGreen, async (stage) => {
        expect(running(stage)).toEqual({ 'web:1': 4, 'web:2': 4 });
        expect(service(stage).spec.endpoint?.weights).toEqual([
          { specVersion: 1, weight: 1 },
          { specVersion: 2, weight: 0 },
        ]);
        await stage.clock.advance(5 * MINUTE);
        expect(service(stage).spec.endpoint?.weights).toEqual([
          { specVersion: 1, weight: 0 },
          { specVersion: 2, weight: 1 },
          { specVersion: 3, weight: 1 },
        ]);
        await stage.clock.advance(15 * MINUTE);
        expect(running(stage)).toEqual({ 'web:2': 4 });
      }),
    );
  });

  it('goes back when a new task fails', async () => {
    await runTrial(
      trialOf({ image: 'web:bad' }, async (stage) => {
        await stage.clock.advance(5 * MINUTE);
        expect(rollout(stage).status).toMatchObject({
          phase: 'aborted',
          message: '1 new tasks failed',
        });
        expect(running(stage)).toEqual({ 'web:1': 4 });
        expect(service(stage).spec).toEqual({
          mode: { type: 'replicated', replicas: 4 },
          task: { container: { image: 'web:1' } },
        });
      }),
    );
  });

  it('lets go of a service that somebody else changes', async () => {
    await runTrial(
      trialOf({}, async (stage) => {
        const task = { container: { image: 'web:3' } };
        const plan = planUpdate(stage.view(), 'web', (spec) => ({ ...spec, task }));
        await stage.commit('user', ...plan.changes);
        await stage.clock.advance(5 * MINUTE);
        expect(rollout(stage).status.phase).toBe('superseded');
        expect(running(stage)).toEqual({ 'web:3': 4 });
        expect(service(stage).spec.update).toBeUndefined();
      }),
    );
  });

  it('goes back to the image of the rollout before, when the next one fails', async () => {
    await runTrial(
      trialOf({}, async (stage) => {
        await stage.clock.advance(30 * MINUTE);
        expect(rollout(stage).status.phase).toBe('completed');
        const next = withSpec(rollout(stage), { ...canary, image: 'web:bad' });
        await stage.commit('user', update(next));
        await stage.clock.advance(30 * MINUTE);
        expect(rollout(stage).status).toMatchObject({
          phase: 'aborted',
          message: '1 new tasks failed',
        });
        expect(running(stage)).toEqual({ 'web:2': 4 });
        expect(service(stage).spec).toEqual({
          mode: { type: 'replicated', replicas: 4 },
          task: { container: { image: 'web:2' } },
        });
      }),
    );
  });

  it('goes on while somebody changes what is not its own', async () => {
    await runTrial(
      trialOf({}, async (stage) => {
        const labelled = planUpdate(stage.view(), 'web', (spec) => ({
          ...spec,
          task: { container: { image: 'web:2', env: ['A=1'] } },
        }));
        await stage.commit('user', ...labelled.changes);
        await stage.clock.advance(4 * MINUTE);
        expect(rollout(stage).status).toMatchObject({ phase: 'progressing', step: 0 });
        expect(running(stage)).toEqual({ 'web:1': 4, 'web:2': 1 });
        await stage.clock.advance(15 * MINUTE);
        expect(rollout(stage).status.phase).toBe('completed');
        expect(service(stage).spec).toEqual({
          mode: { type: 'replicated', replicas: 4 },
          task: { container: { image: 'web:2', env: ['A=1'] } },
        });
      }),
    );
  });

  it('is a conflict for a stack file that says another image, also when it is over', async () => {
    await runTrial(
      trialOf({}, async (stage) => {
        const declare = (image: string) =>
          planApply(
            stage.view(),
            [{ kind: Service, name: 'web', spec: { task: { container: { image } } } }],
            { ids: idSource(seededRandom(1)), manager: 'stack shop' },
          ).complaints.map(({ field, message }) => `${field}: ${message}`);
        const conflict = ['spec.task.container.image: Rollout r has set it to "web:2"'];
        expect(declare('web:1')).toEqual(conflict);
        await stage.clock.advance(30 * MINUTE);
        expect(rollout(stage).status.phase).toBe('completed');
        expect([declare('web:1'), declare('web:2')]).toEqual([conflict, []]);
      }),
    );
  });

  it('goes back when it is removed', async () => {
    await runTrial(
      trialOf({}, async (stage) => {
        await stage.commit('user', remove(rollout(stage)));
        await stage.clock.advance(5 * MINUTE);
        expect(stage.view().count(Rollout)).toBe(0);
        expect(running(stage)).toEqual({ 'web:1': 4 });
      }),
    );
  });

  it('does not take an image that the front door refuses', async () => {
    await runTrial(
      trialOf({ image: 'No Image' }, async (stage) => {
        expect(rollout(stage).status.phase).toBe('aborted');
        expect(rollout(stage).status.message).toContain('image');
        expect(service(stage).meta.generation).toBe(1);
      }),
    );
  });
});

describe('laws', () => {
  const wait = async (stage: Stage): Promise<void> => {
    await stage.clock.advance(30 * MINUTE);
  };
  itObeysTheLaws(trialOf({}, wait));
  itObeysTheLaws(trialOf(blueGreen, wait));
  itObeysTheLaws(trialOf({ image: 'web:bad' }, wait));
});

it('shifts requests on simulated nodes', async () => {
  const plugin = new ContainerModule(({ bind }) => {
    bind(identifiers.kinds).toConstantValue(Rollout);
    bind(identifiers.controllers).toConstantValue(rolloutController());
  });
  const cluster = await createCluster({
    plugins: [plugin],
    behaviour: (task) => {
      const body = task.template.container?.image ?? '';
      return { respond: () => ({ status: 200, body }) };
    },
  });
  await cluster.apply(
    'services: { web: { image: "web:1", ports: ["80:80"], deploy: { replicas: 4 } } }',
  );
  await cluster.settle();
  await cluster.declare([{ kind: Rollout, name: 'web', spec: canary }]);
  /** Of 120 requests, whole rounds of the balancer, those that new tasks answered. */
  const shares = async (): Promise<number> => {
    await cluster.advance(MINUTE);
    const answers = Array.from({ length: 120 }, () => cluster.request('node1:80').body);
    return answers.filter((body) => body === 'web:2').length;
  };
  expect(await shares()).toBe(12);
  await cluster.advance(5 * MINUTE);
  expect(await shares()).toBe(60);
  await cluster.advance(10 * MINUTE);
  expect(await shares()).toBe(120);
  expect(cluster.tasks('web')).toHaveLength(4);
  await cluster.stop();
});

function withoutImage({ spec }: Service): Service['spec'] {
  return { ...spec, task: {} };
}
