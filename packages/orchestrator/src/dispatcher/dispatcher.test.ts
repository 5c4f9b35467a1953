import { describe, expect, it } from '@jest/globals';
import {
  ACTORS,
  Lease,
  Node,
  Task,
  newObject,
  seededRandom,
  withSpec,
  type Assignment,
  type NodeDescription,
  type NodeHello,
  type NodeSession,
  type NodeStatus,
  type TaskReport,
  type TaskState,
} from '@skep/api';
import { TestCluster } from '../endpoints/__fixtures__/cluster.js';
import { assignmentItems } from './assignment.js';
import { Dispatcher, connectInProcess } from './dispatcher.js';

const DESCRIPTION: NodeDescription = {
  hostname: 'host',
  platform: { os: 'linux', architecture: 'amd64' },
  resources: { cpuNanos: 4e9, memoryBytes: 8e9, generic: [] },
  engine: { version: '1', labels: {} },
};

const hello = (nodeId: string): NodeHello => ({
  nodeId,
  address: `192.0.2.${nodeId}`,
  description: DESCRIPTION,
});

/** A node's end of the link. By default it acknowledges every assignment as soon as it comes. */
class Agent {
  readonly messages: Assignment[] = [];
  readonly endings: string[] = [];
  session!: NodeSession;
  acknowledges = true;

  async open(world: World, nodeId: string): Promise<this> {
    this.session = await connectInProcess(world.dispatcher).open(hello(nodeId), {
      assignment: (assignment) => {
        this.messages.push(assignment);
        if (this.acknowledges) {
          void this.session.acknowledge({ appliedRevision: assignment.revision });
        }
      },
      closed: (reason) => this.endings.push(reason),
    });
    await world.cluster.clock.flush();
    return this;
  }

  report(taskId: string, state: TaskState, more: Partial<TaskReport> = {}): Promise<void> {
    return this.session.report([{ taskId, state, timestamp: 1, message: state, ...more }]);
  }
}

interface World {
  readonly cluster: TestCluster;
  readonly dispatcher: Dispatcher;
}

/** A dispatcher of a manager that leads in this term. */
function dispatcherFor(cluster: TestCluster, term = 1): Dispatcher {
  const { store, clock } = cluster;
  const fence = () => [{ type: 'lease', id: 'leader', holder: `manager${term}`, term } as const];
  return new Dispatcher({ store, clock, random: seededRandom(term), fence });
}

/** Makes another manager the leader. */
function elect(cluster: TestCluster, term: number): Promise<number> {
  const lease = cluster.view.get(Lease, 'leader');
  const times = { durationMs: 1e9, acquiredAt: cluster.now, renewedAt: cluster.now };
  const spec = { holder: `manager${term}`, term, ...times };
  if (lease === undefined) return cluster.create(newObject(Lease, { id: 'leader', spec }));
  return cluster.commit(ACTORS.elector, { type: 'update', object: withSpec(lease, spec) });
}

/** A dispatcher that runs, and nodes that were just created: never heard of. */
async function world(...nodeIds: readonly string[]): Promise<World> {
  return worldIn(new TestCluster(), nodeIds);
}

async function worldIn(cluster: TestCluster, nodeIds: readonly string[]): Promise<World> {
  for (const id of nodeIds) {
    const spec = { role: 'worker', availability: 'active' } as const;
    await cluster.create(newObject(Node, { id, name: `node-${id}`, spec }));
  }
  await elect(cluster, 1);
  const dispatcher = dispatcherFor(cluster);
  await dispatcher.start();
  return { cluster, dispatcher };
}

const status = ({ cluster }: World, id: string): NodeStatus => cluster.get(Node, id).status;

const taskStatus = ({ cluster }: World, id: string) => cluster.get(Task, id).status;

async function refusal(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: { code: string }) => error.code,
  );
}

describe('registration', () => {
  it('is for nodes that exist', async () => {
    const w = await world('1');
    expect(await refusal(new Agent().open(w, 'nobody'))).toBe('not-found');
    await w.dispatcher.stop();
    expect(await refusal(new Agent().open(w, '1'))).toBe('unavailable');
  });

  it('writes what the node says, sends the whole assignment, and waits for its tables', async () => {
    const w = await world('1');
    const agent = new Agent();
    agent.acknowledges = false;
    await agent.open(w, '1');
    expect(status(w, '1')).toMatchObject({
      state: 'unknown',
      address: '192.0.2.1',
      description: DESCRIPTION,
    });
    expect(agent.messages.map(({ type }) => type)).toEqual(['complete']);
    const appliedRevision = agent.messages[0]?.revision ?? 0;
    await agent.session.acknowledge({ appliedRevision });
    await w.cluster.clock.flush();
    expect(status(w, '1')).toEqual({
      state: 'ready',
      message: '',
      address: '192.0.2.1',
      description: DESCRIPTION,
      tables: { appliedRevision },
    });
  });

  it('is refused for the fourth time within 8 s', async () => {
    const w = await world('1', '2');
    const attempt = (nodeId: string) => refusal(new Agent().open(w, nodeId));
    expect([await attempt('1'), await attempt('1'), await attempt('1')]).toEqual(
      Array(3).fill('none'),
    );
    expect(await attempt('1')).toBe('unavailable');
    expect(await attempt('2')).toBe('none');
    await w.cluster.clock.advance(7_999);
    expect(await attempt('1')).toBe('unavailable');
    await w.cluster.clock.advance(1);
    expect(await attempt('1')).toBe('none');
  });

  it('replaces an earlier session of the node', async () => {
    const w = await world('1');
    const first = await new Agent().open(w, '1');
    const second = await new Agent().open(w, '1');
    expect(first.endings).toEqual(['replaced by another session of the node']);
    expect(await refusal(first.session.heartbeat())).toBe('failed-precondition');
    expect(await refusal(first.report('t', 'running'))).toBe('failed-precondition');
    expect(second.session.sessionId).not.toBe(first.session.sessionId);
    expect(status(w, '1').state).toBe('ready');
    await first.session.close();
    await w.cluster.clock.flush();
    expect(w.dispatcher.sessions.map(({ sessionId }) => sessionId)).toEqual([
      second.session.sessionId,
    ]);
    expect(status(w, '1').state).toBe('ready');
  });

  it('takes a new description without a new session', async () => {
    const w = await world('1');
    const agent = await new Agent().open(w, '1');
    await agent.session.describe({ ...DESCRIPTION, hostname: 'renamed' });
    await w.cluster.clock.advance(100);
    expect(status(w, '1').description?.hostname).toBe('renamed');
  });
});

describe('heartbeats', () => {
  it('are asked for every 5 s, give or take half a second', async () => {
    const w = await world('1');
    const agent = await new Agent().open(w, '1');
    const periods = [agent.session.heartbeatPeriodMs];
    for (let at = 0; at < 50; at += 1) periods.push((await agent.session.heartbeat()).periodMs);
    expect(Math.min(...periods)).toBeGreaterThanOrEqual(4_500);
    expect(Math.max(...periods)).toBeLessThanOrEqual(5_500);
    expect(new Set(periods).size).toBeGreaterThan(40);
  });

  it('make a node DOWN three periods after the last one', async () => {
    const w = await world('1');
    const agent = await new Agent().open(w, '1');
    await w.cluster.clock.advance(4_000);
    await agent.session.heartbeat();
    await w.cluster.clock.advance(4_000);
    const { periodMs } = await agent.session.heartbeat();
    const heardAt = w.cluster.now;
    await w.cluster.clock.advance(3 * periodMs - 1);
    expect(status(w, '1').state).toBe('ready');
    await w.cluster.clock.advance(1);
    expect(status(w, '1')).toMatchObject({
      state: 'down',
      message: 'heartbeat failure',
      downSince: heardAt,
    });
    expect(agent.endings).toEqual(['heartbeat failure']);
    expect(await refusal(agent.session.heartbeat())).toBe('failed-precondition');
  });

  it('that are late are something to wait for, those to come are not', async () => {
    const w = await world('1');
    const agent = await new Agent().open(w, '1');
    await w.cluster.clock.advance(1_000);
    expect(w.cluster.clock.nextTimer()).toBeUndefined();
    await w.cluster.clock.advance(8_000);
    expect(w.cluster.clock.nextTimer()?.label).toBe('silence of node 1');
    await agent.session.heartbeat();
    expect(w.cluster.clock.nextTimer()).toBeUndefined();
  });

  it('bring a node back: READY when it has applied everything, not before', async () => {
    const w = await world('1');
    await new Agent().open(w, '1');
    await w.cluster.clock.advance(20_000);
    expect(status(w, '1').state).toBe('down');
    const agent = new Agent();
    agent.acknowledges = false;
    await agent.open(w, '1');
    await w.cluster.clock.advance(1_000);
    expect(status(w, '1').state).toBe('down');
    await agent.session.acknowledge({ appliedRevision: agent.messages[0]?.revision ?? 0 });
    await w.cluster.clock.flush();
    expect(status(w, '1').state).toBe('ready');
    expect(status(w, '1')).not.toHaveProperty('downSince');
  });
});

describe('sessions that end', () => {
  it('make a node DISCONNECTED when it closes, DOWN when it does not come back', async () => {
    const w = await world('1');
    const agent = await new Agent().open(w, '1');
    const openedAt = w.cluster.now;
    await w.cluster.clock.advance(1_000);
    await agent.session.close();
    await w.cluster.clock.flush();
    expect(status(w, '1')).toMatchObject({ state: 'disconnected', downSince: openedAt });
    await w.cluster.clock.advanceTo(openedAt + 3 * agent.session.heartbeatPeriodMs - 1);
    expect(status(w, '1').state).toBe('disconnected');
    await w.cluster.clock.advance(1);
    expect(status(w, '1')).toMatchObject({ state: 'down', downSince: openedAt });
    expect(agent.endings).toEqual([]);
  });

  it('end with the dispatcher, which writes what it still knows', async () => {
    const w = await world('1', '2');
    await w.cluster.task('t', { nodeId: '1', status: { state: 'assigned' } });
    const agents = [await new Agent().open(w, '1'), await new Agent().open(w, '2')];
    await agents[0]?.report('t', 'running');
    await w.dispatcher.stop();
    expect(agents.map(({ endings }) => endings)).toEqual([
      ['dispatcher stopped'],
      ['dispatcher stopped'],
    ]);
    expect([status(w, '1').state, status(w, '2').state]).toEqual(['disconnected', 'disconnected']);
    expect(taskStatus(w, 't').state).toBe('running');
    await w.cluster.clock.flush();
    expect(w.cluster.clock.pending()).toEqual([]);
    await w.dispatcher.stop();
  });

  it('end with the node', async () => {
    const w = await world('1');
    const agent = await new Agent().open(w, '1');
    await w.cluster.remove(Node, '1');
    await w.cluster.clock.flush();
    expect(agent.endings).toEqual(['the node was removed from the cluster']);
    expect(w.dispatcher.sessions).toEqual([]);
    await w.cluster.clock.advance(60_000);
    expect(w.cluster.clock.pending()).toEqual([]);
  });

  it('end when the node throws at its assignment', async () => {
    const w = await world('1');
    const endings: string[] = [];
    await w.dispatcher.open(hello('1'), {
      assignment: () => {
        throw new Error('disk full');
      },
      closed: (reason) => endings.push(reason),
    });
    await w.cluster.clock.flush();
    expect(endings).toEqual(['the node did not take its assignment']);
    expect(status(w, '1').state).toBe('disconnected');
  });
});

describe('another dispatcher', () => {
  it('makes nodes UNKNOWN, and DOWN if they do not come within 6 periods', async () => {
    const w = await world('1', '2', '3');
    await new Agent().open(w, '1');
    await new Agent().open(w, '2');
    // The first one is cut off: it does not stop by itself.
    await elect(w.cluster, 2);
    const next = { cluster: w.cluster, dispatcher: dispatcherFor(w.cluster, 2) };
    await next.dispatcher.start();
    const startedAt = w.cluster.now;
    expect([status(w, '1').state, status(w, '2').state]).toEqual(['unknown', 'unknown']);
    expect(status(w, '3').message).toBe('');
    await new Agent().open(next, '1');
    expect(status(w, '1').state).toBe('ready');
    await w.cluster.clock.advance(14_000);
    expect(status(w, '2').state).toBe('unknown');
    await next.dispatcher.stop();
    await elect(w.cluster, 3);
    const third = dispatcherFor(w.cluster, 3);
    await third.start();
    await w.cluster.clock.advance(29_999);
    expect([status(w, '1').state, status(w, '2').state]).toEqual(['unknown', 'unknown']);
    await w.cluster.clock.advance(1);
    expect([status(w, '1').state, status(w, '2').state]).toEqual(['down', 'down']);
    expect(status(w, '2').downSince).toBe(startedAt);
    await third.stop();
  });

  it('leaves one that is not the leader any more nothing to write, and no sessions', async () => {
    const w = await world('1');
    await w.cluster.task('t', { nodeId: '1', status: { state: 'assigned' } });
    const agent = await new Agent().open(w, '1');
    await elect(w.cluster, 2);
    await agent.report('t', 'running');
    await w.cluster.clock.advance(100);
    expect(agent.endings).toEqual(['not the leader any more']);
    expect(taskStatus(w, 't').state).toBe('assigned');
    expect(status(w, '1').state).toBe('ready');
    expect(await refusal(new Agent().open(w, '1'))).toBe('unavailable');
    expect(w.cluster.clock.pending()).toEqual([]);
    await w.dispatcher.stop();
  });

  it('refuses to start twice, and starts again after a stop', async () => {
    const w = await world('1');
    expect(await refusal(w.dispatcher.start())).toBe('failed-precondition');
    await w.dispatcher.stop();
    const controller = new AbortController();
    await w.dispatcher.start(controller.signal);
    const agent = await new Agent().open(w, '1');
    expect(status(w, '1').state).toBe('ready');
    controller.abort();
    expect(agent.endings).toEqual(['dispatcher stopped']);
  });
});

describe('reports', () => {
  const cases: readonly [string, TaskState, TaskState, TaskState][] = [
    ['higher states are taken', 'assigned', 'preparing', 'preparing'],
    ['lower states are ignored', 'running', 'preparing', 'running'],
    ['ends are taken', 'running', 'failed', 'failed'],
    ['nothing follows orphaned', 'orphaned', 'running', 'orphaned'],
    ['what the manager wrote first stays', 'rejected', 'running', 'rejected'],
  ];

  it.each(cases)('%s', async (_, known, seen, state) => {
    const w = await world('1');
    await w.cluster.task('t', { nodeId: '1', status: { state: known } });
    const agent = await new Agent().open(w, '1');
    await agent.report('t', seen);
    await w.cluster.clock.advance(100);
    expect(taskStatus(w, 't').state).toBe(state);
  });

  it('on unknown tasks are ignored, on tasks of others refused as a whole', async () => {
    const w = await world('1', '2');
    await w.cluster.task('mine', { nodeId: '1', status: { state: 'assigned' } });
    await w.cluster.task('other', { nodeId: '2', status: { state: 'assigned' } });
    await w.cluster.task('nobody', { status: { state: 'pending' } });
    const agent = await new Agent().open(w, '1');
    const one = { timestamp: 1, message: '', state: 'running' } as const;
    await agent.report('gone', 'running');
    for (const taskId of ['other', 'nobody']) {
      const both = agent.session.report([
        { ...one, taskId: 'mine' },
        { ...one, taskId },
      ]);
      expect(await refusal(both)).toBe('permission-denied');
    }
    expect(await refusal(agent.report('mine', 'orphaned'))).toBe('invalid-argument');
    expect(await refusal(agent.report('mine', 'remove'))).toBe('invalid-argument');
    const many = Array.from({ length: 1_025 }, () => ({ ...one, taskId: 'mine' }));
    expect(await refusal(agent.session.report(many))).toBe('invalid-argument');
    await w.cluster.clock.advance(100);
    expect(taskStatus(w, 'mine').state).toBe('assigned');
    expect(taskStatus(w, 'other').state).toBe('assigned');
  });

  it('are written together after 100 ms, with when the manager took notice', async () => {
    const w = await world('1');
    for (const id of ['a', 'b']) {
      await w.cluster.task(id, { nodeId: '1', status: { state: 'assigned' } });
    }
    const agent = await new Agent().open(w, '1');
    await w.cluster.clock.advance(1_000);
    const before = w.cluster.view.revision;
    const start = w.cluster.now;
    await agent.report('a', 'running', { container: { containerId: 'c' } });
    await w.cluster.clock.advance(60);
    await agent.report('a', 'failed', { container: { exitCode: 1 }, error: 'exit 1' });
    await agent.report('b', 'preparing');
    expect(w.dispatcher.pendingWrites).toBe(2);
    await w.cluster.clock.advance(40);
    expect(w.cluster.view.revision).toBe(before + 1);
    expect(taskStatus(w, 'a')).toMatchObject({
      state: 'failed',
      timestamp: 1,
      appliedAt: start + 60,
      runningAt: start,
      container: { containerId: 'c', exitCode: 1 },
      error: 'exit 1',
    });
    // A report alone is not sent back.
    await w.cluster.clock.advance(200);
    expect(agent.messages).toHaveLength(1);
  });
});

describe('acknowledgements', () => {
  it('are a watermark: never back, never ahead of what was sent', async () => {
    const w = await world('1');
    const agent = await new Agent().open(w, '1');
    const first = agent.messages[0]?.revision ?? 0;
    await w.cluster.task('t', { nodeId: '1', status: { state: 'assigned' } });
    await w.cluster.clock.advance(200);
    const second = agent.messages[1]?.revision ?? 0;
    expect(second).toBeGreaterThan(first);
    expect(status(w, '1').tables).toEqual({ appliedRevision: second });
    await agent.session.acknowledge({ appliedRevision: first });
    const ahead = agent.session.acknowledge({ appliedRevision: second + 1 });
    expect(await refusal(ahead)).toBe('invalid-argument');
    await w.cluster.clock.advance(200);
    expect(status(w, '1').tables).toEqual({ appliedRevision: second });
  });

  it('end the drain of a task: told, applied everywhere, written, told again', async () => {
    const w = await world('1', '2');
    const { cluster } = w;
    await cluster.network('net');
    await cluster.service('web', {}, { net: '10.0.1.2/24' });
    const place = (id: string, address: string) =>
      cluster.setNode(id, { networks: [{ networkId: 'net', address }] }, ACTORS.allocator);
    await place('1', '10.0.1.254/24');
    await place('2', '10.0.1.253/24');
    await cluster.task('t', { serviceId: 'web', nodeId: '1' }, { net: '10.0.1.3/24' });
    const one = await new Agent().open(w, '1');
    const two = await new Agent().open(w, '2');
    await cluster.endpoints('web');
    await cluster.clock.advance(300);
    two.acknowledges = false;
    await cluster.want('t', { desiredState: 'shutdown', stopBy: cluster.now + 10_000 });
    await cluster.endpoints('web');
    await cluster.clock.advance(300);
    await cluster.endpoints('web');
    expect(taskStatus(w, 't').drainedAt).toBeUndefined();
    await two.session.acknowledge({ appliedRevision: two.messages.at(-1)?.revision ?? 0 });
    await cluster.clock.advance(100);
    await cluster.endpoints('web');
    expect(taskStatus(w, 't').drainedAt).toBe(cluster.now);
    await cluster.clock.advance(100);
    expect(one.messages.at(-1)?.upserts).toMatchObject([
      { kind: 'task', key: 't', value: { isDrained: true, desiredState: 'shutdown' } },
    ]);
  });
});

describe('orphans', () => {
  const DAY = 24 * 60 * 60 * 1000;

  async function lost(): Promise<World & { readonly heardAt: number }> {
    const w = await world('1', '2');
    for (const [id, state] of [
      ['run', 'running'],
      ['new', 'assigned'],
      ['end', 'failed'],
    ] as const) {
      await w.cluster.task(id, { nodeId: '1', status: { state } });
    }
    await w.cluster.task('wait', { spec: { nodeId: '1' }, status: { state: 'pending' } });
    await new Agent().open(w, '1');
    const heardAt = w.cluster.now;
    await w.cluster.clock.advance(20_000);
    expect(status(w, '1').state).toBe('down');
    return { ...w, heardAt };
  }

  const states = (w: World) => ['run', 'new', 'end', 'wait'].map((id) => taskStatus(w, id).state);

  it('are made a day after the node was last heard of', async () => {
    const w = await lost();
    await w.cluster.clock.advanceTo(w.heardAt + DAY - 1);
    expect(states(w)).toEqual(['running', 'assigned', 'failed', 'pending']);
    await w.cluster.clock.advance(200);
    expect(states(w)).toEqual(['orphaned', 'orphaned', 'failed', 'pending']);
  });

  it('are made at that time whichever dispatcher runs', async () => {
    const w = await lost();
    await w.cluster.clock.advance(DAY / 2);
    await w.dispatcher.stop();
    await w.cluster.clock.advance(DAY / 4);
    await elect(w.cluster, 2);
    const next = dispatcherFor(w.cluster, 2);
    await next.start();
    await w.cluster.clock.advanceTo(w.heardAt + DAY - 1);
    expect(states(w)[0]).toBe('running');
    await w.cluster.clock.advance(200);
    expect(states(w)[0]).toBe('orphaned');
    await next.stop();
  });

  it('follow the setting of the cluster', async () => {
    const w = await lost();
    await w.cluster.cluster({ orphanAfterMs: 60_000 });
    await w.cluster.clock.advanceTo(w.heardAt + 60_200);
    expect(states(w)[0]).toBe('orphaned');
  });

  it('are not made while the node is back, though not READY yet', async () => {
    const w = await lost();
    const agent = new Agent();
    agent.acknowledges = false;
    await agent.open(w, '1');
    await w.cluster.cluster({ orphanAfterMs: 1_000 });
    await w.cluster.clock.advance(5_000);
    expect(status(w, '1').state).toBe('down');
    expect(states(w)[0]).toBe('running');
  });
});

describe('a watch that is lost', () => {
  it('is begun again, with everything for every node', async () => {
    const w = await worldIn(new TestCluster({ watcherBufferMax: 3 }), ['1', '2']);
    const agent = await new Agent().open(w, '1');
    const gone = await new Agent().open(w, '2');
    const burst = ['a', 'b', 'c', 'd'].map((id) =>
      w.cluster.task(id, { nodeId: '1', status: { state: 'assigned' } }),
    );
    burst.push(w.cluster.remove(Node, '2'));
    await Promise.all(burst);
    await w.cluster.clock.flush();
    expect(agent.messages.map(({ type }) => type)).toEqual(['complete', 'complete']);
    expect(agent.messages[1]?.upserts).toEqual(assignmentItems(w.cluster.view, '1'));
    expect(gone.endings).toEqual(['the node was removed from the cluster']);
    await w.cluster.remove(Task, 'a');
    await w.cluster.clock.advance(100);
    expect(agent.messages[2]?.removals).toEqual([{ kind: 'task', key: 'a' }]);
  });

  it('for good ends all sessions', async () => {
    const w = await world('1');
    const agent = await new Agent().open(w, '1');
    await w.cluster.store.close();
    await w.cluster.clock.flush();
    expect(agent.endings).toHaveLength(1);
    expect(w.dispatcher.sessions).toEqual([]);
    expect(w.cluster.clock.pending()).toEqual([]);
  });
});

describe('determinism', () => {
  it('gives the same sessions and periods for the same seed', async () => {
    const run = async () => {
      const w = await world('1', '2');
      const one = await new Agent().open(w, '1');
      const two = await new Agent().open(w, '2');
      const periods = [await one.session.heartbeat(), await two.session.heartbeat()];
      return [w.dispatcher.sessions, periods, w.cluster.view.revision];
    };
    expect(await run()).toEqual(await run());
  });
});
