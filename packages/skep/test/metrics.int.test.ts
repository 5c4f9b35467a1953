/**
 * Metrics bound as a plugin: a cluster that a Prometheus server could scrape.
 */
import { expect, it } from '@jest/globals';
import { prometheusMetrics } from '@skep/metrics-prometheus';
import { ContainerModule } from 'inversify';
import { createCluster } from '../src/create-cluster.js';
import { identifiers } from '../src/identifiers.js';

it('counts what the cluster does, under the names of Docker and controller-runtime', async () => {
  const { metrics, text } = prometheusMetrics();
  const plugin = new ContainerModule(({ rebindSync }) => {
    rebindSync(identifiers.metrics).toConstantValue(metrics);
  });
  const cluster = await createCluster({ nodes: 2, plugins: [plugin] });
  await cluster.apply('services: { web: { image: "web:1", deploy: { replicas: 3 } } }');
  await cluster.settle();
  const lines = (await text()).split('\n');
  expect(lines).toContain('swarm_manager_tasks_total{state="running"} 3');
  expect(lines).toContain('swarm_manager_nodes{state="ready"} 2');
  expect(lines).toContain('workqueue_depth{name="orchestrator",controller="orchestrator"} 0');
  expect(lines).toContain('scheduler_schedule_attempts_total{result="scheduled"} 3');
  await cluster.stop();
  expect((await text()).split('\n')).toContain('swarm_manager_leader 0');
});
