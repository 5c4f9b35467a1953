import { expect, it } from '@jest/globals';
import { Cluster, Config, Network, newObject, Node, Secret, Service, Task } from '@skep/api';
import { Volume } from '@skep/api';
import { controllerLaws, userSteps } from '@skep/testing/controllers';
import { obedientWorld } from '../kit/obedient-world.js';
import { rolloutController } from './controller.js';
import { Rollout } from './kind.js';

it('together with the orchestrator it survives a crash after every write, and old views', async () => {
  const web = newObject(Service, {
    id: 'web',
    name: 'web',
    spec: { mode: { type: 'replicated', replicas: 2 }, task: { container: { image: 'web:1' } } },
  });
  const steps = [{ tasks: 1, percent: 50, pauseMs: 1_000 }];
  const rollout = newObject(Rollout, {
    id: 'r',
    name: 'r',
    spec: { service: 'web', image: 'web:2', steps },
  });
  const report = await controllerLaws({
    kinds: [Rollout, Service, Task, Node, Network, Cluster, Secret, Config, Volume],
    controllers: () => [rolloutController(), ...obedientWorld()],
    laws: ['quiet', 'crash', 'leaders', 'stale'],
    ages: [1],
    scenario: [userSteps.apply(web), userSteps.apply(rollout)],
  });
  expect(report.writes).toBeGreaterThan(5);
}, 60_000);
