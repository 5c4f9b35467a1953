import { describe, expect, it } from '@jest/globals';
import { isSkepError } from './errors.js';
import { VIRTUAL_EPOCH, VirtualClock } from './virtual.js';

describe('VirtualClock', () => {
  it('runs timers in the order of their times, then of their creation', async () => {
    const clock = new VirtualClock();
    const ran: string[] = [];
    const at = VIRTUAL_EPOCH + 10;
    clock.schedule(at + 5, () => ran.push('late'));
    clock.schedule(at, () => ran.push('first'));
    clock.schedule(at, () => ran.push('second'));
    await clock.advance(9);
    expect(ran).toEqual([]);
    await clock.advance(100);
    expect(ran).toEqual(['first', 'second', 'late']);
    expect(clock.now()).toBe(VIRTUAL_EPOCH + 109);
  });

  it('runs deferred calls before timers, and promises to their end between them', async () => {
    const clock = new VirtualClock({ start: 0 });
    const ran: string[] = [];
    clock.schedule(0, () => ran.push('timer'));
    clock.defer(() => {
      ran.push('deferred');
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => ran.push('promise'));
    });
    await clock.flush();
    expect(ran).toEqual(['deferred', 'promise', 'timer']);
  });

  it('shows a timer its own time', async () => {
    const clock = new VirtualClock({ start: 0 });
    const seen: number[] = [];
    clock.schedule(3, () => {
      seen.push(clock.now());
      clock.schedule(clock.now() + 4, () => seen.push(clock.now()));
    });
    await clock.advance(10);
    expect(seen).toEqual([3, 7]);
  });

  it('does not run what was cancelled, and does not list it', async () => {
    const clock = new VirtualClock({ start: 0 });
    let count = 0;
    const timer = clock.schedule(5, () => (count += 1), { label: 'x' });
    clock.schedule(6, () => undefined, { isPeriodic: true });
    expect(clock.nextTimer()).toMatchObject({ at: 5, label: 'x' });
    timer.cancel();
    expect(clock.nextTimer()).toBeUndefined();
    expect(clock.pending()).toHaveLength(1);
    await clock.advance(10);
    expect(count).toBe(0);
  });

  it('keeps order and count when many timers were cancelled', async () => {
    const clock = new VirtualClock({ start: 0 });
    const ran: number[] = [];
    for (let i = 0; i < 5_000; i += 1) {
      const timer = clock.schedule(5_000 - i, () => ran.push(clock.now()));
      if (i % 10 !== 0) timer.cancel();
    }
    expect(clock.pending()).toHaveLength(500);
    await clock.advance(10_000);
    expect(ran).toEqual(Array.from({ length: 500 }, (_none, n) => (n + 1) * 10));
  });

  it('runs what is past as soon as possible', async () => {
    const clock = new VirtualClock({ start: 100 });
    let at = 0;
    clock.schedule(50, () => (at = clock.now()));
    await clock.flush();
    expect(at).toBe(100);
  });

  it('refuses to be advanced twice at a time', async () => {
    const clock = new VirtualClock();
    const first = clock.advance(1);
    await expect(clock.advance(1)).rejects.toMatchObject({ code: 'failed-precondition' });
    await first;
  });

  it('calls a million calls without time a livelock', async () => {
    const clock = new VirtualClock({ turn: () => Promise.resolve() });
    const again = (): void => {
      for (let i = 0; i < 1000; i += 1) clock.defer(() => undefined);
      clock.defer(again);
    };
    clock.defer(again);
    const error: unknown = await clock.flush().catch((thrown: unknown) => thrown);
    expect(isSkepError(error, 'aborted')).toBe(true);
  });

  it.each([NaN, Infinity, -Infinity])(
    'refuses to move to %s instead of never ending',
    async (at) => {
      const clock = new VirtualClock({ start: 0 });
      clock.schedule(10, () => undefined);
      await expect(clock.advanceTo(at)).rejects.toMatchObject({ code: 'invalid-argument' });
      expect(clock.now()).toBe(0);
    },
  );
});

describe('interrupt', () => {
  it('ends a livelock from inside, where it is; what is due stays due', async () => {
    const clock = new VirtualClock({ start: 0 });
    let runs = 0;
    const again = (): void => {
      runs += 1;
      if (runs === 10) clock.interrupt();
      clock.defer(again);
    };
    clock.schedule(5, again);
    await clock.advance(100);
    expect([clock.now(), runs]).toEqual([5, 10]);
    clock.interrupt();
    const moving = clock.advance(1);
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(runs).toBeGreaterThan(10);
    clock.interrupt();
    await moving;
  });
});
