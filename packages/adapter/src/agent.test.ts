import { describe, expect, it } from '@jest/globals';
import {
  SkepError,
  type AssignedTask,
  type Assignment,
  type AssignmentItem,
  type NodeHello,
  type NodeLink,
  type NodeLinkHandlers,
  type NodeSession,
  type TaskReport,
} from '@skep/api';
import { seededRandom, VirtualClock } from '@skep/api/virtual';
import { Agent } from './agent.js';
import type { TaskHandle, TaskRuntime } from './contract.js';

/** A manager that remembers what it was told. */
class FakeLink implements NodeLink {
  readonly hellos: NodeHello[] = [];
  readonly reports: TaskReport[] = [];
  readonly acks: number[] = [];
  handlers: NodeLinkHandlers | undefined;
  isAway = false;

  open(hello: NodeHello, handlers: NodeLinkHandlers): Promise<NodeSession> {
    if (this.isAway) return Promise.reject(new SkepError('unavailable', 'away'));
    this.hellos.push(hello);
    this.handlers = handlers;
    const answer = <T>(value: T): Promise<T> =>
      this.isAway ? Promise.reject(new SkepError('unavailable', 'away')) : Promise.resolve(value);
    return Promise.resolve({
      sessionId: `s${this.hellos.length}`,
      heartbeatPeriodMs: 5_000,
      heartbeat: () => answer({ periodMs: 5_000 }),
      report: (reports) => {
        if (!this.isAway) this.reports.push(...reports);
        return answer(undefined);
      },
      acknowledge: ({ appliedRevision }) => {
        this.acks.push(appliedRevision);
        return answer(undefined);
      },
      describe: () => answer(undefined),
      close: () => Promise.resolve(),
    });
  }

  send(assignment: Partial<Assignment> & { revision: number }): void {
    this.handlers?.assignment({ type: 'complete', upserts: [], removals: [], ...assignment });
  }
}

function task(id: string, change: Partial<AssignedTask> = {}): AssignmentItem {
  const value: AssignedTask = {
    id,
    name: `web.1.${id}`,
    serviceName: 'web',
    serviceLabels: {},
    slot: 1,
    desiredState: 'running',
    template: {},
    networks: [],
    ports: [],
    genericResources: [],
    volumes: [],
    isDrained: false,
    knownState: 'assigned',
    ...change,
  };
  return { kind: 'task', key: id, value };
}

function setUp() {
  const clock = new VirtualClock();
  const link = new FakeLink();
  const removed: string[] = [];
  const known: string[] = [];
  const tables = { fail: false, applied: [] as number[] };
  const handle = (id: string): TaskHandle => ({
    prepare: () => Promise.resolve(),
    start: () => Promise.resolve({ container: {} }),
    wait: (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new SkepError('aborted', '')));
      }),
    shutdown: () => Promise.resolve(),
    remove: () => Promise.resolve(void removed.push(id)),
  });
  const runtime: TaskRuntime = {
    describe: () =>
      Promise.resolve({
        hostname: 'node1',
        platform: { os: 'linux', architecture: 'amd64' },
        resources: {},
        engine: { version: '1', labels: {} },
      }),
    task: ({ id }) => handle(id),
    known: () => Promise.resolve(known),
    close: () => Promise.resolve(),
  };
  const agent = new Agent({
    nodeId: 'n1',
    address: '192.168.50.11',
    link,
    runtime,
    dataplane: {
      apply: (state) => {
        if (tables.fail) return Promise.reject(new Error('no kernel'));
        tables.applied.push(state.revision);
        return Promise.resolve();
      },
      repair: () => Promise.resolve([]),
      close: () => Promise.resolve(),
    },
    resolver: { apply: () => Promise.resolve(), close: () => Promise.resolve() },
    clock,
    random: seededRandom(1),
  });
  const states = (): string[] => link.reports.map(({ taskId, state }) => `${taskId} ${state}`);
  return { clock, link, agent, removed, known, tables, states };
}

describe('Agent', () => {
  it('says what it is, applies tables, acknowledges them, then runs tasks', async () => {
    const { clock, link, agent, states } = setUp();
    await agent.start();
    await clock.flush();
    expect(link.hellos[0]).toMatchObject({ nodeId: 'n1', description: { hostname: 'node1' } });
    link.send({ revision: 5, upserts: [task('t1')] });
    await clock.flush();
    expect(link.acks).toEqual([5]);
    expect(states().at(-1)).toBe('t1 running');
    await agent.stop();
  });

  it('starts no task and acknowledges nothing before its tables are in place', async () => {
    const { clock, link, agent, states, tables } = setUp();
    tables.fail = true;
    await agent.start();
    await clock.flush();
    link.send({ revision: 5, upserts: [task('t1')] });
    await clock.advance(2_500);
    expect([link.acks, states()]).toEqual([[], []]);
    tables.fail = false;
    await clock.advance(1_000);
    expect(link.acks).toEqual([5]);
    expect(states().at(-1)).toBe('t1 running');
    await agent.stop();
  });

  it('opens another session when it sees a gap', async () => {
    const { clock, link, agent } = setUp();
    await agent.start();
    await clock.flush();
    link.send({ revision: 5 });
    await clock.flush();
    link.send({ type: 'incremental', appliesTo: 6, revision: 7 });
    await clock.advance(1_000);
    expect(link.hellos).toHaveLength(2);
    await agent.stop();
  });

  it('comes back after the manager was away, and says again what it knows', async () => {
    const { clock, link, agent, states } = setUp();
    await agent.start();
    await clock.flush();
    link.send({ revision: 5, upserts: [task('t1')] });
    await clock.flush();
    link.isAway = true;
    await clock.advance(60_000);
    link.isAway = false;
    const before = states().length;
    await clock.advance(10_000);
    expect(link.hellos).toHaveLength(2);
    expect(states().slice(before)).toEqual(['t1 running']);
    expect(link.acks.at(-1)).toBe(5);
    await agent.stop();
  });

  it('removes what left the assignment, and what an earlier agent left behind', async () => {
    const { clock, link, agent, removed, known } = setUp();
    known.push('old', 't1');
    await agent.start();
    await clock.flush();
    link.send({ revision: 5, upserts: [task('t1')] });
    await clock.flush();
    expect(removed).toEqual(['old']);
    const removals = [{ kind: 'task', key: 't1' }] as const;
    link.send({ type: 'incremental', appliesTo: 5, revision: 6, removals });
    await clock.flush();
    expect(removed).toEqual(['old', 't1']);
    await agent.stop();
  });

  it('leaves what runs alone when it stops', async () => {
    const { clock, link, agent, removed } = setUp();
    await agent.start();
    await clock.flush();
    link.send({ revision: 5, upserts: [task('t1')] });
    await clock.flush();
    await agent.stop();
    await clock.advance(60_000);
    expect(removed).toEqual([]);
  });
});
