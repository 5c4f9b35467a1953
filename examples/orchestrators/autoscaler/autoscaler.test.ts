import { describe, expect, it } from '@jest/globals';
import { newObject, Service, wantedReplicas, type Timestamp } from '@skep/api';
import { VIRTUAL_EPOCH } from '@skep/api/virtual';
import { create } from '@skep/controller';
import { ContainerModule } from 'inversify';
import { createCluster, identifiers, type Cluster } from 'skep';
import { itObeysTheLaws } from '../kit/laws.js';
import { obedientWorld } from '../kit/obedient-world.js';
import { runTrial, type Stage, type Trial } from '../kit/trial.js';
import { autoscalerController, computedMetric } from './controller.js';
import { Autoscaler, type AutoscalerSpec } from './kind.js';
import { recommended, recorded, stabilized } from './recommendation.js';

const MINUTE = 60_000;
const base: AutoscalerSpec = { service: 'web', min: 1, max: 10, metric: 'cpu', target: 50 };

describe('the recommendation', () => {
  it.each([
    ['grows in proportion', [100, 100], 0, 4],
    ['shrinks in proportion', [10, 10, 10, 10], 0, 1],
    ['rounds up', [60, 60, 60], 0, 4],
    ['stays within the tolerance', [54, 54], 0, 2],
    ['stays below the maximum', [900, 900], 0, 10],
    ['stays above the minimum', [0], 0, 1],
    ['counts tasks without a value as idle when it grows', [100, 100], 1, 4],
    ['does not shrink because of them', [100], 9, 10],
    ['counts them as on target when it shrinks', [0, 0], 2, 2],
    ['does nothing without any value', [], 3, 3],
  ])('%s', (_, values, missing, wanted) => {
    expect(recommended(base, { values, missing }, values.length + missing)).toBe(wanted);
  });
});

describe('the windows', () => {
  const recommendations = [
    { since: 0, replicas: 4 },
    { since: 10, replicas: 8 },
    { since: 20, replicas: 2 },
    { since: 30, replicas: 6 },
  ];
  it.each([
    ['without windows it follows', { downWindowMs: 0 }, 3, 30, 6],
    ['it grows to the least of its window', { upWindowMs: 15, downWindowMs: 0 }, 1, 30, 2],
    ['it shrinks to the most of its window', { downWindowMs: 15 }, 9, 30, 8],
    ['an entry holds until the next', { downWindowMs: 15 }, 9, 34, 8],
    ['and no longer', { downWindowMs: 15 }, 9, 35, 6],
    ['at most a step at a time', { downWindowMs: 0, stepMax: 2 }, 9, 35, 7],
    ['between the two it stays', { upWindowMs: 30, downWindowMs: 30 }, 5, 30, 5],
  ])('%s', (_, spec, current, now, wanted) => {
    expect(stabilized({ ...base, ...spec }, { recommendations, current, now })).toBe(wanted);
  });

  it('what no window reaches is forgotten', () => {
    const next = { since: 40, replicas: 1 };
    const kept = recorded({ ...base, downWindowMs: 15 }, recommendations, next);
    expect(kept.map(({ since }) => since)).toEqual([20, 30, 40]);
    expect(recorded(base, recommendations, { since: 40, replicas: 6 })).toBe(recommendations);
  });
});

/** Load of the whole service: 100 at first, 400 from minute 2, 50 from minute 10. */
function load(now: Timestamp): number {
  const minute = (now - VIRTUAL_EPOCH) / MINUTE;
  if (minute < 2) return 100;
  return minute < 10 ? 400 : 50;
}

function trialOf(spec: Partial<AutoscalerSpec>, script: (stage: Stage) => Promise<void>): Trial {
  let stage: Stage | undefined;
  const source = computedMetric(
    () => stage!.view(),
    (now, tasks) => load(now) / tasks,
  );
  return {
    kinds: [Autoscaler],
    controllers: () => [autoscalerController(source)],
    world: obedientWorld(),
    script: async (given) => {
      stage = given;
      const task = { container: { image: 'web:1' } };
      const mode = { type: 'replicated', replicas: 2 } as const;
      const web = newObject(Service, { id: 'web', name: 'web', spec: { mode, task } });
      const scaler = newObject(Autoscaler, { id: 's', name: 's', spec: { ...base, ...spec } });
      await stage.commit('user', create(web));
      await stage.clock.advance(1);
      await stage.commit('user', create(scaler));
      await script(stage);
    },
  };
}

const replicas = (stage: Stage): number | undefined =>
  wantedReplicas(stage.view().get(Service, 'web')!.spec);

describe('an autoscaler', () => {
  it('follows the load up at once, and down when the window is over', async () => {
    await runTrial(
      trialOf({}, async (stage) => {
        const seen: (number | undefined)[] = [];
        for (const minutes of [1, 2, 6, 3, 4]) {
          await stage.clock.advance(minutes * MINUTE);
          seen.push(replicas(stage));
        }
        expect(seen).toEqual([2, 8, 8, 8, 1]);
      }),
    );
  });

  it('goes in steps, one a period', async () => {
    await runTrial(
      trialOf({ stepMax: 2, periodMs: MINUTE }, async (stage) => {
        const seen: (number | undefined)[] = [];
        for (let minute = 0; minute < 6; minute += 1) {
          await stage.clock.advance(MINUTE);
          seen.push(replicas(stage));
        }
        expect(seen).toEqual([2, 4, 6, 8, 8, 8]);
      }),
    );
  });

  it('writes nothing while nothing changes', async () => {
    await runTrial(
      trialOf({}, async (stage) => {
        await stage.clock.advance(9 * MINUTE);
        const { revision } = stage.view();
        await stage.clock.advance(30_000);
        expect(stage.view().revision).toBe(revision);
      }),
    );
  });
});

describe('laws', () => {
  itObeysTheLaws(
    trialOf({ stepMax: 3 }, async (stage) => {
      await stage.clock.advance(20 * MINUTE);
    }),
  );
});

it('scales a service on simulated nodes', async () => {
  const started: Cluster[] = [];
  const source = computedMetric(
    () => started[0]!.view(),
    (_, tasks) => 300 / tasks,
  );
  const plugin = new ContainerModule(({ bind }) => {
    bind(identifiers.kinds).toConstantValue(Autoscaler);
    bind(identifiers.controllers).toConstantValue(autoscalerController(source));
  });
  const cluster = await createCluster({ plugins: [plugin] });
  started.push(cluster);
  await cluster.apply('services: { web: { image: "web:1" } }');
  await cluster.declare([{ kind: Autoscaler, name: 'web', spec: base }]);
  await cluster.advance(MINUTE);
  expect(cluster.tasks('web')).toHaveLength(6);
  const { meta, status } = cluster.get(Service, 'web')!;
  expect(meta.managers?.['Autoscaler web']).toEqual(['mode.replicas']);
  // As declared, claimed as it was, scaled.
  expect(status.history).toHaveLength(3);
  await cluster.stop();
});
