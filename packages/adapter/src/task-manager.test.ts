import { describe, expect, it } from '@jest/globals';
import { SkepError, type AssignedTask, type TaskReport } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { assignedTask, byHand, FakeHandle, untilAborted } from './__fixtures__/fakes.js';
import type { TaskStarted } from './contract.js';
import { TaskManager } from './task-manager.js';

function setUp(
  change: Partial<AssignedTask> = {},
  arrange: (handle: FakeHandle) => void = () => undefined,
) {
  const clock = new VirtualClock();
  const handle = new FakeHandle();
  arrange(handle);
  const reports: TaskReport[] = [];
  const task = assignedTask('t1', change);
  const report = (one: TaskReport): void => void reports.push(one);
  const manager = new TaskManager({ task, handle, clock, report });
  manager.start();
  return { clock, handle, reports, manager, task, states: () => reports.map(({ state }) => state) };
}

const refuse = (error: Error) => () => Promise.reject(error);
const away = refuse(new SkepError('unavailable', 'the engine is away'));

describe('TaskManager', () => {
  it('drives a task through its states to running and reports each', async () => {
    const { clock, states, reports, handle } = setUp();
    await clock.flush();
    expect(states()).toEqual(['accepted', 'preparing', 'ready', 'starting', 'running']);
    expect(reports.at(-1)?.container).toEqual({ containerId: 'c1', pid: 7 });
    handle.exit({ exitCode: 0 });
    await clock.flush();
    expect(states().at(-1)).toBe('complete');
  });

  it('waits at ready until it is released', async () => {
    const { clock, states, manager, task } = setUp({ desiredState: 'ready' });
    await clock.flush();
    expect(states().at(-1)).toBe('ready');
    manager.update({ ...task, desiredState: 'running' });
    await clock.flush();
    expect(states().at(-1)).toBe('running');
  });

  it('reports a non-zero exit as failed, with the code beside what was known', async () => {
    const { clock, reports, handle } = setUp();
    await clock.flush();
    handle.exit({ exitCode: 3 });
    await clock.flush();
    expect(reports.at(-1)).toMatchObject({
      state: 'failed',
      error: 'task: non-zero exit (3)',
      container: { containerId: 'c1', exitCode: 3 },
    });
  });

  it('reports why it ended rather than its exit code, even if that is 0', async () => {
    const { clock, reports, handle } = setUp();
    await clock.flush();
    handle.exit({ exitCode: 0, error: 'unhealthy container' });
    await clock.flush();
    expect(reports.at(-1)).toMatchObject({ state: 'failed', error: 'unhealthy container' });
  });

  it('passes on host ports as the node bound them, in every report from then on', async () => {
    const { clock, reports, handle } = setUp();
    const port = { name: '', protocol: 'tcp', targetPort: 80, publishedPort: 32_768 } as const;
    const hostPorts = [{ ...port, publishMode: 'host' as const }];
    handle.starts.push(() => Promise.resolve({ container: {}, hostPorts }));
    await clock.flush();
    handle.exit({ exitCode: 0 });
    await clock.flush();
    expect(reports.slice(-2).map((report) => report.hostPorts)).toEqual([hostPorts, hostPorts]);
  });

  it('ignores a desired state that moves down', async () => {
    const { clock, states, manager, task } = setUp();
    await clock.flush();
    manager.update({ ...task, desiredState: 'shutdown', isDrained: true });
    await clock.flush();
    manager.update({ ...task, desiredState: 'running' });
    await clock.flush();
    expect(states().at(-1)).toBe('shutdown');
    expect(manager.task.desiredState).toBe('shutdown');
  });

  it.each<[AssignedTask['knownState'], string[]]>([
    ['accepted', ['prepare', 'start', 'wait']],
    ['ready', ['start', 'wait']],
    ['starting', ['start', 'wait']],
    ['running', ['wait']],
    ['complete', []],
    ['failed', []],
    ['orphaned', []],
  ])('goes on from %s when an agent starts afresh', async (knownState, calls) => {
    const { clock, handle, manager } = setUp({ knownState });
    await clock.flush();
    expect(handle.calls).toEqual(calls);
    manager.close();
  });
});

describe('TaskManager, the end of a task', () => {
  it('stops a running task when its tables have let go, not before', async () => {
    const { clock, handle, states, manager, task } = setUp();
    await clock.flush();
    const leaving = { ...task, desiredState: 'shutdown', stopBy: clock.now() + 5_000 } as const;
    manager.update(leaving);
    await clock.advance(1_000);
    expect(handle.calls).not.toContain('shutdown');
    manager.update({ ...leaving, isDrained: true });
    await clock.flush();
    expect(states().at(-1)).toBe('shutdown');
    expect(clock.pending()).toEqual([]);
  });

  it('stops a running task at its time though tables did not let go', async () => {
    const { clock, states, manager, task } = setUp();
    await clock.flush();
    manager.update({ ...task, desiredState: 'shutdown', stopBy: clock.now() + 5_000 });
    await clock.advance(5_000);
    expect(states().at(-1)).toBe('shutdown');
  });

  it('takes an exit during the drain for what it is', async () => {
    const { clock, handle, states, manager, task } = setUp();
    await clock.flush();
    manager.update({ ...task, desiredState: 'shutdown', stopBy: clock.now() + 5_000 });
    handle.exit({ exitCode: 1 });
    await clock.advance(60_000);
    expect(states().at(-1)).toBe('failed');
    expect(handle.calls).not.toContain('shutdown');
  });

  it.each(['prepare', 'start'] as const)(
    'aborts a %s under way when the task has to end, and reports nothing of it',
    async (step) => {
      const { clock, handle, states, manager, task } = setUp({}, ({ prepares, starts }) => {
        if (step === 'prepare') prepares.push(untilAborted);
        else starts.push(untilAborted);
      });
      await clock.flush();
      manager.update({ ...task, desiredState: 'shutdown' });
      await clock.flush();
      expect(handle.calls.slice(-2)).toEqual([step, 'shutdown']);
      expect([states().at(-1), handle.overlaps]).toEqual(['shutdown', 0]);
    },
  );

  it('takes what an aborted operation achieved for nothing', async () => {
    const { clock, handle, states, manager, task } = setUp();
    const slow = byHand<TaskStarted>();
    handle.starts.push(() => slow.promise);
    await clock.flush();
    manager.update({ ...task, desiredState: 'remove' });
    await clock.flush();
    expect(handle.calls).not.toContain('shutdown');
    slow.resolve({ container: { containerId: 'c9' } });
    await clock.flush();
    expect(states().slice(-2)).toEqual(['starting', 'shutdown']);
    expect(handle.overlaps).toBe(0);
  });

  it('goes on with an operation when an update changes nothing about it', async () => {
    const slow = byHand();
    const { clock, handle, states, manager, task } = setUp({}, ({ prepares }) => {
      prepares.push(() => slow.promise);
    });
    await clock.flush();
    manager.update({ ...task, serviceLabels: { tier: 'front' } });
    slow.resolve();
    await clock.flush();
    expect(states().at(-1)).toBe('running');
    expect(handle.calls.filter((call) => call === 'prepare')).toHaveLength(1);
  });

  it('removes after the operation under way has ended, never beside it', async () => {
    const { clock, handle, manager, states } = setUp();
    const slow = byHand<TaskStarted>();
    handle.starts.push(() => slow.promise);
    await clock.flush();
    const removed = manager.remove();
    await clock.flush();
    expect(handle.calls).not.toContain('remove');
    slow.resolve({ container: {} });
    await removed;
    expect(handle.calls.slice(-2)).toEqual(['start', 'remove']);
    expect([states().at(-1), handle.overlaps]).toEqual(['starting', 0]);
  });

  it('says that a removal failed, and can be asked again', async () => {
    const { clock, handle, manager } = setUp();
    handle.removes.push(refuse(new SkepError('internal', 'device busy')));
    await clock.flush();
    await expect(manager.remove()).rejects.toThrow('device busy');
    await manager.remove();
    expect(handle.calls.filter((call) => call === 'remove')).toHaveLength(2);
  });
});

describe('TaskManager, faults', () => {
  it.each<['prepares' | 'starts' | 'waits' | 'shutdowns', string]>([
    ['prepares', 'rejected'],
    ['starts', 'failed'],
    ['waits', 'failed'],
    ['shutdowns', 'failed'],
  ])('ends a task for good when one of its %s fails for good: %s', async (step, expected) => {
    const fault = new SkepError('not-found', 'no such thing', { details: { exitCode: 125 } });
    const arrange = (one: FakeHandle): void => void one[step].push(refuse(fault));
    const { clock, handle, reports, manager, task } = setUp({}, arrange);
    await clock.flush();
    if (step === 'shutdowns') manager.update({ ...task, desiredState: 'shutdown' });
    await clock.advance(60_000);
    expect(reports.at(-1)).toMatchObject({
      state: expected,
      error: 'no such thing',
      container: { exitCode: 125 },
    });
    const before = handle.calls.length;
    manager.update({ ...task, desiredState: 'remove' });
    await clock.advance(60_000);
    expect([handle.calls.length, clock.pending()]).toEqual([before, []]);
  });

  it.each<['prepares' | 'starts' | 'shutdowns', string]>([
    ['prepares', 'preparing'],
    ['starts', 'starting'],
    ['shutdowns', 'running'],
  ])('tries %s again every second while the fault is temporary', async (step, state) => {
    const arrange = (handle: FakeHandle): void => void handle[step].push(away, away);
    const { clock, reports, manager, task } = setUp({}, arrange);
    await clock.flush();
    if (step === 'shutdowns') manager.update({ ...task, desiredState: 'shutdown' });
    await clock.advance(1_999);
    expect(reports.at(-1)).toMatchObject({ state, error: 'the engine is away' });
    await clock.advance(1);
    expect(reports.at(-1)?.state).toBe(step === 'shutdowns' ? 'shutdown' : 'running');
    expect(reports.at(-1)?.error).toBeUndefined();
    manager.close();
  });

  it('does not hurry a retry because something else is heard', async () => {
    const { clock, handle, manager, task } = setUp({}, ({ prepares }) => {
      prepares.push(away, away, away);
    });
    await clock.flush();
    for (let n = 0; n < 10; n += 1) {
      manager.update({ ...task, serviceLabels: { n: String(n) } });
      await clock.advance(100);
    }
    expect(handle.calls).toEqual(['prepare', 'prepare']);
    manager.close();
  });

  it('does not let a retry delay the end of the task', async () => {
    const { clock, states, manager, task } = setUp({}, ({ prepares }) => void prepares.push(away));
    await clock.flush();
    manager.update({ ...task, desiredState: 'shutdown' });
    await clock.flush();
    expect(states().at(-1)).toBe('shutdown');
    expect(clock.pending()).toEqual([]);
  });

  it.each<[string, (handle: FakeHandle) => void]>([
    ['an operation is under way', (handle) => void handle.starts.push(untilAborted)],
    ['an operation waits for its retry', (handle) => void handle.prepares.push(away)],
    ['the task runs', () => undefined],
  ])('leaves no timer, and no call, when it is closed while %s', async (_when, arrange) => {
    const { clock, handle, reports, manager } = setUp({}, arrange);
    await clock.flush();
    manager.close();
    const before = [handle.calls.length, reports.length];
    manager.update(assignedTask('t1', { desiredState: 'shutdown' }));
    await clock.advance(60_000);
    expect([handle.calls.length, reports.length]).toEqual(before);
    expect(clock.pending()).toEqual([]);
  });

  it('leaves no timer when it is closed during a drain', async () => {
    const { clock, manager, task } = setUp();
    await clock.flush();
    manager.update({ ...task, desiredState: 'shutdown', stopBy: clock.now() + 5_000 });
    await clock.flush();
    manager.close();
    expect(clock.pending()).toEqual([]);
  });
});
