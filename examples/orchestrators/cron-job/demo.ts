/**
 * A backup every ten minutes on two simulated nodes; each takes six, and the last two are kept.
 */
import { ContainerModule } from 'inversify';
import { createCluster, identifiers } from 'skep';
import { cronJobController } from './controller.js';
import { CronJob } from './kind.js';

const MINUTE = 60_000;

const plugin = new ContainerModule(({ bind }) => {
  bind(identifiers.kinds).toConstantValue(CronJob);
  bind(identifiers.controllers).toConstantValue(cronJobController());
});
const cluster = await createCluster({
  plugins: [plugin],
  behaviour: { backup: { exit: { afterMs: 6 * MINUTE, exitCode: 0 } } },
});
await cluster.apply(`
apiVersion: skep/v1
kind: CronJob
metadata: { name: nightly }
spec:
  schedule: "*/10 * * * *"
  container: { image: "backup:1" }
  concurrencyPolicy: Forbid
  successfulRunsMax: 2
`);
for (let minute = 5; minute <= 35; minute += 5) {
  await cluster.clock.advanceTo(Date.UTC(2026, 0, 1, 0, minute));
  const runs = cluster.get(CronJob, 'nightly')?.status.runs ?? [];
  const time = (at: number): string => new Date(at).toISOString().slice(11, 16);
  const words = runs.map(({ scheduledAt, state }) => `${time(scheduledAt)} ${state}`);
  console.log(`${time(cluster.clock.now())}  ${words.join(', ') || 'nothing yet'}`);
}
await cluster.removeObject({ kind: CronJob, reference: 'nightly' });
await cluster.advance(MINUTE);
console.log(`removed: ${cluster.problems().length} problems`);
await cluster.stop();
