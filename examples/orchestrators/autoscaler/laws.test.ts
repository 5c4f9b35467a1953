import { describe, expect, it } from '@jest/globals';
import { newObject, Service, Task } from '@skep/api';
import { controllerLaws, userSteps } from '@skep/testing/controllers';
import type { ControllerLawsOptions } from '@skep/testing/controllers';
import type { MetricSource } from '@skep/api';
import { inManyCommits } from '../kit/broken-twins.js';
import { expectBroken } from '../kit/expect-broken.js';
import { autoscalerController } from './controller.js';
import { Autoscaler } from './kind.js';

const PERIOD_MS = 15_000;

const web = newObject(Service, {
  id: 'web',
  name: 'web',
  spec: { mode: { type: 'replicated', replicas: 1 }, task: { container: { image: 'web:1' } } },
});

const task: Task = newObject(Task, {
  id: 'task',
  spec: {
    serviceId: 'web',
    serviceName: 'web',
    slot: 1,
    desiredState: 'running',
    template: {},
    cause: 'scale',
  },
  status: { ...Task.initialStatus, state: 'running' },
});

const source: MetricSource = { read: () => Promise.resolve(new Map([['task', 200]])) };
const spec = { service: 'web', min: 1, max: 9, metric: 'cpu', target: 50, stepMax: 1 };

const laws: ControllerLawsOptions = {
  kinds: [Autoscaler, Service, Task],
  controllers: () => [autoscalerController(source)],
  settleMs: 0,
  scenario: [
    userSteps.apply(web, task),
    userSteps.apply(newObject(Autoscaler, { id: 's', name: 's', spec })),
    ...Array.from({ length: 4 }, () => userSteps.advance(PERIOD_MS)),
  ],
};

describe('under every fault of every law', () => {
  it('a service is scaled step by step', async () => {
    const report = await controllerLaws(laws);
    expect(report.writes).toBe(3);
  }, 60_000);

  it('one that is removed leaves the number, and nobody owns it', async () => {
    const { scenario } = laws;
    const end = userSteps.delete(Autoscaler, 's');
    const report = await controllerLaws({ ...laws, scenario: [...scenario.slice(0, 3), end] });
    expect(report.writes).toBe(3);
  }, 60_000);

  it('finds a twin that scales in one commit and notes it in another', async () => {
    const twins = () => [inManyCommits(autoscalerController(source))];
    expect(await expectBroken(laws, twins)).toBe('crash');
  }, 60_000);
});
