/**
 * A canary: one new task with a tenth of the traffic, then half of it, then all; and one that goes
 * back because its tasks fail.
 */
import { ContainerModule } from 'inversify';
import { createCluster, identifiers } from 'skep';
import { rolloutController } from './controller.js';
import { Rollout } from './kind.js';

const MINUTE = 60_000;

const plugin = new ContainerModule(({ bind }) => {
  bind(identifiers.kinds).toConstantValue(Rollout);
  bind(identifiers.controllers).toConstantValue(rolloutController());
});
const cluster = await createCluster({
  plugins: [plugin],
  behaviour: (task) => {
    const body = task.template.container?.image ?? '';
    const respond = (): { status: number; body: string } => ({ status: 200, body });
    return body === 'web:3' ? { startError: 'no such library' } : { respond };
  },
});
await cluster.apply(
  'services: { web: { image: "web:1", ports: ["80:80"], deploy: { replicas: 4 } } }',
);
await cluster.settle();

async function rollOut(image: string): Promise<void> {
  const steps = [
    { tasks: 1, percent: 10, pauseMs: 5 * MINUTE },
    { tasks: 2, percent: 50, pauseMs: 5 * MINUTE },
  ];
  await cluster.declare([{ kind: Rollout, name: 'web', spec: { service: 'web', image, steps } }]);
  for (let time = 0; time < 4; time += 1) {
    await cluster.advance(4 * MINUTE);
    const answers = Array.from({ length: 120 }, () => cluster.request('node1:80').body);
    const share = answers.filter((body) => body === image).length / 1.2;
    const { phase, message } = cluster.get(Rollout, 'web')?.status ?? {};
    console.log(`${image} has ${share}% (${phase}${message === '' ? '' : `: ${message}`})`);
  }
}

await rollOut('web:2');
await rollOut('web:3');
await cluster.stop();
