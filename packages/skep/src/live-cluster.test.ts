import { describe, expect, it } from '@jest/globals';
import {
  Cluster,
  defineKind,
  isSkepError,
  Node,
  Service,
  silentMetrics,
  Task,
  type Clock,
  type Logger,
} from '@skep/api';
import { systemClock } from '@skep/api/system';
import { seededRandom, VirtualClock } from '@skep/api/virtual';
import { Simulator } from '@skep/adapter-simulator';
import { defineController } from '@skep/controller';
import { swarmPolicy } from '@skep/scheduler';
import { memoryBackend, memoryStore, sharedMemoryLog } from '@skep/store';
import { ContainerModule } from 'inversify';
import { identifiers } from './identifiers.js';
import type { LiveCluster } from './live-cluster.js';
import type { LiveOptions } from './live-options.js';
import { BUILT_IN_KINDS } from './modules/store-module.js';
import { openCluster } from './open-cluster.js';

const WEB = 'services: { web: { image: "web:1", deploy: { replicas: 2 } } }';

/** A cluster, and machines whose agents come in over its link. */
interface Rig {
  readonly clock: VirtualClock;
  readonly cluster: LiveCluster;
  readonly simulator: Simulator;
  stop(): Promise<void>;
}

async function rig(options: LiveOptions = {}, clock = new VirtualClock()): Promise<Rig> {
  const cluster = await openCluster({ clock, random: seededRandom(1), checks: true, ...options });
  const random = seededRandom(2);
  const simulator = new Simulator({ clock, random, link: cluster.link, renderer: 'ipvs' });
  await simulator.start();
  const stop = async (): Promise<void> => {
    const stopped = simulator.stop();
    await clock.advance(1_000);
    await stopped;
    await cluster.stop();
  };
  return { clock, cluster, simulator, stop };
}

/** Two nodes that have come in. */
async function ready(options: LiveOptions = {}, clock = new VirtualClock()): Promise<Rig> {
  const made = await rig(options, clock);
  for (const name of ['node1', 'node2']) {
    const { meta } = await made.cluster.declareNode({ name });
    await made.simulator.addHost({ id: meta.id, name });
  }
  await clock.advance(10_000);
  return made;
}

async function codeOf(body: () => unknown): Promise<string> {
  try {
    await body();
  } catch (thrown) {
    return isSkepError(thrown) ? thrown.code : String(thrown);
  }
  return 'nothing was refused';
}

const states = (cluster: LiveCluster, service = 'web'): readonly string[] =>
  cluster.tasks(service).map(({ status }) => status.state);

describe('openCluster', () => {
  it('runs tasks on nodes that come in over its link', async () => {
    const { cluster, clock, stop } = await ready();
    expect(cluster.list(Node).map(({ status }) => status.state)).toEqual(['ready', 'ready']);
    await cluster.apply(WEB);
    await clock.advance(60_000);
    expect(states(cluster)).toEqual(['running', 'running']);
    expect(cluster.problems()).toEqual([]);
    await cluster.scale('web', 3);
    await clock.advance(60_000);
    expect(states(cluster)).toHaveLength(3);
    await stop();
  });

  it('runs in real time, and its timers end with it', async () => {
    const clock: Clock = systemClock();
    const cluster = await openCluster({ cluster: { heartbeatPeriodMs: 50 } });
    const simulator = new Simulator({
      clock,
      random: seededRandom(1),
      link: cluster.link,
      behaviour: () => ({ pullMs: 1, createMs: 1, startMs: 1, stopMs: 1 }),
      latencyMs: { from: 0, to: 1 },
    });
    await simulator.start();
    const { meta } = await cluster.declareNode({ name: 'node1' });
    const isRunning = (): boolean =>
      cluster.list(Task).filter(({ status }) => status.state === 'running').length === 2;
    const running = new Promise<void>((resolve) => {
      const subscription = cluster.commits$.subscribe(() => {
        if (!isRunning()) return;
        subscription.unsubscribe();
        resolve();
      });
    });
    await simulator.addHost({ id: meta.id, name: 'node1' });
    await cluster.apply(WEB);
    await running;
    expect(states(cluster)).toEqual(['running', 'running']);
    await simulator.stop();
    await cluster.stop();
  });

  it('goes on where it was on a store with contents, and lets the same nodes in', async () => {
    const clock = new VirtualClock();
    const log = sharedMemoryLog({ clock });
    const first = await ready({ backend: log.backend() }, clock);
    await first.cluster.apply(WEB);
    await first.cluster.drain('node2');
    await clock.advance(60_000);
    const tasks = first.cluster.tasks('web').map(({ meta }) => meta.id);
    const node1 = first.cluster.get(Node, 'node1')!.meta.id;
    // The machines stay as they are: only the manager goes.
    await first.cluster.stop();
    const cluster = await openCluster({ clock, random: seededRandom(5), backend: log.backend() });
    const again = await cluster.declareNode({ name: 'node1' });
    expect(again.meta.id).toBe(node1);
    expect((await cluster.declareNode({ name: 'node2' })).spec.availability).toBe('drain');
    expect(cluster.tasks('web').map(({ meta }) => meta.id)).toEqual(tasks);
    await cluster.scale('web', 4);
    expect(cluster.list(Cluster)).toHaveLength(1);
    await cluster.stop();
    const stopped = first.simulator.stop();
    await clock.advance(10_000);
    await stopped;
  });

  it('lets agents that outlive the manager in again, and starts nothing twice', async () => {
    const clock = new VirtualClock();
    const log = sharedMemoryLog({ clock });
    let manager = await openCluster({ clock, random: seededRandom(1), backend: log.backend() });
    const link = {
      open: (...args: Parameters<typeof manager.link.open>) => manager.link.open(...args),
    };
    const simulator = new Simulator({ clock, random: seededRandom(2), link });
    await simulator.start();
    const { meta } = await manager.declareNode({ name: 'node1' });
    await simulator.addHost({ id: meta.id, name: 'node1' });
    await manager.apply(WEB);
    await clock.advance(60_000);
    const before = manager.tasks('web').map((task) => task.meta.id);
    expect(states(manager)).toEqual(['running', 'running']);
    await manager.stop();
    await clock.advance(30_000);
    manager = await openCluster({ clock, random: seededRandom(3), backend: log.backend() });
    await clock.advance(60_000);
    expect(manager.get(Node, 'node1')?.status.state).toBe('ready');
    expect(manager.tasks('web').map((task) => task.meta.id)).toEqual(before);
    expect(manager.list(Task)).toHaveLength(2);
    const stopped = simulator.stop();
    await clock.advance(10_000);
    await stopped;
    await manager.stop();
  });

  it('takes kinds, controllers, policy, logger, metrics, trace and plugins', async () => {
    const Lamp = defineKind<{ readonly room: string }, { readonly seen?: number }>({
      name: 'Lamp',
      initialStatus: {},
    });
    const seen: string[] = [];
    const watcher = defineController({
      name: 'lamps',
      actor: 'lamps',
      for: Lamp,
      plan: (view, key) => {
        seen.push(view.get(Lamp, key)?.spec.room ?? 'none');
        return { changes: [] };
      },
    });
    const logged: string[] = [];
    const log = (message: string): void => {
      logged.push(message);
    };
    const logger: Logger = { debug: log, info: log, warn: log, error: log };
    const plugged = new ContainerModule(({ rebindSync }) => {
      rebindSync(identifiers.metrics).toConstantValue(silentMetrics);
    });
    const { cluster, clock, stop } = await ready({
      kinds: [Lamp],
      controllers: [watcher],
      policy: { ...swarmPolicy(), name: 'mine' },
      logger,
      metrics: silentMetrics,
      trace: true,
      plugins: [plugged],
      cluster: { taskHistoryLimit: 1 },
      dataplane: 'nftables',
    });
    await cluster.declare([{ kind: Lamp, name: 'desk', spec: { room: 'study' } }]);
    await cluster.apply(WEB);
    await clock.advance(60_000);
    expect(seen).toContain('study');
    expect(cluster.explain('web.1').policy).toBe('mine');
    expect(cluster.why(Service, 'web').length).toBeGreaterThan(0);
    expect(cluster.list(Cluster)[0]?.spec).toEqual({ taskHistoryLimit: 1, dataplane: 'nftables' });
    await stop();
  });

  it('takes a store that is open, also from a plugin', async () => {
    const clock = new VirtualClock();
    const store = memoryStore({ clock, kinds: BUILT_IN_KINDS });
    const given = await openCluster({ clock, store });
    expect(given.store).toBe(store);
    await given.stop();
    const other = memoryStore({ clock, kinds: BUILT_IN_KINDS });
    const plugin = new ContainerModule(({ bind }) => {
      bind(identifiers.store).toConstantValue(other);
    });
    const plugged = await openCluster({ clock, plugins: [plugin] });
    expect(plugged.store).toBe(other);
    await plugged.stop();
  });

  it.each<[string, string, () => Promise<unknown>]>([
    [
      'a store and a backend',
      'invalid-argument',
      () => {
        const clock = new VirtualClock();
        const store = memoryStore({ clock, kinds: BUILT_IN_KINDS });
        return openCluster({ clock, store, backend: sharedMemoryLog({ clock }).backend() });
      },
    ],
    [
      'a store without the built-in kinds',
      'invalid-argument',
      () => {
        const clock = new VirtualClock();
        return openCluster({ clock, store: memoryStore({ clock, kinds: [Service] }) });
      },
    ],
    [
      'a kind that is there already',
      'invalid-argument',
      () => openCluster({ clock: new VirtualClock(), kinds: [Service] }),
    ],
    [
      'settings that the front door refuses',
      'invalid-argument',
      () => openCluster({ clock: new VirtualClock(), cluster: { heartbeatPeriodMs: 0 } }),
    ],
    [
      'another dataplane than the stored one',
      'failed-precondition',
      async () => {
        const clock = new VirtualClock();
        const log = sharedMemoryLog({ clock });
        const first = await openCluster({ clock, backend: log.backend(), dataplane: 'nftables' });
        await first.stop();
        const same = await openCluster({ clock, backend: log.backend(), dataplane: 'nftables' });
        await same.stop();
        return openCluster({ clock, backend: log.backend(), cluster: { dataplane: 'ipvs' } });
      },
    ],
  ])('refuses %s (%s)', async (_, code, open) => {
    expect(await codeOf(open)).toBe(code);
  });

  it('closes the backend that it could not use', async () => {
    const clock = new VirtualClock();
    let closed = 0;
    const backend = { ...memoryBackend(), close: () => Promise.resolve(void (closed += 1)) };
    for (const bad of [{ kinds: [Service] }, { cluster: { heartbeatPeriodMs: 0 } }]) {
      expect(await codeOf(() => openCluster({ clock, backend, ...bad }))).toBe('invalid-argument');
    }
    expect(closed).toBe(2);
  });

  it('acts no more after stop, which may be called again', async () => {
    const { cluster, stop } = await ready();
    await stop();
    await cluster.stop();
    const refusals = await Promise.all(
      [
        () => cluster.scale('web', 2),
        () => cluster.declareNode({ name: 'node3' }),
        () => cluster.removeNode('node1'),
        () => cluster.list(Service),
        () => cluster.ask('node1', { type: 'tables' }),
      ].map(codeOf),
    );
    expect(refusals).toEqual(Array(5).fill('failed-precondition'));
  });
});

describe('LiveCluster.declareNode', () => {
  it('makes a node, and changes only what is said of one that is there', async () => {
    const { cluster, stop } = await rig();
    const made = await cluster.declareNode({ name: 'a', id: 'id-a', role: 'manager' });
    expect([made.meta.id, made.spec]).toEqual([
      'id-a',
      { role: 'manager', availability: 'active' },
    ]);
    await cluster.drain('a');
    const { revision } = cluster.view();
    const same = await cluster.declareNode({ name: 'a', id: 'id-a' });
    expect(same.spec).toEqual({ role: 'manager', availability: 'drain' });
    expect(cluster.view().revision).toBe(revision);
    const labelled = await cluster.declareNode({ name: 'a', labels: { disk: 'ssd' } });
    expect(labelled.meta.labels).toEqual({ disk: 'ssd' });
    const active = await cluster.declareNode({ name: 'a', availability: 'active' });
    expect([active.spec.availability, active.meta.labels]).toEqual(['active', { disk: 'ssd' }]);
    await stop();
  });

  it('refuses a name that means another node', async () => {
    const { cluster, stop } = await rig();
    await cluster.declareNode({ name: 'a', id: 'id-a' });
    expect(await codeOf(() => cluster.declareNode({ name: 'a', id: 'other' }))).toBe(
      'already-exists',
    );
    expect(await codeOf(() => cluster.declareNode({ name: 'b', id: 'id-a' }))).toBe(
      'already-exists',
    );
    expect(
      await codeOf(() => cluster.declareNode({ name: 'b', availability: 'gone' as 'drain' })),
    ).toBe('invalid-argument');
    await stop();
  });
});

describe('LiveCluster.removeNode', () => {
  it('takes a node that is ready by force only, and its tasks go elsewhere', async () => {
    const { cluster, clock, simulator, stop } = await ready();
    await cluster.apply(WEB);
    await clock.advance(60_000);
    expect(await codeOf(() => cluster.removeNode('node2'))).toBe('failed-precondition');
    expect(await codeOf(() => cluster.removeNode('nobody'))).toBe('not-found');
    await cluster.removeNode('node2', { force: true });
    await clock.advance(60_000);
    const node1 = cluster.get(Node, 'node1')!.meta.id;
    expect(cluster.tasks('web').map(({ status }) => status.nodeId)).toEqual([node1, node1]);
    expect(states(cluster)).toEqual(['running', 'running']);
    // Its agent goes on asking, and is told that nobody knows it.
    expect(cluster.list(Node)).toHaveLength(1);
    expect(simulator.host('node2').agent).toBeDefined();
    await stop();
  });
});
