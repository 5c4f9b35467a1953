import { describe, expect, it, jest } from '@jest/globals';
import type { AssignedTask } from '@skep/api';
import { seededRandom, VirtualClock } from '@skep/api/virtual';
import { taskRuntimeConformance } from '@skep/adapter/conformance';
import type { ContainerBehaviour } from './behaviour.js';
import { describeHost } from './description.js';
import { SimulatedRuntime } from './simulated-runtime.js';

function task(id: string, change: Partial<AssignedTask> = {}): AssignedTask {
  return {
    id,
    name: `web.1.${id}`,
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
    ...change,
  };
}

const CONTEXT = { secrets: new Map(), configs: new Map(), node: undefined };

function setUp(behaviour: (task: AssignedTask) => ContainerBehaviour = () => ({})) {
  const clock = new VirtualClock();
  const runtime = new SimulatedRuntime({
    nodeName: 'node1',
    clock,
    random: seededRandom(1),
    description: () => describeHost('node1'),
    behaviour,
  });
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    let isDone = false;
    const mark = (): void => {
      isDone = true;
    };
    promise.then(mark, mark);
    await clock.flush();
    while (!isDone) await clock.advance(100);
    return promise;
  };
  return { clock, runtime, settle };
}

const never = (): AbortSignal => new AbortController().signal;

taskRuntimeConformance({ describe, it, expect }, () => {
  const { runtime, settle } = setUp(({ template }) => {
    const [kind, code] = (template.container?.image ?? '').split(':');
    if (kind === 'missing') return { pullError: 'No such image' };
    return kind === 'exiting' ? { exit: { afterMs: 50, exitCode: Number(code) } } : {};
  });
  const withImage = (id: string, image: string): AssignedTask =>
    task(id, { template: { container: { image } } });
  return Promise.resolve({
    runtime,
    context: CONTEXT,
    server: (id) => withImage(id, 'server'),
    exiting: (id, code) => withImage(id, `exiting:${code}`),
    missingImage: (id) => withImage(id, 'missing'),
    settle,
    reopen: () => Promise.resolve(runtime),
    close: () => runtime.close(),
  });
});

describe('SimulatedRuntime', () => {
  it('pulls an image once for all tasks that wait for it, and keeps it', async () => {
    const { clock, runtime, settle } = setUp(() => ({ pullMs: 500, createMs: 10 }));
    const started = clock.now();
    await settle(
      Promise.all(['t1', 't2'].map((id) => runtime.task(task(id), CONTEXT).prepare(never()))),
    );
    expect(clock.now() - started).toBeLessThanOrEqual(600);
    await settle(runtime.task(task('t3'), CONTEXT).prepare(never()));
    expect(clock.now() - started).toBeLessThanOrEqual(700);
  });

  it('is started when the health check passes, not before', async () => {
    const healthCheck = { test: ['CMD', 'true'], intervalMs: 2_000 };
    const healthy = task('t1', { template: { container: { image: 'web', healthCheck } } });
    const { clock, runtime, settle } = setUp(() => ({ pullMs: 0, createMs: 0, startMs: 0 }));
    const handle = runtime.task(healthy, CONTEXT);
    await settle(handle.prepare(never()));
    const from = clock.now();
    await settle(handle.start(never()));
    expect(clock.now() - from).toBeGreaterThanOrEqual(2_000);
  });

  it('fails a container that never becomes healthy, after its retries', async () => {
    const healthCheck = { test: ['CMD', 'true'], intervalMs: 1_000, retries: 2 };
    const sick = task('t1', { template: { container: { image: 'web', healthCheck } } });
    const { runtime, settle } = setUp(() => ({ healthyAfterMs: 'never' }));
    const handle = runtime.task(sick, CONTEXT);
    await settle(handle.prepare(never()));
    await expect(settle(handle.start(never()))).rejects.toThrow('unhealthy container');
    expect(runtime.container('t1')?.state).toBe('exited');
  });

  it('kills what ignores the stop signal, after the grace period', async () => {
    const stubborn = task('t1', {
      template: { container: { image: 'web', stopGracePeriodMs: 3_000 } },
    });
    const { clock, runtime, settle } = setUp(() => ({ ignoresStopSignal: true }));
    const handle = runtime.task(stubborn, CONTEXT);
    await settle(handle.prepare(never()));
    await settle(handle.start(never()));
    const from = clock.now();
    await settle(handle.shutdown(never()));
    expect(clock.now() - from).toBeGreaterThanOrEqual(3_000);
    expect(runtime.container('t1')?.exit).toEqual({ exitCode: 137 });
  });

  it('loses its containers with its power, and says so to whoever waits', async () => {
    const { runtime, settle } = setUp();
    const handle = runtime.task(task('t1'), CONTEXT);
    await settle(handle.prepare(never()));
    await settle(handle.start(never()));
    const waiting = handle.wait(never());
    runtime.powerOff();
    expect((await settle(waiting)).exitCode).toBe(137);
    expect(await settle(runtime.known())).toEqual([]);
    expect((await settle(handle.wait(never()))).error).toContain('lost with its host');
  });
});

describe('many pulls at once', () => {
  it('do not share a signal, as Node warns of a leak at eleven listeners', async () => {
    const listeners = new Map<unknown, number>();
    const target = Object.getPrototypeOf(AbortSignal.prototype) as EventTarget;
    const { addEventListener } = target;
    const spy = jest.spyOn(target, 'addEventListener').mockImplementation(function (
      this: EventTarget,
      ...words: Parameters<EventTarget['addEventListener']>
    ) {
      listeners.set(this, (listeners.get(this) ?? 0) + 1);
      addEventListener.apply(this, words);
    });
    const { runtime, settle } = setUp();
    const pulls = Array.from({ length: 12 }, (_, index) => {
      const asked = task(`t${index}`, { template: { container: { image: `i${index}` } } });
      return runtime.task(asked, CONTEXT).prepare(new AbortController().signal);
    });
    await settle(Promise.all(pulls));
    spy.mockRestore();
    expect(listeners.size).toBe(24);
    expect(Math.max(...listeners.values())).toBeLessThan(4);
  });
});
