import { describe, expect, it } from '@jest/globals';
import { ACTORS, Node, SkepError, Task, silentLogger, type TaskState } from '@skep/api';
import type { CommitResult, Store, Transaction } from '@skep/store';
import { TestCluster } from '../endpoints/__fixtures__/cluster.js';
import { STATUS_BATCH_MAX, STATUS_DELAY_MS, StatusWriter } from './status-writer.js';
import { observationOf } from './task-observation.js';

/** A writer on a store whose commits may be interfered with. */
function setUp(
  cluster: TestCluster,
  interfere: (commits: number, transaction: Transaction) => Promise<void> | void = () => undefined,
) {
  const commits: Transaction[] = [];
  let conflicts = 0;
  let losses = 0;
  const store: Store = Object.create(cluster.store) as Store;
  store.view = () => cluster.store.view();
  store.waitFor = (revision) => cluster.store.waitFor(revision);
  store.commit = async (transaction): Promise<CommitResult> => {
    commits.push(transaction);
    await interfere(commits.length, transaction);
    return cluster.store.commit(transaction);
  };
  const writer = new StatusWriter({
    store,
    clock: cluster.clock,
    logger: silentLogger,
    conflicts: { add: (value) => (conflicts += value) },
    fence: [],
    onFenceLost: () => (losses += 1),
  });
  const report = (taskId: string, state: TaskState): void =>
    writer.task(
      taskId,
      observationOf({ taskId, state, timestamp: cluster.now, message: state }, cluster.now),
    );
  return { writer, report, commits, counts: () => ({ conflicts, losses }) };
}

async function withTasks(count: number): Promise<TestCluster> {
  const cluster = new TestCluster();
  await cluster.node('1');
  for (let at = 0; at < count; at += 1) {
    await cluster.task(`t${at}`, { nodeId: '1', status: { state: 'assigned' } });
  }
  return cluster;
}

const stateOf = (cluster: TestCluster, id: string): string => cluster.get(Task, id).status.state;

describe('StatusWriter', () => {
  it('writes a batch after 100 ms, in commits of at most 200 changes', async () => {
    const cluster = await withTasks(250);
    const { writer, report, commits } = setUp(cluster);
    for (let at = 0; at < 250; at += 1) report(`t${at}`, 'running');
    writer.node('1', { appliedRevision: 5 });
    await cluster.clock.advance(STATUS_DELAY_MS - 1);
    expect(commits).toHaveLength(0);
    await cluster.clock.advance(1);
    expect(commits.map(({ changes }) => changes.length)).toEqual([200, 51]);
    expect(commits[0]?.actor).toBe(ACTORS.dispatcher);
    expect(cluster.get(Node, '1').status.tables).toEqual({ appliedRevision: 5 });
    expect(writer.size).toBe(0);
  });

  it('writes at once when 10,000 wait', async () => {
    const cluster = await withTasks(1);
    const { writer, report, commits } = setUp(cluster);
    report('t0', 'running');
    for (let at = 0; at < STATUS_BATCH_MAX - 2; at += 1) report(`gone${at}`, 'running');
    await cluster.clock.flush();
    expect(commits).toHaveLength(0);
    report('last', 'running');
    await cluster.clock.flush();
    expect(commits).toHaveLength(1);
    expect(writer.size).toBe(0);
  });

  it('tries again on a newer view when another loop was first, and loses nothing', async () => {
    const cluster = await withTasks(3);
    const { report, commits, counts } = setUp(cluster, async (attempt) => {
      if (attempt <= 3) await cluster.want(`t${attempt - 1}`, { stopBy: attempt });
    });
    for (const id of ['t0', 't1', 't2']) report(id, 'running');
    await cluster.clock.advance(STATUS_DELAY_MS);
    expect(commits).toHaveLength(4);
    expect(counts().conflicts).toBe(3);
    for (const id of ['t0', 't1', 't2']) {
      expect(stateOf(cluster, id)).toBe('running');
      expect(cluster.get(Task, id).spec.stopBy).toBeDefined();
    }
  });

  it('puts back what meets conflicts all the time, and takes newer reports with it', async () => {
    const cluster = await withTasks(1);
    let isBusy = true;
    const { writer, report, commits } = setUp(cluster, async (attempt) => {
      if (isBusy) await cluster.want('t0', { stopBy: attempt });
    });
    report('t0', 'running');
    await cluster.clock.advance(STATUS_DELAY_MS);
    expect([commits.length, writer.size]).toEqual([10, 1]);
    report('t0', 'failed');
    isBusy = false;
    await cluster.clock.advance(STATUS_DELAY_MS);
    expect(cluster.get(Task, 't0').status).toMatchObject({ state: 'failed' });
    expect(cluster.get(Task, 't0').status.runningAt).toBe(cluster.now - 2 * STATUS_DELAY_MS);
  });

  it('drops what is about objects that are gone', async () => {
    const cluster = await withTasks(2);
    const { writer, report } = setUp(cluster, async (attempt) => {
      if (attempt === 1) await cluster.remove(Task, 't0');
    });
    report('t0', 'running');
    report('t1', 'running');
    await cluster.clock.advance(STATUS_DELAY_MS);
    expect(stateOf(cluster, 't1')).toBe('running');
    expect(writer.size).toBe(0);
  });

  it('waits a second when the store fails, with everything', async () => {
    const cluster = await withTasks(201);
    const { writer, report, commits } = setUp(cluster, (attempt) => {
      if (attempt === 1) throw new SkepError('unavailable', 'away');
    });
    for (let at = 0; at < 201; at += 1) report(`t${at}`, 'running');
    await cluster.clock.advance(STATUS_DELAY_MS);
    expect(writer.size).toBe(201);
    await cluster.clock.advance(999);
    expect(commits).toHaveLength(1);
    await cluster.clock.advance(1);
    expect(writer.size).toBe(0);
    expect(stateOf(cluster, 't200')).toBe('running');
  });

  it('gives up when the lease is lost', async () => {
    const cluster = await withTasks(1);
    const { writer, report, counts } = setUp(cluster, (_, transaction) => {
      const fence = { type: 'lease', id: 'lease', holder: 'me', term: 1 } as const;
      Object.assign(transaction, { expect: [fence] });
    });
    report('t0', 'running');
    await cluster.clock.advance(STATUS_DELAY_MS);
    expect(counts().losses).toBe(1);
    expect(stateOf(cluster, 't0')).toBe('assigned');
    expect(writer.size).toBe(0);
    expect(() => report('t0', 'running')).toThrow('takes no more reports');
    expect(cluster.clock.pending()).toEqual([]);
  });

  it('never lowers the watermark of a node', async () => {
    const cluster = await withTasks(0);
    const { writer, commits } = setUp(cluster);
    writer.node('1', { appliedRevision: 9 });
    writer.node('1', { appliedRevision: 7 });
    await writer.flush();
    writer.node('1', { appliedRevision: 8 });
    await writer.flush();
    expect(cluster.get(Node, '1').status.tables).toEqual({ appliedRevision: 9 });
    // What changes nothing is not written.
    expect(commits).toHaveLength(1);
  });
});
