/**
 * The names and labels that dashboards for controller-runtime ask for, line by line.
 */
import { expect, it } from '@jest/globals';
import { silentMetrics } from '@skep/api';
import { RecordedMetrics } from './__fixtures__/recorded-metrics.js';
import { Parent, parent, world } from './__fixtures__/world.js';
import { create, noChanges } from './changes.js';
import { ControllerGroup } from './controller-group.js';
import type { PlanController } from './contract.js';

const idle: PlanController = { name: 'idle', for: Parent, plan: () => noChanges };

const CONTROLLER = ['controller'];
const QUEUE = ['name', 'controller'];
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  controller_runtime_reconcile_total: ['controller', 'result'],
  controller_runtime_reconcile_errors_total: CONTROLLER,
  controller_runtime_terminal_reconcile_errors_total: CONTROLLER,
  controller_runtime_reconcile_panics_total: CONTROLLER,
  controller_runtime_reconcile_timeouts_total: CONTROLLER,
  controller_runtime_reconcile_time_seconds: CONTROLLER,
  controller_runtime_max_concurrent_reconciles: CONTROLLER,
  controller_runtime_active_workers: CONTROLLER,
  skep_controller_conflicts_total: CONTROLLER,
  workqueue_depth: QUEUE,
  workqueue_adds_total: QUEUE,
  workqueue_queue_duration_seconds: QUEUE,
  workqueue_work_duration_seconds: QUEUE,
  workqueue_unfinished_work_seconds: QUEUE,
  workqueue_longest_running_processor_seconds: QUEUE,
  workqueue_retries_total: QUEUE,
};

it('has every known name with its labels and a help text, and shows zeros from the start', async () => {
  const { seams, clock } = world();
  const metrics = new RecordedMetrics();
  const group = new ControllerGroup({ ...seams, metrics }).add(idle);
  await group.start();
  const found = [...metrics.definitions.values()].map(({ name, labelNames }) => [name, labelNames]);
  expect(Object.fromEntries(found)).toEqual(KNOWN);
  for (const { help } of metrics.definitions.values()) expect(help).toMatch(/^[A-Z].*\.$/);
  const zeros = [...metrics.values].filter(([, value]) => value === 0).map(([name]) => name);
  for (const result of ['success', 'error', 'requeue', 'requeue_after']) {
    expect(zeros).toContain(`controller_runtime_reconcile_total{controller=idle,result=${result}}`);
  }
  expect(zeros).toContain('controller_runtime_reconcile_timeouts_total{controller=idle}');
  expect(zeros).toContain('workqueue_depth{name=idle,controller=idle}');
  await group.stop();
  expect(clock.pending()).toEqual([]);
});

it('costs nothing when nobody counts', async () => {
  const { seams, clock, commit } = world();
  const group = new ControllerGroup({ ...seams, metrics: silentMetrics }).add(idle);
  await group.start();
  await commit(create(parent('a')));
  await clock.flush();
  // No gauges to be told from time to time.
  expect(clock.pending().filter(({ label }) => label === 'metrics')).toEqual([]);
  await group.stop();
});
