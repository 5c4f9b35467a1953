import { describe, expect, it } from '@jest/globals';
import { SkepError, type AssignedTask, type TaskReport } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import type { TaskExit, TaskHandle } from './contract.js';
import { TaskManager } from './task-manager.js';

const TASK: AssignedTask = {
  id: 't1',
  name: 'web.1.t1',
  serviceName: 'web',
  serviceLabels: {},
  slot: 1,
  desiredState: 'running',
  template: { container: { image: 'web' } },
  networks: [],
  ports: [],
  genericResources: [],
  volumes: [],
  isDrained: false,
  knownState: 'assigned',
};

class FakeHandle implements TaskHandle {
  readonly calls: string[] = [];
  faults: Partial<Record<'prepare' | 'start', SkepError[]>> = {};
  exit: ((exit: TaskExit) => void) | undefined;

  #step(name: 'prepare' | 'start'): void {
    this.calls.push(name);
    const fault = this.faults[name]?.shift();
    if (fault !== undefined) throw fault;
  }

  async prepare(): Promise<void> {
    await Promise.resolve();
    this.#step('prepare');
  }

  async start(): Promise<{ container: { containerId: string } }> {
    await Promise.resolve();
    this.#step('start');
    return { container: { containerId: 'c1' } };
  }

  wait(signal: AbortSignal): Promise<TaskExit> {
    this.calls.push('wait');
    return new Promise((resolve, reject) => {
      this.exit = resolve;
      signal.addEventListener('abort', () => reject(new SkepError('aborted', 'aborted')));
    });
  }

  async shutdown(): Promise<void> {
    this.calls.push('shutdown');
    await Promise.resolve();
  }

  async remove(): Promise<void> {
    this.calls.push('remove');
    await Promise.resolve();
  }
}

function setUp(change: Partial<AssignedTask> = {}) {
  const clock = new VirtualClock();
  const handle = new FakeHandle();
  const reports: TaskReport[] = [];
  const task = { ...TASK, ...change };
  const manager = new TaskManager({
    task,
    handle,
    clock,
    report: (report) => reports.push(report),
  });
  manager.start();
  return { clock, handle, reports, manager, task, states: () => reports.map(({ state }) => state) };
}

describe('TaskManager', () => {
  it('drives a task through its states to running and reports each', async () => {
    const { clock, states, reports, handle } = setUp();
    await clock.flush();
    expect(states()).toEqual(['accepted', 'preparing', 'ready', 'starting', 'running']);
    expect(reports.at(-1)?.container).toEqual({ containerId: 'c1' });
    handle.exit?.({ exitCode: 0 });
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

  it('reports a non-zero exit as failed, with the code', async () => {
    const { clock, reports, handle } = setUp();
    await clock.flush();
    handle.exit?.({ exitCode: 3 });
    await clock.flush();
    expect(reports.at(-1)).toMatchObject({
      state: 'failed',
      error: 'task: non-zero exit (3)',
      container: { exitCode: 3 },
    });
  });

  it.each<['prepare' | 'start', string]>([
    ['prepare', 'rejected'],
    ['start', 'failed'],
  ])('ends a task whose %s fails for good as %s', async (step, expected) => {
    const { clock, handle, states } = setUp();
    handle.faults = { [step]: [new SkepError('not-found', 'no such image')] };
    await clock.flush();
    expect(states().at(-1)).toBe(expected);
  });

  it('tries again after a second when the fault is temporary', async () => {
    const { clock, handle, states, reports } = setUp();
    handle.faults = { prepare: [new SkepError('unavailable', 'registry is away')] };
    await clock.flush();
    expect(reports.at(-1)).toMatchObject({ state: 'preparing', error: 'registry is away' });
    await clock.advance(999);
    expect(states().at(-1)).toBe('preparing');
    await clock.advance(1);
    expect(states().at(-1)).toBe('running');
  });

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
  });

  it('stops a running task at its time though tables did not let go', async () => {
    const { clock, states, manager, task } = setUp();
    await clock.flush();
    manager.update({ ...task, desiredState: 'shutdown', stopBy: clock.now() + 5_000 });
    await clock.advance(5_000);
    expect(states().at(-1)).toBe('shutdown');
  });

  it('ignores a desired state that moves down', async () => {
    const { clock, states, manager, task } = setUp();
    await clock.flush();
    manager.update({ ...task, desiredState: 'shutdown', isDrained: true });
    await clock.flush();
    manager.update({ ...task, desiredState: 'running' });
    await clock.flush();
    expect(states().at(-1)).toBe('shutdown');
  });

  it('goes on from what is known when an agent starts afresh', async () => {
    const { clock, handle } = setUp({ knownState: 'running' });
    await clock.flush();
    expect(handle.calls).toEqual(['wait']);
  });
});
