/**
 * A service follows its load: up at once, down when the load was low for two minutes.
 */
import { ContainerModule } from 'inversify';
import { createCluster, identifiers } from 'skep';
import type { View } from '@skep/store';
import { autoscalerController, computedMetric } from './controller.js';
import { Autoscaler } from './kind.js';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1);

/** Load of the whole service: a peak from minute 2 to minute 5. */
const load = (now: number): number => {
  const minute = (now - START) / MINUTE;
  return minute >= 2 && minute < 5 ? 400 : 90;
};

let view: () => View = () => {
  throw new Error('not started');
};
const source = computedMetric(
  () => view(),
  (now, tasks) => load(now) / tasks,
);
const plugin = new ContainerModule(({ bind }) => {
  bind(identifiers.kinds).toConstantValue(Autoscaler);
  bind(identifiers.controllers).toConstantValue(autoscalerController(source));
});
const cluster = await createCluster({ plugins: [plugin] });
view = () => cluster.view();
await cluster.apply(`
services: { web: { image: "example/web:1", deploy: { replicas: 2 } } }
---
apiVersion: skep/v1
kind: Autoscaler
metadata: { name: web }
spec: { service: web, min: 1, max: 6, metric: cpu, target: 50, downWindowMs: 120000, stepMax: 3 }
`);
for (let minute = 1; minute <= 9; minute += 1) {
  await cluster.clock.advanceTo(START + minute * MINUTE + MINUTE / 2);
  const now = cluster.clock.now();
  console.log(`minute ${minute}: load ${load(now)}, ${cluster.tasks('web').length} tasks`);
}
await cluster.stop();
