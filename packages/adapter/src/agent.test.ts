import { describe, expect, it } from '@jest/globals';
import { isSkepError, SkepError } from '@skep/api';
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
import type { TaskStarted } from './contract.js';

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
