/**
 * A whole manager on virtual time, scraped as a Prometheus server would.
 */
import { describe, expect, it } from '@jest/globals';
import { newObject, seededRandom, Event, defineKind } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { ControllerGroup, terminalError } from '@skep/controller';
import { memoryStore } from '@skep/store';
import { Service } from '@skep/api';
import { startTestCluster } from '@skep/testing/cluster';
import { parseExposition, valueOf, type ExposedFamily } from '../src/__fixtures__/exposition.js';
import { prometheusMetrics } from '../src/prometheus-metrics.js';

const CONTROLLER_RUNTIME: Readonly<Record<string, string>> = {
  controller_runtime_reconcile_total: 'counter',
  controller_runtime_reconcile_errors_total: 'counter',
  controller_runtime_terminal_reconcile_errors_total: 'counter',
  controller_runtime_reconcile_panics_total: 'counter',
  controller_runtime_reconcile_timeouts_total: 'counter',
  controller_runtime_reconcile_time_seconds: 'histogram',
  controller_runtime_max_concurrent_reconciles: 'gauge',
  controller_runtime_active_workers: 'gauge',
};

const WORKQUEUE: Readonly<Record<string, string>> = {
  workqueue_depth: 'gauge',
  workqueue_adds_total: 'counter',
  workqueue_queue_duration_seconds: 'histogram',
  workqueue_work_duration_seconds: 'histogram',
  workqueue_unfinished_work_seconds: 'gauge',
  workqueue_longest_running_processor_seconds: 'gauge',
  workqueue_retries_total: 'counter',
};

const OPERATORS: Readonly<Record<string, string>> = {
  swarm_manager_nodes: 'gauge',
  swarm_manager_tasks_total: 'gauge',
  swarm_manager_services_total: 'gauge',
  swarm_manager_networks_total: 'gauge',
  swarm_manager_secrets_total: 'gauge',
  swarm_manager_configs_total: 'gauge',
  swarm_manager_leader: 'gauge',
  swarm_store_write_tx_latency_seconds: 'histogram',
  swarm_store_batch_latency_seconds: 'histogram',
  swarm_dispatcher_scheduling_delay_seconds: 'histogram',
  scheduler_schedule_attempts_total: 'counter',
  scheduler_pending_pods: 'gauge',
};

const LOOPS = [
  'allocator',
  'scheduler',
  'orchestrator',
  'endpoints',
  'constraint-enforcer',
  'volume-enforcer',
  'reaper',
];

function typesOf(families: ReadonlyMap<string, ExposedFamily>): Readonly<Record<string, string>> {
  return Object.fromEntries([...families].map(([name, { type }]) => [name, type]));
}

describe('a manager', () => {
  it('shows every known name, with the right values', async () => {
    const prometheus = prometheusMetrics();
    const cluster = await startTestCluster({ watching: { metrics: prometheus.metrics }, nodes: 3 });
    const scrape = async (): Promise<ReadonlyMap<string, ExposedFamily>> =>
      parseExposition(await prometheus.text());
    await cluster.apply({
      kind: Service,
      name: 'web',
      spec: { mode: { type: 'replicated', replicas: 4 }, task: { container: { image: 'app:1' } } },
    });
    await cluster.settle();
    const families = await scrape();
    expect(typesOf(families)).toMatchObject({ ...CONTROLLER_RUNTIME, ...WORKQUEUE, ...OPERATORS });
    for (const { help } of families.values()) expect(help).toMatch(/^[A-Z].*\.$/);
    for (const controller of LOOPS) {
      const labels = { name: controller, controller };
      expect(valueOf(families, 'workqueue_depth', labels)).toBe(0);
      const passes = ['success', 'requeue', 'requeue_after', 'error'].map((result) =>
        valueOf(families, 'controller_runtime_reconcile_total', { controller, result }),
      );
      const total = passes.reduce((sum, value) => sum + value, 0);
      expect(total).toBeGreaterThanOrEqual(controller === 'volume-enforcer' ? 0 : 1);
      // Nothing was observed of a queue that had nothing to do.
      if (total > 0) {
        const taken = valueOf(families, 'workqueue_queue_duration_seconds_count', labels);
        expect(taken).toBe(total);
      }
      expect(
        valueOf(families, 'controller_runtime_max_concurrent_reconciles', { controller }),
      ).toBe(1);
      expect(valueOf(families, 'controller_runtime_reconcile_panics_total', { controller })).toBe(
        0,
      );
    }
    expect(valueOf(families, 'swarm_manager_nodes', { state: 'ready' })).toBe(3);
    expect(valueOf(families, 'swarm_manager_nodes', { state: 'down' })).toBe(0);
    expect(valueOf(families, 'swarm_manager_tasks_total', { state: 'running' })).toBe(4);
    expect(valueOf(families, 'swarm_manager_services_total')).toBe(1);
    expect(valueOf(families, 'swarm_manager_leader')).toBe(1);
    expect(valueOf(families, 'scheduler_schedule_attempts_total', { result: 'scheduled' })).toBe(4);
    expect(valueOf(families, 'scheduler_pending_pods', { queue: 'unschedulable' })).toBe(0);
    expect(valueOf(families, 'swarm_dispatcher_scheduling_delay_seconds_count')).toBe(4);
    expect(valueOf(families, 'skep_dispatcher_sessions')).toBe(3);
    const commits = valueOf(families, 'skep_store_commits_total', { result: 'ok' });
    expect(valueOf(families, 'swarm_store_write_tx_latency_seconds_count')).toBeGreaterThanOrEqual(
      commits,
    );

    await cluster.scale('web', 6);
    await cluster.settle();
    const later = await scrape();
    expect(valueOf(later, 'swarm_manager_tasks_total', { state: 'running' })).toBe(6);
    expect(valueOf(later, 'scheduler_schedule_attempts_total', { result: 'scheduled' })).toBe(6);
    await cluster.stop();
    expect(valueOf(await scrape(), 'swarm_manager_leader')).toBe(0);
  });

  it('tells of tasks that fit nowhere', async () => {
    const prometheus = prometheusMetrics();
    const cluster = await startTestCluster({ watching: { metrics: prometheus.metrics } });
    const constraints = ['node.labels.zone == nowhere'];
    await cluster.apply({
      kind: Service,
      name: 'web',
      spec: {
        mode: { type: 'replicated', replicas: 2 },
        task: { container: { image: 'app:1' }, placement: { constraints } },
      },
    });
    await cluster.settle();
    const families = parseExposition(await prometheus.text());
    expect(valueOf(families, 'scheduler_pending_pods', { queue: 'unschedulable' })).toBe(2);
    const result = 'unschedulable';
    expect(valueOf(families, 'scheduler_schedule_attempts_total', { result })).toBeGreaterThan(1);
    expect(valueOf(families, 'swarm_manager_tasks_total', { state: 'pending' })).toBe(2);
    await cluster.stop();
  });
});

describe('a controller group of ones own', () => {
  interface Spec {
    readonly fault?: 'refusal' | 'bug' | 'for good' | 'later';
  }
  const Thing = defineKind<Spec, Record<string, never>>({ name: 'Thing', initialStatus: {} });

  it('counts successes, requeues, errors, terminal errors and panics', async () => {
    const prometheus = prometheusMetrics();
    const clock = new VirtualClock();
    const store = memoryStore({ clock, kinds: [Thing, Event] });
    const { metrics } = prometheus;
    const failed = new Set<string>();
    const group = new ControllerGroup({ store, clock, random: seededRandom(1), metrics }).add({
      name: 'things',
      for: Thing,
      plan: (view, key, now) => {
        const fault = view.get(Thing, key)?.spec.fault;
        if (fault === 'later') return { changes: [], requeueAt: now + 1_000_000 };
        if (fault === undefined || failed.has(key)) return { changes: [] };
        failed.add(key);
        if (fault === 'for good') throw terminalError('never');
        if (fault === 'bug') throw new TypeError('x is undefined');
        throw new Error('not now');
      },
    });
    await group.start();
    const faults = [undefined, undefined, 'refusal', 'bug', 'for good', 'later'] as const;
    for (const [at, fault] of faults.entries()) {
      const spec = fault === undefined ? {} : { fault };
      const object = newObject(Thing, { id: `${at}`, name: `${at}`, spec });
      await store.commit({ actor: 'user', changes: [{ type: 'create', object }] });
    }
    await clock.advance(60_000);
    const families = parseExposition(await prometheus.text());
    const total = (result: string): number =>
      valueOf(families, 'controller_runtime_reconcile_total', { controller: 'things', result });
    expect(['success', 'error', 'requeue', 'requeue_after'].map(total)).toEqual([4, 3, 0, 1]);
    const count = (name: string): number =>
      valueOf(families, `controller_runtime_${name}_total`, { controller: 'things' });
    expect(count('reconcile_errors')).toBe(3);
    expect(count('terminal_reconcile_errors')).toBe(1);
    expect(count('reconcile_panics')).toBe(1);
    const labels = { name: 'things', controller: 'things' };
    expect(valueOf(families, 'workqueue_retries_total', labels)).toBe(2);
    expect(valueOf(families, 'workqueue_adds_total', labels)).toBe(8);
    const le = families
      .get('controller_runtime_reconcile_time_seconds')
      ?.samples.flatMap(({ labels: { le: bound } }) => bound ?? []);
    expect([le?.length, le?.[0], le?.at(-2), le?.at(-1)]).toEqual([41, '0.005', '60', '+Inf']);
    await group.stop();
  });
});
