import { describe, expect, it } from '@jest/globals';
import { isSkepError, type AssignedTask } from '@skep/api';
import { seededRandom, VirtualClock } from '@skep/api/virtual';
import { FakeManager } from './__fixtures__/fake-manager.js';
import { completeAssignment, type SmallCluster } from './__fixtures__/small-cluster.js';
import type { ContainerBehaviour } from './behaviour.js';
import { Simulator } from './simulator.js';

/** One service with tasks of these states on node1. */
function clusterOf(...tasks: readonly { id: string; change?: Partial<AssignedTask> }[]) {
  const cluster: SmallCluster = {
    services: [{ number: 1, tasks: tasks.map((task) => ({ ...task, node: 'node1' })) }],
  };
  return cluster;
}

async function setUp(behaviour: ContainerBehaviour = {}) {
  const clock = new VirtualClock();
  const manager = new FakeManager();
  const simulator = new Simulator({
    clock,
    random: seededRandom(1),
    link: manager,
    behaviour: () => behaviour,
  });
  const host = await simulator.addHost({ id: 'node1', name: 'node1' });
  await simulator.start();
  await clock.advance(10);
  let revision = 0;
  /** Assigns everything anew and lets it happen. */
  const assign = async (cluster: SmallCluster): Promise<void> => {
    revision += 1;
    manager.send('node1', completeAssignment(cluster, 'node1', revision));
    await clock.advance(3_000);
  };
  const stop = async (): Promise<void> => {
    const stopped = simulator.stop();
    await clock.advance(10_000);
    await stopped;
  };
  return { clock, manager, simulator, host, assign, stop };
}

const RUNNING: Partial<AssignedTask> = { knownState: 'running' };

describe('SimulatedHost', () => {
  it('runs what it is assigned and reports it', async () => {
    const { manager, host, assign, stop } = await setUp();
    await assign(clusterOf({ id: 't1' }));
    expect(manager.states.at(-1)).toBe('t1 running');
    expect(manager.acks.at(-1)).toEqual({ nodeId: 'node1', revision: 1 });
    expect(host.runtime.container('t1')?.state).toBe('running');
    await stop();
  });

  it('goes on without an agent, and the next agent takes over what runs', async () => {
    const { clock, manager, host, assign, stop } = await setUp();
    await assign(clusterOf({ id: 't1' }));
    const container = host.runtime.container('t1');
    const stopped = host.stopAgent();
    await clock.advance(10);
    await stopped;
    expect([host.agent, manager.has('node1')]).toEqual([undefined, false]);
    expect(container?.state).toBe('running');
    const { tables } = host.dataplane;
    expect(tables?.tasks.has('t1')).toBe(true);

    await host.start();
    await clock.advance(10);
    const before = manager.reports.length;
    await assign(clusterOf({ id: 't1', change: RUNNING }));
    expect(host.runtime.container('t1')).toBe(container);
    expect(manager.reports).toHaveLength(before);
    host.crash('t1', 7);
    await clock.advance(10);
    expect(manager.reports.at(-1)).toMatchObject({ state: 'failed', container: { exitCode: 7 } });
    await stop();
  });

  it('removes what an earlier agent left and nobody assigns any more', async () => {
    const { clock, host, assign, stop } = await setUp();
    await assign(clusterOf({ id: 't1' }));
    const stopped = host.stopAgent();
    await clock.advance(10);
    await stopped;
    await host.start();
    await clock.advance(10);
    await assign(clusterOf());
    expect(host.runtime.containers()).toEqual([]);
    await stop();
  });

  it('is empty after it lost its power, and says so when it is back', async () => {
    const { clock, manager, host, simulator, assign, stop } = await setUp();
    await assign(clusterOf({ id: 't1' }));
    host.powerOff();
    host.powerOff();
    expect([host.isOn, host.isConnected, host.agent]).toEqual([false, false, undefined]);
    expect(host.runtime.containers()).toEqual([]);
    const node = simulator.world.node('node1');
    expect([node.isUp, [...node.namespaces.keys()]]).toEqual([false, ['host']]);
    await clock.advance(60_000);
    await host.start();
    expect(host.agent).toBeUndefined();

    await host.powerOn();
    await host.powerOn();
    await clock.advance(10);
    expect([host.isOn, host.isConnected, node.isUp]).toEqual([true, true, true]);
    await assign(clusterOf({ id: 't1', change: RUNNING }));
    expect(manager.reports.at(-1)).toMatchObject({
      taskId: 't1',
      state: 'failed',
      error: 'container was lost with its host',
    });
    expect(node.namespaces.size).toBeGreaterThan(1);
    await stop();
  });

  it('keeps its images when it loses its power', async () => {
    const { clock, manager, host, assign, stop } = await setUp({ pullMs: 1_500 });
    await assign(clusterOf({ id: 't1' }));
    host.powerOff();
    await host.powerOn();
    await clock.advance(10);
    manager.send('node1', completeAssignment(clusterOf({ id: 't2' }), 'node1', 2));
    await clock.advance(1_000);
    expect(host.runtime.containers().map(({ task }) => task.id)).toEqual(['t2']);
    await stop();
  });

  it('forgets a pull that it was making when it lost its power', async () => {
    const { clock, manager, host, stop } = await setUp({ pullMs: 1_500 });
    manager.send('node1', completeAssignment(clusterOf({ id: 't1' }), 'node1', 1));
    await clock.advance(1_000);
    host.powerOff();
    await clock.advance(2);
    expect(clock.nextTimer()).toBeUndefined();
    await host.powerOn();
    await clock.advance(10);
    manager.send('node1', completeAssignment(clusterOf({ id: 't1' }), 'node1', 2));
    await clock.advance(1_000);
    expect(host.runtime.containers()).toEqual([]);
    await clock.advance(1_000);
    expect(host.runtime.containers()).toHaveLength(1);
    await stop();
  });

  it.each(['loses its power', 'is taken away'])(
    'programs nothing any more once it %s, though it was about to',
    async (how) => {
      const { clock, manager, host, simulator, stop } = await setUp();
      manager.send('node1', completeAssignment(clusterOf({ id: 't1' }), 'node1', 1));
      // By now the assignment has arrived; it takes 1 to 4 ms more until it is applied.
      await clock.advance(2);
      if (how === 'loses its power') host.powerOff();
      else await simulator.removeHost('node1');
      await clock.advance(10);
      const node = simulator.world.nodes.get('node1');
      expect([...(node?.namespaces.keys() ?? ['host'])]).toEqual(['host']);
      await stop();
      expect(clock.pending()).toEqual([]);
    },
  );

  it('goes on while it is cut off, and says what happened when it is back', async () => {
    const { clock, manager, host, assign, stop } = await setUp();
    await assign(clusterOf({ id: 't1' }));
    host.disconnect();
    expect([host.isOn, host.isConnected]).toEqual([true, false]);
    host.crash('t1', 3);
    await clock.advance(60_000);
    expect(manager.states.at(-1)).toBe('t1 running');
    host.reconnect();
    await clock.advance(20_000);
    expect(manager.states.at(-1)).toBe('t1 failed');
    expect(manager.hellos).toHaveLength(2);
    await stop();
  });

  it('keeps its session when it is connected though it was not cut off', async () => {
    const { clock, manager, host, stop } = await setUp();
    host.reconnect();
    await clock.advance(20_000);
    expect(manager.hellos).toHaveLength(1);
    await stop();
  });

  it('is not connected by reconnecting while it is off', async () => {
    const { host, stop } = await setUp();
    host.powerOff();
    host.reconnect();
    expect(host.isConnected).toBe(false);
    await stop();
  });

  it('says what it is when it comes, and what it became', async () => {
    const { clock, manager, host, stop } = await setUp();
    expect(manager.hellos[0]).toMatchObject({
      nodeId: 'node1',
      address: '192.168.50.11',
      description: { hostname: 'node1', platform: { os: 'linux', architecture: 'amd64' } },
    });
    host.describeAs({ resources: { cpuNanos: 1e9 } });
    host.powerOff();
    await host.powerOn();
    await clock.advance(10);
    expect(manager.hellos[1]?.description.resources).toEqual({
      cpuNanos: 1e9,
      memoryBytes: 8 * 2 ** 30,
    });
    await stop();
  });

  it.each(['t9', 't1'])('crashes only what runs: not %s', async (id) => {
    const { clock, manager, host, stop } = await setUp({ pullMs: 10_000 });
    manager.send('node1', completeAssignment(clusterOf({ id: 't1' }), 'node1', 1));
    await clock.advance(100);
    let thrown: unknown;
    try {
      host.crash(id);
    } catch (error) {
      thrown = error;
    }
    expect(isSkepError(thrown, 'not-found')).toBe(true);
    await stop();
  });

  it('leaves no timer behind when it has stopped', async () => {
    const { clock, assign, stop } = await setUp();
    await assign(clusterOf({ id: 't1' }, { id: 't2' }));
    await stop();
    expect(clock.pending()).toEqual([]);
  });
});
