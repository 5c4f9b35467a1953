import { expect, it } from '@jest/globals';
import { newObject, Node, Service, Task } from '@skep/api';
import { controllerLaws, userSteps } from '@skep/testing/controllers';
import type { ControllerLawsOptions } from '@skep/testing/controllers';
import { inTwoCommits } from '../kit/broken-twins.js';
import { expectBroken } from '../kit/expect-broken.js';
import { deschedulerController } from './controller.js';
import { Descheduler } from './kind.js';

const MINUTE = 60_000;

const service = newObject(Service, {
  id: 'web',
  name: 'web',
  spec: { mode: { type: 'replicated', replicas: 4 }, task: {} },
  status: { observedGeneration: 1, createdTasks: 4 },
});

const node = (id: string): Node =>
  newObject(Node, {
    id,
    name: id,
    spec: { role: 'worker', availability: 'active' },
    status: { ...Node.initialStatus, state: 'ready' },
  });

const task = (slot: number): Task =>
  newObject(Task, {
    id: `task${slot}`,
    spec: {
      serviceId: 'web',
      serviceName: 'web',
      slot,
      desiredState: 'running',
      template: {},
      cause: 'scale',
    },
    status: { ...Task.initialStatus, state: 'running', nodeId: 'n1' },
  });

const laws: ControllerLawsOptions = {
  kinds: [Descheduler, Service, Task, Node],
  controllers: () => [deschedulerController()],
  // It asks for another look at every interval, for ever.
  settleMs: 0,
  scenario: [
    userSteps.apply(node('n1'), node('n2'), service, ...[1, 2, 3, 4].map(task)),
    userSteps.apply(newObject(Descheduler, { id: 'even', name: 'even', spec: {} })),
    userSteps.advance(MINUTE),
  ],
};

it('no fault of any law moves a task more, or one less', async () => {
  const report = await controllerLaws(laws);
  expect(report.writes).toBe(1);
}, 30_000);

it('finds a twin that notes the budget first and moves later', async () => {
  const twins = () => [inTwoCommits(deschedulerController())];
  expect(await expectBroken(laws, twins)).toBe('crash');
}, 30_000);
