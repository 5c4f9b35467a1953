import { describe, expect, it } from '@jest/globals';
import type { MetricDefinition, MetricLabels, Metrics } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import type { WorkQueueOptions } from './queue-options.js';
import { WorkQueue } from './work-queue.js';

function setUp(options: Partial<WorkQueueOptions> = {}): {
  clock: VirtualClock;
  queue: WorkQueue;
  start: number;
} {
  const clock = new VirtualClock();
  const queue = new WorkQueue({ name: 'test', clock, ...options });
  return { clock, queue, start: clock.now() };
}

describe('WorkQueue: one worker and one pending entry per key', () => {
  it('queues a key once however often it is added', () => {
    const { queue } = setUp();
    for (let i = 0; i < 5; i += 1) queue.add('a', `reason ${i}`);
    expect([queue.depth, queue.ready]).toEqual([1, 1]);
    expect(queue.take()).toBe('a');
    expect(queue.take()).toBeUndefined();
  });

  it('does not give a key out again while it is in a pass, but does afterwards', () => {
    const { queue } = setUp();
    queue.add('a', 'first');
    queue.take();
    queue.add('a', 'second');
    queue.add('a', 'third');
    expect(queue.take()).toBeUndefined();
    expect([queue.depth, queue.active, queue.ready]).toEqual([1, 1, 0]);
    queue.done('a');
    expect(queue.take()).toBe('a');
    queue.done('a');
    expect([queue.size, queue.depth, queue.active]).toEqual([0, 0, 0]);
  });

  it('forgets finished keys', () => {
    const { queue } = setUp();
    for (let i = 0; i < 5000; i += 1) queue.add(`${i}`, 'x');
    for (let key = queue.take(); key !== undefined; key = queue.take()) queue.done(key);
    expect(queue.size).toBe(0);
  });

  it('refuses to end a pass that never began', () => {
    const { queue } = setUp();
    queue.add('a', 'x');
    expect(() => queue.done('a')).toThrow(/no pass over key 'a'/);
    expect(() => queue.fail('b', 'x')).toThrow(/no pass over key 'b'/);
  });

  it('says when a key becomes ready', () => {
    let calls = 0;
    const { queue } = setUp({ onReady: () => (calls += 1) });
    queue.add('a', 'x');
    queue.add('a', 'y');
    expect(calls).toBe(1);
    queue.take();
    queue.add('a', 'z');
    expect(calls).toBe(1);
    queue.done('a');
    expect(calls).toBe(2);
  });

  it('keeps the higher of two priorities', () => {
    const { queue } = setUp();
    queue.add('a', 'x');
    queue.add('b', 'x');
    queue.add('c', 'x', { priority: 3 });
    queue.add('b', 'x', { priority: 5 });
    queue.add('b', 'x', { priority: 1 });
    expect([queue.take(), queue.take(), queue.take()]).toEqual(['b', 'c', 'a']);
  });
});

describe('WorkQueue: times', () => {
  it('queues a key at its requeue time; the earliest of several wins', async () => {
    const { clock, queue, start } = setUp();
    queue.addAt('a', start + 100);
    queue.addAt('a', start + 50);
    queue.addAt('a', start + 200);
    expect(queue.nextRequeueAt).toBe(start + 50);
    await clock.advance(49);
    expect([queue.ready, queue.depth, queue.scheduled]).toEqual([0, 0, 1]);
    await clock.advance(1);
    expect([queue.take(), queue.scheduled]).toEqual(['a', 0]);
  });

  it('does not lose a requeue to an ordinary add before it', async () => {
    const { clock, queue, start } = setUp();
    queue.addAt('a', start + 100);
    queue.add('a', 'event');
    expect(queue.take()).toBe('a');
    queue.done('a');
    expect(queue.take()).toBeUndefined();
    await clock.advance(100);
    expect(queue.take()).toBe('a');
  });

  it('replaces the requeue time by the answer of a pass', async () => {
    const { clock, queue, start } = setUp();
    queue.addAt('a', start + 100);
    queue.add('a', 'event');
    queue.take();
    queue.done('a', { requeueAt: start + 300 });
    expect(queue.nextRequeueAt).toBe(start + 300);
    queue.add('a', 'event');
    queue.take();
    queue.done('a', {});
    expect([queue.nextRequeueAt, queue.size]).toEqual([undefined, 0]);
    await clock.advance(1000);
    expect(queue.depth).toBe(0);
    expect(clock.pending()).toEqual([]);
  });

  it('keeps a requeue that was asked for during the pass', () => {
    const { queue, start } = setUp();
    queue.add('a', 'event');
    queue.take();
    queue.addAt('a', start + 70);
    queue.done('a', { requeueAt: start + 90 });
    expect(queue.nextRequeueAt).toBe(start + 70);
  });

  it('lets at least a millisecond pass between two passes that ask for this moment', async () => {
    const { clock, queue, start } = setUp();
    queue.add('a', 'event');
    queue.take();
    queue.done('a', { requeueAt: start - 5000 });
    expect(queue.ready).toBe(0);
    await clock.advance(1);
    expect(queue.ready).toBe(1);
  });

  it('queues at once for a time that is past', () => {
    const { queue, start } = setUp();
    queue.addAt('a', start);
    expect(queue.take()).toBe('a');
  });

  it('needs one timer however many keys are scheduled', () => {
    const { clock, queue, start } = setUp();
    for (let i = 0; i < 100; i += 1) queue.addAt(`${i}`, start + 100 + i);
    queue.addAt('soon', start + 10);
    expect(clock.pending().map(({ at, label }) => [at, label])).toEqual([
      [start + 10, 'requeue of test'],
    ]);
    queue.close();
    expect(clock.pending()).toEqual([]);
  });
});

describe('WorkQueue: backoff', () => {
  it('waits 5 ms × 2ⁿ, at most 1000 s', async () => {
    const { clock, queue } = setUp();
    const delays: number[] = [];
    queue.add('a', 'event');
    for (let i = 0; i < 20; i += 1) {
      expect(queue.take()).toBe('a');
      delays.push(queue.fail('a', 'broken') - clock.now());
      expect([queue.failing, queue.depth]).toEqual([1, 0]);
      await clock.advance(delays[i] ?? 0);
    }
    expect(delays.slice(0, 5)).toEqual([5, 10, 20, 40, 80]);
    expect(delays.slice(17)).toEqual([655_360, 1_000_000, 1_000_000]);
  });

  it('starts again after a success', () => {
    const { clock, queue } = setUp();
    for (const isGood of [false, false, true, false]) {
      queue.add('a', 'event');
      queue.take();
      if (isGood) queue.done('a');
      else queue.fail('a', 'broken');
    }
    expect(queue.nextRetryAt).toBe(clock.now() + 5);
  });

  it('is cut short by an event, keeping count', () => {
    const { clock, queue } = setUp();
    queue.add('a', 'event');
    queue.take();
    queue.fail('a', 'broken');
    queue.add('a', 'event');
    expect([queue.ready, queue.failing]).toEqual([1, 0]);
    queue.take();
    queue.fail('a', 'broken');
    expect(queue.nextRetryAt).toBe(clock.now() + 10);
  });

  it('is not cut short by what may wait, before or after it begins', () => {
    const { queue } = setUp();
    queue.add('a', 'event');
    queue.take();
    queue.add('a', 'own write', { mayWait: true });
    queue.fail('a', 'broken');
    queue.add('a', 'own write', { mayWait: true });
    expect([queue.ready, queue.depth, queue.failing]).toEqual([0, 0, 1]);
    queue.add('a', 'event');
    expect(queue.ready).toBe(1);
  });

  it('does not take a requeue time away', () => {
    const { queue, start } = setUp();
    queue.addAt('a', start + 500);
    queue.add('a', 'event');
    queue.take();
    queue.fail('a', 'broken');
    expect([queue.nextRetryAt, queue.nextRequeueAt]).toEqual([start + 5, start + 500]);
  });

  it('retries conflicts at once up to a limit, then backs off', async () => {
    const { clock, queue } = setUp({ conflictsMax: 2 });
    queue.add('a', 'event');
    const isRetried: boolean[] = [];
    for (let i = 0; i < 3; i += 1) {
      expect(queue.take()).toBe('a');
      isRetried.push(queue.conflict('a', 0, 'lost a race'));
    }
    expect(isRetried).toEqual([true, true, false]);
    expect([queue.ready, queue.failing]).toEqual([0, 1]);
    expect(queue.explain('a').reasons).toEqual(['event', 'conflict', 'error']);
    await clock.advance(5);
    queue.take();
    expect(queue.conflict('a', 0, 'lost a race')).toBe(false);
    await clock.advance(10);
    queue.take();
    queue.done('a');
    queue.add('a', 'event');
    queue.take();
    expect(queue.conflict('a', 0, 'lost a race')).toBe(true);
  });

  it('gives a failing key out alone', async () => {
    const { clock, queue } = setUp();
    queue.add('bad', 'event');
    queue.take();
    queue.fail('bad', 'broken');
    queue.add('a', 'event');
    await clock.advance(5);
    queue.add('b', 'event');
    expect(queue.takeMany(10)).toEqual(['a']);
    expect(queue.takeMany(10)).toEqual(['bad']);
    expect(queue.takeMany(10)).toEqual(['b']);
  });
});

describe('WorkQueue: parking', () => {
  it('holds a key until its revision is reached', () => {
    const { queue } = setUp();
    queue.add('a', 'event');
    queue.take();
    queue.park('a', 7);
    queue.done('a');
    queue.add('a', 'event');
    expect([queue.ready, queue.depth, queue.parked]).toEqual([0, 1, 1]);
    queue.reached(6);
    expect(queue.take()).toBeUndefined();
    queue.reached(7);
    expect(queue.take()).toBe('a');
  });

  it('does not wake a key that nobody added, and forgets it', () => {
    const { queue } = setUp();
    queue.add('a', 'event');
    queue.take();
    queue.park('a', 7);
    queue.done('a');
    expect(queue.parked).toBe(1);
    queue.reached(9);
    expect([queue.ready, queue.size]).toEqual([0, 0]);
  });

  it('holds a key that is queued already, and others not', () => {
    const { queue } = setUp();
    queue.add('a', 'event');
    queue.add('b', 'event');
    queue.park('a', 3);
    expect([queue.take(), queue.take()]).toEqual(['b', undefined]);
    queue.reached(3);
    expect(queue.take()).toBe('a');
  });

  it('waits for the later of two revisions, and not for one that is past', () => {
    const { queue } = setUp();
    queue.reached(5);
    queue.add('a', 'event');
    queue.park('a', 5);
    expect(queue.ready).toBe(1);
    queue.park('a', 8);
    queue.park('a', 7);
    queue.reached(7);
    expect(queue.ready).toBe(0);
    queue.reached(8);
    expect(queue.ready).toBe(1);
  });

  it('holds requeues and retries back, too', async () => {
    const { clock, queue, start } = setUp();
    queue.add('a', 'event');
    queue.take();
    queue.park('a', 2);
    queue.done('a', { requeueAt: start + 10 });
    await clock.advance(20);
    expect([queue.depth, queue.ready]).toEqual([1, 0]);
    queue.reached(2);
    expect(queue.take()).toBe('a');
  });
});

describe('WorkQueue: bounds', () => {
  it('refuses new keys when it is full, not those that it knows', () => {
    const { queue, start } = setUp({ keysMax: 2 });
    expect([queue.add('a', 'x'), queue.addAt('b', start + 5)]).toEqual([true, true]);
    expect(queue.isFull).toBe(true);
    expect([queue.add('c', 'x'), queue.addAt('c', start + 5)]).toEqual([false, false]);
    expect([queue.add('a', 'y'), queue.add('b', 'y')]).toEqual([true, true]);
    queue.take();
    queue.done('a');
    expect(queue.add('c', 'x')).toBe(true);
  });

  it('takes nothing in after it was closed', () => {
    const { queue } = setUp();
    queue.close();
    expect(queue.add('a', 'x')).toBe(false);
    expect(queue.ready).toBe(0);
  });
});

describe('WorkQueue: explain', () => {
  it('tells each state', async () => {
    const { clock, queue, start } = setUp();
    const state = (): string => queue.explain('a').state;
    expect(queue.explain('a')).toEqual({ key: 'a', state: 'idle', reasons: [], attempts: 0 });
    queue.addAt('a', start + 1000);
    expect(queue.explain('a')).toMatchObject({ state: 'scheduled', at: start + 1000 });
    queue.add('a', 'Service updated');
    expect(state()).toBe('queued');
    queue.take();
    expect(state()).toBe('running');
    queue.fail('a', 'no such node');
    expect(queue.explain('a')).toEqual({
      key: 'a',
      state: 'backoff',
      reasons: ['Service updated', 'error'],
      attempts: 1,
      at: start + 5,
      lastError: 'no such node',
    });
    await clock.advance(5);
    queue.park('a', 4);
    expect(queue.explain('a')).toMatchObject({ state: 'parked', parkedUntil: 4 });
    expect(queue.pending().map(({ key, state: is }) => [key, is])).toEqual([['a', 'parked']]);
    queue.reached(4);
    queue.take();
    queue.done('a', {});
    expect(queue.explain('a')).toEqual({
      key: 'a',
      state: 'idle',
      reasons: ['Service updated', 'error', 'retry'],
      attempts: 0,
    });
  });

  it('keeps the ten newest reasons, and a repeated one once', () => {
    const { queue } = setUp();
    for (let i = 0; i < 12; i += 1) {
      queue.add('a', `reason ${i}`);
      queue.add('a', `reason ${i}`);
    }
    const { reasons } = queue.explain('a');
    expect(reasons).toEqual(Array.from({ length: 10 }, (_, i) => `reason ${i + 2}`));
  });

  it('remembers about a thousand finished keys', () => {
    const { queue } = setUp();
    for (let i = 0; i < 2000; i += 1) {
      queue.add(`${i}`, 'event');
      queue.take();
      queue.done(`${i}`);
    }
    expect(queue.explain('1999').reasons).toEqual(['event']);
    expect(queue.explain('976').reasons).toEqual(['event']);
    expect(queue.explain('975').reasons).toEqual([]);
  });
});

describe('WorkQueue: metrics', () => {
  it('counts under the known names', async () => {
    const seen = new Map<string, number[]>();
    const note =
      ({ name }: MetricDefinition) =>
      (value: number, labels?: MetricLabels): void => {
        expect(labels).toEqual({ name: 'test', controller: 'test' });
        seen.set(name, [...(seen.get(name) ?? []), value]);
      };
    const metrics: Metrics = {
      counter: (definition) => ({ add: note(definition) }),
      gauge: (definition) => ({ set: note(definition) }),
      histogram: (definition) => ({ observe: note(definition) }),
    };
    const { clock, queue } = setUp({ metrics });
    // Zeros, so that rates can be told from the first event on.
    expect([...seen.values()].flat().every((value) => value === 0)).toBe(true);
    seen.clear();
    queue.add('a', 'event');
    queue.add('b', 'event');
    await clock.advance(2000);
    queue.take();
    queue.take();
    await clock.advance(3000);
    queue.sample();
    queue.done('a');
    queue.fail('b', 'broken');
    expect(Object.fromEntries(seen)).toEqual({
      workqueue_adds_total: [1, 1],
      workqueue_depth: [1, 2, 1, 0, 0],
      workqueue_queue_duration_seconds: [2, 2],
      workqueue_unfinished_work_seconds: [6],
      workqueue_longest_running_processor_seconds: [3],
      workqueue_work_duration_seconds: [3, 3],
      workqueue_retries_total: [1],
    });
  });
});
