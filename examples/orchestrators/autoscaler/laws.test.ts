import { expect, it } from '@jest/globals';
import { newObject, Service, Task } from '@skep/api';
import { controllerLaws, userSteps } from '@skep/testing/controllers';
import type { MetricSource } from '@skep/api';
import { autoscalerController } from './controller.js';
import { Autoscaler } from './kind.js';

const PERIOD_MS = 15_000;

it('survives crashes after every write, lost events, old views and two leaders', async () => {
  const web = newObject(Service, {
    id: 'web',
    name: 'web',
    spec: { mode: { type: 'replicated', replicas: 1 }, task: { container: { image: 'web:1' } } },
  });
  const template = {};
  const task: Task = newObject(Task, {
    id: 'task',
    spec: {
      serviceId: 'web',
      serviceName: 'web',
      slot: 1,
      desiredState: 'running',
      template,
      cause: 'scale',
    },
    status: { ...Task.initialStatus, state: 'running' },
  });
  const source: MetricSource = { read: () => Promise.resolve(new Map([['task', 200]])) };
  const spec = { service: 'web', min: 1, max: 9, metric: 'cpu', target: 50, stepMax: 1 };
  const report = await controllerLaws({
    kinds: [Autoscaler, Service, Task],
    controllers: () => [autoscalerController(source)],
    settleMs: 0,
    ages: [1],
    seeds: 2,
    scenario: [
      userSteps.apply(web, task),
      userSteps.apply(newObject(Autoscaler, { id: 's', name: 's', spec })),
      ...Array.from({ length: 4 }, () => userSteps.advance(PERIOD_MS)),
    ],
  });
  expect(report.writes).toBe(3);
}, 60_000);
