import { describe, expect, it } from '@jest/globals';
import { deriveId, newObject, Service, withSpec } from '@skep/api';
import { VIRTUAL_EPOCH } from '@skep/api/virtual';
import { create, remove, update } from '@skep/controller';
import { createCluster, identifiers } from 'skep';
import { ContainerModule } from 'inversify';
import { obedientWorld } from '../kit/obedient-world.js';
import { itObeysTheLaws } from '../kit/laws.js';
import { runTrial, type Stage, type Trial } from '../kit/trial.js';
import { cronJobController } from './controller.js';
import { CronJob, type CronJobSpec } from './kind.js';

const MINUTE = 60_000;
const container = { image: 'backup:1' };

function cronJob(spec: Partial<CronJobSpec> = {}): CronJob {
  return newObject(CronJob, {
    id: 'nightly',
    name: 'nightly',
    spec: { schedule: '*/10 * * * *', container, ...spec },
  });
}

const current = (stage: Stage): CronJob => stage.view().get(CronJob, 'nightly')!;
/** Minutes and states of the runs. */
const runs = (stage: Stage): readonly string[] =>
  current(stage).status.runs.map(
    ({ scheduledAt, state }) => `${(scheduledAt - VIRTUAL_EPOCH) / MINUTE} ${state}`,
  );
const services = (stage: Stage): number => stage.view().count(Service);

interface Story {
  readonly spec?: Partial<CronJobSpec>;
  readonly durationMs?: number;
  readonly script: (stage: Stage) => Promise<void>;
}

function trialOf({ spec, durationMs = MINUTE, script }: Story): Trial {
  return {
    kinds: [CronJob],
    controllers: () => [cronJobController()],
    world: obedientWorld({ jobMs: durationMs }),
    script: async (stage) => {
      await stage.commit('user', create(cronJob(spec)));
      await script(stage);
    },
  };
}

async function tell(story: Story): Promise<void> {
  await runTrial(trialOf(story));
}

describe('a cron job', () => {
  it('starts a service at each time, and keeps three that succeeded', async () => {
    await tell({
      script: async (stage) => {
        await stage.clock.advance(9 * MINUTE);
        expect(runs(stage)).toEqual([]);
        await stage.clock.advance(MINUTE);
        expect(runs(stage)).toEqual(['10 active']);
        const run = stage.view().list(Service)[0];
        expect(run?.meta.id).toBe(deriveId('nightly', 'run', VIRTUAL_EPOCH + 10 * MINUTE));
        expect(run?.meta.finalizers).toEqual(['orchestrator', 'allocator']);
        await stage.clock.advance(51 * MINUTE);
        expect(runs(stage)).toEqual(['40 succeeded', '50 succeeded', '60 succeeded']);
        expect(services(stage)).toBe(3);
      },
    });
  });

  it.each([
    ['Allow', ['10 active', '20 active', '30 active'], 3],
    ['Forbid', ['10 active'], 1],
    ['Replace', ['30 active'], 1],
  ] as const)('%s: a run that goes on for long', async (concurrencyPolicy, expected, count) => {
    await tell({
      spec: { concurrencyPolicy },
      durationMs: 300 * MINUTE,
      script: async (stage) => {
        await stage.clock.advance(35 * MINUTE);
        expect(runs(stage)).toEqual(expected);
        expect(services(stage)).toBe(count);
      },
    });
  });

  it('Forbid: the latest time that had to wait starts late', async () => {
    await tell({
      spec: { concurrencyPolicy: 'Forbid' },
      durationMs: 25 * MINUTE,
      script: async (stage) => {
        await stage.clock.advance(36 * MINUTE);
        expect(runs(stage)).toEqual(['10 succeeded', '30 active']);
      },
    });
  });

  it('Forbid: a time that waited too long is missed', async () => {
    await tell({
      spec: { concurrencyPolicy: 'Forbid', startingDeadlineMs: 2 * MINUTE },
      durationMs: 25 * MINUTE,
      script: async (stage) => {
        await stage.clock.advance(36 * MINUTE);
        expect(runs(stage)).toEqual(['10 succeeded']);
        expect(current(stage).status.missed).toBe(1);
        await stage.clock.advance(4 * MINUTE);
        expect(runs(stage)).toEqual(['10 succeeded', '40 active']);
      },
    });
  });

  it('starts the latest of the times that passed while it was suspended', async () => {
    await tell({
      spec: { isSuspended: true },
      script: async (stage) => {
        await stage.clock.advance(35 * MINUTE);
        expect(runs(stage)).toEqual([]);
        const { isSuspended: _, ...spec } = current(stage).spec;
        await stage.commit('user', update(withSpec(current(stage), spec)));
        await stage.clock.flush();
        expect(runs(stage)).toEqual(['30 active']);
      },
    });
  });

  it('another schedule counts from the change', async () => {
    await tell({
      script: async (stage) => {
        await stage.clock.advance(15 * MINUTE);
        const spec = { ...current(stage).spec, schedule: '12,40 * * * *' };
        await stage.commit('user', update(withSpec(current(stage), spec)));
        await stage.clock.advance(25 * MINUTE);
        expect(runs(stage)).toEqual(['10 succeeded', '40 active']);
      },
    });
  });

  it('a name that is taken is a missed run', async () => {
    await tell({
      script: async (stage) => {
        const name = `nightly-${VIRTUAL_EPOCH / MINUTE + 10}`;
        const other = newObject(Service, { id: 'x', name, spec: { task: { container } } });
        await stage.commit('user', create(other));
        await stage.clock.advance(20 * MINUTE);
        expect(runs(stage)).toEqual(['20 active']);
        expect(current(stage).status.missed).toBe(1);
      },
    });
  });

  it('takes its runs along when it is removed', async () => {
    await tell({
      durationMs: 300 * MINUTE,
      script: async (stage) => {
        await stage.clock.advance(25 * MINUTE);
        await stage.commit('user', remove(current(stage)));
        await stage.clock.flush();
        expect([services(stage), stage.view().count(CronJob)]).toEqual([0, 0]);
      },
    });
  });
});

describe('laws', () => {
  itObeysTheLaws(
    trialOf({
      script: async (stage) => {
        await stage.clock.advance(65 * MINUTE);
      },
    }),
  );
  itObeysTheLaws(
    trialOf({
      spec: { concurrencyPolicy: 'Replace' },
      durationMs: 15 * MINUTE,
      script: async (stage) => {
        await stage.clock.advance(35 * MINUTE);
        await stage.commit('user', remove(current(stage)));
        await stage.clock.advance(MINUTE);
      },
    }),
  );
});

describe('on simulated nodes', () => {
  const plugin = new ContainerModule(({ bind }) => {
    bind(identifiers.kinds).toConstantValue(CronJob);
    bind(identifiers.controllers).toConstantValue(cronJobController());
  });

  it('runs to the end, and one that fails has failed after its retries', async () => {
    const behaviour = { 'bad/image': { exit: { afterMs: 100, exitCode: 1 } } };
    const cluster = await createCluster({ plugins: [plugin], behaviour });
    await cluster.apply(manifest('good', 'good/image:1') + manifest('bad', 'bad/image:1'));
    await cluster.advance(12 * MINUTE);
    const states = (name: string): readonly string[] =>
      cluster.get(CronJob, name)!.status.runs.map(({ state }) => state);
    expect([states('good'), states('bad')]).toEqual([['succeeded'], ['failed']]);
    await cluster.removeObject({ kind: CronJob, reference: 'good' });
    await cluster.advance(MINUTE);
    expect(cluster.view().count(CronJob)).toBe(1);
    expect(cluster.view().count(Service)).toBe(1);
    await cluster.stop();
  });

  it('refuses a bad expression at its place', async () => {
    const cluster = await createCluster({ plugins: [plugin] });
    await expect(cluster.apply(manifest('x', 'a/b:1', '61 * * * *'))).rejects.toThrow(
      "minute: '61' is no value or range within 0 to 59",
    );
    await cluster.stop();
  });

  function manifest(name: string, image: string, schedule = '*/10 * * * *'): string {
    return [
      '---',
      'apiVersion: skep/v1',
      'kind: CronJob',
      `metadata: { name: ${name} }`,
      `spec: { schedule: "${schedule}", container: { image: "${image}" }, retries: 1 }`,
      '',
    ].join('\n');
  }
});
