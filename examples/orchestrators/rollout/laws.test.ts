import { describe, expect, it } from '@jest/globals';
import { Cluster, Config, Network, newObject, Node, Secret, Service, Task } from '@skep/api';
import { Volume } from '@skep/api';
import { controllerLaws, userSteps } from '@skep/testing/controllers';
import type { ControllerLawsOptions } from '@skep/testing/controllers';
import { insisting, inTwoCommits } from '../kit/broken-twins.js';
import { expectBroken } from '../kit/expect-broken.js';
import { obedientWorld } from '../kit/obedient-world.js';
import { standing } from '../kit/standing.js';
import { rolloutController } from './controller.js';
import { Rollout } from './kind.js';

const web = newObject(Service, {
  id: 'web',
  name: 'web',
  spec: { mode: { type: 'replicated', replicas: 2 }, task: { container: { image: 'web:1' } } },
});

const world = obedientWorld({ bad: ['web:bad'] });

const kinds = [Rollout, Service, Task, Node, Network, Cluster, Secret, Config, Volume];
const HOUR = 3_600_000;

function lawsFor(image: string, pauseMs = 1_000): ControllerLawsOptions {
  const steps = [{ tasks: 1, percent: 50, pauseMs }];
  const spec = { service: 'web', image, steps };
  return {
    kinds,
    controllers: () => [rolloutController(), ...world],
    scenario: [
      userSteps.apply(web),
      userSteps.apply(newObject(Rollout, { id: 'r', name: 'r', spec })),
    ],
  };
}

describe('with the orchestrator, under every fault of every law', () => {
  it('a rollout comes to its end', async () => {
    const report = await controllerLaws(lawsFor('web:2'));
    expect(report.writes).toBeGreaterThan(20);
  }, 60_000);

  it('a rollout that fails goes back', async () => {
    // Whether the bad task is tried again before all goes back depends on who comes first.
    const report = await controllerLaws({
      ...lawsFor('web:bad'),
      isCounted: false,
      comparable: standing(kinds),
    });
    expect(report.writes).toBeGreaterThan(10);
  }, 60_000);

  it('one that is removed on its way lets go', async () => {
    const laws = lawsFor('web:2', 2 * HOUR);
    const scenario = [...laws.scenario, userSteps.delete(Rollout, 'r')];
    const report = await controllerLaws({ ...laws, scenario, comparable: standing(kinds) });
    expect(report.writes).toBeGreaterThan(15);
  }, 60_000);

  it('finds a twin that writes the service first and its status later', async () => {
    const twins = () => [inTwoCommits(rolloutController()), ...world];
    expect(await expectBroken(lawsFor('web:2'), twins)).toBe('crash');
  }, 60_000);

  it('finds a twin that writes what it decided on an old view, whoever was first', async () => {
    const twins = () => [insisting(rolloutController()), ...world];
    expect(await expectBroken(lawsFor('web:2'), twins)).toBe('stale-crash');
  }, 60_000);
});
