import { describe, expect, it } from '@jest/globals';
import {
  isSkepError,
  SkepError,
  type AssignedNode,
  type NodeAnswer,
  type NodeQuestion,
} from '@skep/api';
import { seededRandom, VirtualClock } from '@skep/api/virtual';
import {
  byHand,
  DESCRIPTION,
  FakeDataplane,
  FakeLink,
  FakeRuntime,
  linesOf,
  taskItem,
} from './__fixtures__/fakes.js';
import { Agent } from './agent.js';
import type { TaskLogs, TaskStarted } from './contract.js';

const nodeItem: AssignedNode = {
  id: 'n1',
  name: 'node1',
  role: 'worker',
  availability: 'active',
  dnsTtlMs: 5_000,
  dataPathPort: 4789,
};

function setUp() {
  const clock = new VirtualClock();
  const link = new FakeLink();
  const runtime = new FakeRuntime();
  const dataplane = new FakeDataplane();
  const logger = linesOf();
  const agent = new Agent({
    nodeId: 'n1',
    address: '192.168.50.11',
    link,
    runtime,
    dataplane,
    resolver: { apply: () => Promise.resolve(), close: () => Promise.resolve() },
    clock,
    random: seededRandom(1),
    logger,
  });
  const states = (): string[] => link.reports.map(({ taskId, state }) => `${taskId} ${state}`);
  return { clock, link, runtime, dataplane, logger, agent, states };
}

/** An agent with a session, and perhaps a task that runs. */
async function started(...tasks: readonly string[]) {
  const parts = setUp();
  const { clock, link, agent } = parts;
  await agent.start();
  await clock.flush();
  link.send({ revision: 5, upserts: tasks.map((id) => taskItem(id)) });
  await clock.flush();
  return parts;
}

const removal = (...keys: readonly string[]) => keys.map((key) => ({ kind: 'task', key }) as const);

describe('Agent', () => {
  it('says what it is, applies tables, acknowledges them, then runs tasks', async () => {
    const { link, agent, states } = await started('t1');
    expect(link.hellos[0]).toMatchObject({ nodeId: 'n1', description: { hostname: 'node1' } });
    expect(link.acks).toEqual([5]);
    expect(agent.appliedRevision).toBe(5);
    expect(states().at(-1)).toBe('t1 running');
    await agent.stop();
  });

  it('starts no task and acknowledges nothing before its tables are in place', async () => {
    const { clock, link, agent, states, dataplane } = setUp();
    dataplane.fault = new Error('no kernel');
    await agent.start();
    await clock.flush();
    link.send({ revision: 5, upserts: [taskItem('t1')] });
    await clock.advance(2_500);
    expect([link.acks, states()]).toEqual([[], []]);
    dataplane.fault = undefined;
    await clock.advance(1_000);
    expect(link.acks).toEqual([5]);
    expect(states().at(-1)).toBe('t1 running');
    await agent.stop();
  });

  it('looks after what runs, and what has to end, though no table can be applied', async () => {
    const { clock, link, agent, states, dataplane, runtime } = setUp();
    dataplane.fault = new Error('no kernel');
    await agent.start();
    await clock.flush();
    const upserts = [
      taskItem('running', { knownState: 'running' }),
      taskItem('ending', { knownState: 'starting', desiredState: 'shutdown' }),
      taskItem('fresh'),
    ];
    link.send({ revision: 5, upserts });
    await clock.flush();
    expect([runtime.handle('running').calls, states()]).toEqual([['wait'], ['ending shutdown']]);
    const ends = [taskItem('fresh', { desiredState: 'remove' })];
    link.send({ type: 'incremental', appliesTo: 5, revision: 6, upserts: ends });
    await clock.flush();
    expect(states().at(-1)).toBe('fresh shutdown');
    await agent.stop();
  });

  it('opens another session when it sees a gap', async () => {
    const { clock, link, agent } = await started();
    link.send({ type: 'incremental', appliesTo: 6, revision: 7 });
    await clock.advance(1_000);
    expect(link.hellos).toHaveLength(2);
    await agent.stop();
  });

  it('comes back after the manager was away, and says again what it knows', async () => {
    const { clock, link, agent, states } = await started('t1');
    link.isAway = true;
    await clock.advance(60_000);
    link.isAway = false;
    const before = states().length;
    await clock.advance(10_000);
    expect(link.hellos).toHaveLength(2);
    expect(states().slice(before)).toEqual(['t1 running']);
    await agent.stop();
  });

  it('acknowledges nothing to a session that has said nothing yet', async () => {
    const { clock, link, agent } = await started('t1');
    link.handlers?.closed('the manager restarts');
    await clock.advance(1_000);
    expect([link.hellos.length, link.acks]).toEqual([2, [5]]);
    link.send({ revision: 9, upserts: [taskItem('t1')] });
    await clock.flush();
    expect([link.hellos.length, link.acks]).toEqual([2, [5, 9]]);
    await agent.stop();
  });

  it('says what it is again when that changes', async () => {
    const { clock, link, runtime, agent } = await started();
    await clock.advance(20_000);
    expect(link.descriptions).toEqual([]);
    runtime.description = { ...DESCRIPTION, resources: { cpuNanos: 8e9 } };
    await clock.advance(20_000);
    await clock.advance(20_000);
    expect(link.descriptions).toEqual([runtime.description]);
    runtime.describe = () => Promise.reject(new Error('the engine does not answer'));
    await clock.advance(20_000);
    expect(link.closed).toEqual(['s1']);
    await agent.stop();
  });

  it('lives once', async () => {
    const { agent } = await started();
    const again = agent.start().catch((error: unknown) => error);
    expect(isSkepError(await again, 'failed-precondition')).toBe(true);
    await agent.stop();
    const after = agent.start().catch((error: unknown) => error);
    expect(isSkepError(await after, 'failed-precondition')).toBe(true);
  });
});

describe('Agent, reports', () => {
  it('waits on a new session for no answer of the old one', async () => {
    const { clock, link, runtime, agent, states } = await started('t1');
    link.reportCalls.push(() => byHand().promise);
    runtime.handle('t1').exit({ exitCode: 1 });
    await clock.flush();
    link.handlers?.closed('connection reset');
    await clock.advance(1_000);
    expect(states().at(-1)).toBe('t1 failed');
    await agent.stop();
  });

  it('keeps its session when a call of an earlier one fails late', async () => {
    const { clock, link, runtime, agent } = await started('t1');
    const late = byHand();
    link.reportCalls.push(() => late.promise);
    runtime.handle('t1').exit({ exitCode: 1 });
    await clock.flush();
    link.handlers?.closed('connection reset');
    await clock.advance(1_000);
    late.reject(new SkepError('unavailable', 'the manager does not answer'));
    await clock.advance(10_000);
    expect(link.hellos).toHaveLength(2);
    await agent.stop();
  });

  it('says what it knows on the session that opens in the very turn it has news', async () => {
    const { clock, link, runtime, agent, states } = await started('t1');
    const opening = byHand();
    link.opens.push(() => opening.promise);
    link.handlers?.closed('connection reset');
    await clock.advance(1_000);
    runtime.handle('t1').exit({ exitCode: 1 });
    opening.resolve();
    await clock.flush();
    expect(states().at(-1)).toBe('t1 failed');
    await agent.stop();
  });

  it('reports nothing of a task that it was told to remove', async () => {
    const { clock, link, runtime, agent, states } = await started('t1');
    const before = states().length;
    runtime.handle('t1').exit({ exitCode: 1 });
    link.send({ type: 'incremental', appliesTo: 5, revision: 6, removals: removal('t1') });
    await clock.flush();
    expect(states().slice(before)).toEqual([]);
    await agent.stop();
  });
});

describe('Agent, removals', () => {
  it('removes what left the assignment, and what an earlier agent left behind', async () => {
    const { clock, link, runtime, agent } = setUp();
    runtime.known = () => Promise.resolve(['old', 't1']);
    await agent.start();
    await clock.flush();
    link.send({ revision: 5, upserts: [taskItem('t1')] });
    await clock.flush();
    expect(runtime.handle('old').calls).toEqual(['remove']);
    expect(runtime.handle('t1').calls).not.toContain('remove');
    link.send({ type: 'incremental', appliesTo: 5, revision: 6, removals: removal('t1') });
    await clock.flush();
    expect(runtime.handle('t1').calls.at(-1)).toBe('remove');
    await agent.stop();
  });

  it('removes what an earlier agent left of a task that is unassigned before it is started', async () => {
    const { clock, link, runtime, dataplane, agent } = setUp();
    runtime.known = () => Promise.resolve(['t1']);
    const slow = byHand();
    dataplane.applies.push(() => slow.promise);
    await agent.start();
    await clock.flush();
    link.send({ revision: 5, upserts: [taskItem('t1')] });
    await clock.flush();
    expect(runtime.handles.size).toBe(0);
    link.send({ type: 'incremental', appliesTo: 5, revision: 6, removals: removal('t1') });
    await clock.flush();
    expect(runtime.handle('t1').calls).toEqual(['remove']);
    slow.resolve();
    await agent.stop();
  });

  it('asks again when the runtime does not know what it runs', async () => {
    const { clock, link, runtime, logger, agent } = setUp();
    runtime.known = () => Promise.reject(new Error('the engine does not answer'));
    await agent.start();
    await clock.flush();
    link.send({ revision: 5 });
    await clock.advance(1_500);
    expect(logger.lines).toContain(
      'the tasks of this node are not known: the engine does not answer',
    );
    runtime.known = () => Promise.resolve(['old']);
    await clock.advance(1_000);
    expect(runtime.handle('old').calls).toEqual(['remove']);
    await agent.stop();
    expect(clock.pending()).toEqual([]);
  });

  it('removes every leftover though one of them cannot be, and tries that again', async () => {
    const { clock, link, runtime, agent } = setUp();
    runtime.known = () => Promise.resolve(['stuck', 'old']);
    runtime.handle('stuck').removes.push(() => Promise.reject(new Error('device busy')));
    await agent.start();
    await clock.flush();
    link.send({ revision: 5 });
    await clock.flush();
    expect(runtime.handle('old').calls).toEqual(['remove']);
    await clock.advance(1_000);
    expect(runtime.handle('stuck').calls).toEqual(['remove', 'remove']);
    await agent.stop();
  });

  it('removes what a failed stop left running, however often that takes', async () => {
    const { clock, link, runtime, agent, states } = await started('t1');
    const handle = runtime.handle('t1');
    handle.shutdowns.push(() => Promise.reject(new SkepError('internal', 'cannot kill')));
    const busy = (): Promise<void> => Promise.reject(new SkepError('internal', 'device busy'));
    handle.removes.push(busy, busy);
    const ends = [taskItem('t1', { desiredState: 'shutdown' })];
    link.send({ type: 'incremental', appliesTo: 5, revision: 6, upserts: ends });
    await clock.flush();
    expect(states().at(-1)).toBe('t1 failed');
    // A manager takes a task that ended, and was to end, out of the assignment.
    link.send({ type: 'incremental', appliesTo: 6, revision: 7, removals: removal('t1') });
    await clock.advance(3_000);
    expect(handle.calls.filter((call) => call === 'remove')).toHaveLength(3);
    await agent.stop();
    expect(clock.pending()).toEqual([]);
  });

  it('starts a task that is assigned again only when its earlier life is gone', async () => {
    const { clock, link, runtime, agent, states } = await started('t1');
    const handle = runtime.handle('t1');
    const slow = byHand();
    handle.removes.push(() => slow.promise);
    link.send({ type: 'incremental', appliesTo: 5, revision: 6, removals: removal('t1') });
    link.send({ type: 'incremental', appliesTo: 6, revision: 7, upserts: [taskItem('t1')] });
    await clock.flush();
    expect(handle.calls.at(-1)).toBe('remove');
    slow.resolve();
    await clock.flush();
    expect(handle.calls.slice(-4)).toEqual(['remove', 'prepare', 'start', 'wait']);
    expect([states().at(-1), handle.overlaps]).toEqual(['t1 running', 0]);
    await agent.stop();
  });

  it('removes a task in the middle of its start after that has ended', async () => {
    const { clock, link, runtime, agent } = setUp();
    const handle = runtime.handle('t1');
    const slow = byHand<TaskStarted>();
    handle.starts.push(() => slow.promise);
    await agent.start();
    await clock.flush();
    link.send({ revision: 5, upserts: [taskItem('t1')] });
    await clock.flush();
    link.send({ type: 'incremental', appliesTo: 5, revision: 6, removals: removal('t1') });
    await clock.flush();
    expect(handle.calls).not.toContain('remove');
    slow.resolve({ container: {} });
    await clock.flush();
    expect([handle.calls.at(-1), handle.overlaps]).toEqual(['remove', 0]);
    await agent.stop();
  });
});

describe('Agent, between assignments and tables', () => {
  it('starts no task that left before its tables were in place', async () => {
    const { clock, link, runtime, dataplane, agent } = setUp();
    const slow = byHand();
    dataplane.applies.push(() => slow.promise);
    await agent.start();
    await clock.flush();
    link.send({ revision: 5, upserts: [taskItem('t1'), taskItem('t2')] });
    await clock.flush();
    link.send({ type: 'incremental', appliesTo: 5, revision: 6, removals: removal('t1') });
    slow.resolve();
    await clock.flush();
    expect(runtime.handle('t1').calls).toEqual(['remove']);
    expect(runtime.handle('t2').calls).toContain('start');
    await agent.stop();
  });

  it('starts a task that left and came back with the tables it came back with', async () => {
    const { clock, link, runtime, dataplane, agent } = setUp();
    const [first, second] = [byHand(), byHand()];
    dataplane.applies.push(
      () => first.promise,
      () => second.promise,
    );
    await agent.start();
    await clock.flush();
    link.send({ revision: 5, upserts: [taskItem('t1')] });
    await clock.flush();
    link.send({ type: 'incremental', appliesTo: 5, revision: 6, removals: removal('t1') });
    link.send({ type: 'incremental', appliesTo: 6, revision: 7, upserts: [taskItem('t1')] });
    first.resolve();
    await clock.flush();
    expect(link.acks).toEqual([5]);
    expect(runtime.handle('t1').calls).toEqual(['remove']);
    second.resolve();
    await clock.flush();
    expect(link.acks).toEqual([5, 7]);
    expect(runtime.handle('t1').calls).toContain('start');
    await agent.stop();
  });

  it('starts a waiting task with what is newest, as soon as its first tables are in place', async () => {
    const { clock, link, runtime, dataplane, agent } = setUp();
    const [first, second] = [byHand(), byHand()];
    dataplane.applies.push(
      () => first.promise,
      () => second.promise,
    );
    await agent.start();
    await clock.flush();
    link.send({ revision: 5, upserts: [taskItem('t1')] });
    await clock.flush();
    const held = [taskItem('t1', { desiredState: 'ready' })];
    link.send({ type: 'incremental', appliesTo: 5, revision: 6, upserts: held });
    first.resolve();
    await clock.flush();
    expect(runtime.handle('t1').calls).toEqual(['prepare']);
    second.resolve();
    await agent.stop();
  });

  it('rejects a task that the runtime does not take, and starts the others', async () => {
    const { clock, link, runtime, agent, states, logger } = setUp();
    runtime.refused.add('t1');
    await agent.start();
    await clock.flush();
    link.send({ revision: 5, upserts: [taskItem('t1'), taskItem('t2')] });
    await clock.advance(5_000);
    expect(states()).toEqual(expect.arrayContaining(['t1 rejected', 't2 running']));
    expect(link.reports.find(({ state }) => state === 'rejected')?.error).toBe(
      'no such mount type',
    );
    expect([link.acks, logger.lines]).toEqual([[5], []]);
    link.send({ type: 'incremental', appliesTo: 5, revision: 6, removals: removal('t1') });
    await clock.flush();
    await agent.stop();
    expect(clock.pending()).toEqual([]);
  });
});

describe('Agent, the end', () => {
  it('leaves what runs alone when it stops', async () => {
    const { clock, runtime, agent } = await started('t1');
    await agent.stop();
    await clock.advance(60_000);
    expect(runtime.handle('t1').calls).toEqual(['prepare', 'start', 'wait']);
    expect(clock.pending()).toEqual([]);
  });

  it('waits for the tables that are being applied', async () => {
    const { clock, link, dataplane, agent } = await started();
    const slow = byHand();
    dataplane.applies.push(() => slow.promise);
    link.send({ type: 'incremental', appliesTo: 5, revision: 6, upserts: [taskItem('t1')] });
    let isStopped = false;
    const stopped = agent.stop().then(() => (isStopped = true));
    await clock.flush();
    expect(isStopped).toBe(false);
    slow.resolve();
    await stopped;
    expect(link.acks).toEqual([5]);
    await clock.advance(60_000);
    expect(clock.pending()).toEqual([]);
  });

  it('starts nothing afterwards, though a removal ends then', async () => {
    const { clock, link, runtime, agent } = await started('t1');
    const handle = runtime.handle('t1');
    const slow = byHand();
    handle.removes.push(() => slow.promise);
    link.send({ type: 'incremental', appliesTo: 5, revision: 6, removals: removal('t1') });
    link.send({ type: 'incremental', appliesTo: 6, revision: 7, upserts: [taskItem('t1')] });
    await clock.flush();
    await agent.stop();
    slow.resolve();
    await clock.advance(60_000);
    expect(handle.calls.at(-1)).toBe('remove');
    expect(clock.pending()).toEqual([]);
  });

  it('looks at itself no more, though it was looking when it stopped', async () => {
    const { clock, link, runtime, agent } = await started();
    const slow = byHand<typeof DESCRIPTION>();
    runtime.describe = () => slow.promise;
    await clock.advance(20_000);
    await agent.stop();
    slow.resolve({ ...DESCRIPTION, hostname: 'other' });
    await clock.advance(60_000);
    expect([link.descriptions, clock.pending()]).toEqual([[], []]);
  });

  it('leaves nothing behind when it stops before it has a session', async () => {
    const { clock, link, agent } = setUp();
    const slow = byHand();
    link.opens.push(() => slow.promise);
    await agent.start();
    await clock.flush();
    await agent.stop();
    slow.resolve();
    await clock.advance(60_000);
    expect([link.closed, clock.pending()]).toEqual([['s1'], []]);
  });
});

describe('questions', () => {
  async function answersOf(link: FakeLink, question: NodeQuestion): Promise<readonly NodeAnswer[]> {
    const answers: NodeAnswer[] = [];
    const signal = new AbortController().signal;
    for await (const one of link.handlers?.ask?.(question, signal) ?? []) answers.push(one);
    return answers;
  }

  it('about tables: everything that is assigned, but no secret', async () => {
    const { clock, link, agent } = await started('t2', 't1');
    const file = { id: 's1', name: 's1', data: 'c2VjcmV0' };
    link.send({
      type: 'incremental',
      appliesTo: 5,
      revision: 6,
      upserts: [
        { kind: 'secret', key: 's1', value: file },
        { kind: 'config', key: 's1', value: file },
        { kind: 'node', key: 'n1', value: nodeItem },
      ],
    });
    await clock.flush();
    const [answer, ...others] = await answersOf(link, { type: 'tables' });
    expect(others).toEqual([]);
    expect(answer).toMatchObject({
      type: 'tables',
      appliedRevision: 6,
      assignment: { type: 'complete', revision: 6, removals: [] },
    });
    const items = answer?.type === 'tables' ? answer.assignment.upserts : [];
    expect(items.map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      'node n1',
      'task t1',
      'task t2',
    ]);
    expect(JSON.stringify(answer)).not.toContain(file.data);
    await agent.stop();
  });

  it('about logs: what the runtime has, and the faults of those it has not', async () => {
    const { link, agent, runtime } = await started('t1');
    const logs: TaskLogs['logs'] = async function* (taskId) {
      if (taskId !== 't1') throw new SkepError('not-found', `no task ${taskId}`);
      yield { time: 1, stream: 'stderr', text: 'hello' };
    };
    Object.assign(runtime, { logs });
    expect(await answersOf(link, { type: 'logs', taskIds: ['t1', 't9'] })).toEqual([
      { type: 'fault', taskId: 't9', code: 'not-found', message: 'no task t9' },
      { type: 'line', taskId: 't1', time: 1, stream: 'stderr', text: 'hello' },
    ]);
    await agent.stop();
  });

  it('about logs that no runtime keeps are refused', async () => {
    const { link, agent } = await started('t1');
    const asking = answersOf(link, { type: 'logs', taskIds: ['t1'] });
    await expect(asking).rejects.toMatchObject({ code: 'unimplemented' });
    await agent.stop();
  });
});

describe('notices', () => {
  const textsOf = ({ notices }: FakeLink): readonly string[] =>
    notices.map(({ reason, message }) => `${reason}: ${message}`);

  it('tell what was repaired, once a session is there', async () => {
    const { clock, link, agent, dataplane } = await started();
    dataplane.repair = () => Promise.resolve(['br0 is down']);
    link.isAway = true;
    await clock.advance(35_000);
    expect(textsOf(link)).toEqual([]);
    link.isAway = false;
    dataplane.repair = () => Promise.resolve([]);
    await clock.advance(60_000);
    expect(textsOf(link)).toEqual(['TablesRepaired: 1 difference put right: br0 is down']);
    await agent.stop();
  });

  it('tell that tables cannot be applied once, however often it is tried, and when they are', async () => {
    const { clock, link, agent, dataplane } = await started();
    dataplane.fault = new Error('no kernel');
    link.send({ type: 'incremental', appliesTo: 5, revision: 6 });
    await clock.advance(120_000);
    expect(textsOf(link)).toEqual(['TablesNotApplied: no kernel']);
    dataplane.fault = undefined;
    await clock.advance(60_000);
    expect(textsOf(link).slice(1)).toEqual(['TablesApplied: tables are applied again']);
    await agent.stop();
  });

  it('tell what a new agent goes on with, and what it found left over', async () => {
    const { clock, link, agent, runtime } = setUp();
    runtime.known = () => Promise.resolve(['t1', 't2', 't3', 't9']);
    await agent.start();
    await clock.flush();
    link.send({
      revision: 5,
      upserts: [
        taskItem('t1', { knownState: 'running' }),
        taskItem('t2', { knownState: 'assigned' }),
        taskItem('t3', { knownState: 'failed', desiredState: 'shutdown' }),
      ],
    });
    await clock.advance(2_000);
    expect(textsOf(link)).toEqual([
      'TasksAdopted: the agent started and goes on with 1 task: web.1.t1',
      'LeftoversRemoved: 1 task found that the node is not assigned, to be removed: t9',
    ]);
    // Another session of the same agent finds nothing new.
    runtime.known = () => Promise.resolve(['t1', 't2', 't3']);
    link.handlers?.closed('replaced');
    await clock.advance(1_000);
    link.send({ revision: 6, upserts: [taskItem('t1', { knownState: 'running' })] });
    await clock.advance(60_000);
    expect(link.notices).toHaveLength(2);
    await agent.stop();
  });
});
