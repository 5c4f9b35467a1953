import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { systemClock, systemRandom } from './system.js';

const DAY_MS = 24 * 60 * 60 * 1000;

describe('systemClock', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000 });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('tells the time, and runs what is due then and not before', () => {
    const clock = systemClock();
    const ran: number[] = [];
    clock.schedule(1_500, () => ran.push(clock.now()));
    expect(clock.now()).toBe(1_000);
    jest.advanceTimersByTime(499);
    expect(ran).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(ran).toEqual([1_500]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('runs what is past as soon as possible, once', () => {
    const clock = systemClock();
    let runs = 0;
    clock.schedule(-5, () => (runs += 1));
    jest.advanceTimersByTime(0);
    jest.advanceTimersByTime(10_000);
    expect(runs).toBe(1);
  });

  it('waits longer than a timer of the engine can', () => {
    const clock = systemClock();
    const at = clock.now() + 60 * DAY_MS;
    let ranAt = 0;
    clock.schedule(at, () => (ranAt = clock.now()));
    jest.advanceTimersByTime(60 * DAY_MS - 1);
    expect(ranAt).toBe(0);
    jest.advanceTimersByTime(1);
    expect(ranAt).toBe(at);
  });

  it('does not run early when a timer of the engine does, or the clock is set back', () => {
    const clock = systemClock();
    let ranAt = 0;
    clock.schedule(1_500, () => (ranAt = clock.now()));
    jest.setSystemTime(900);
    jest.advanceTimersByTime(500);
    expect([clock.now(), ranAt]).toEqual([1_400, 0]);
    jest.advanceTimersByTime(100);
    expect(ranAt).toBe(1_500);
  });

  it.each([500, 60 * DAY_MS])('forgets a timer of %i ms that is cancelled, at any time', (ms) => {
    const clock = systemClock();
    let runs = 0;
    const timer = clock.schedule(clock.now() + ms, () => (runs += 1));
    jest.advanceTimersByTime(ms - 1);
    timer.cancel();
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(ms);
    timer.cancel();
    expect(runs).toBe(0);
  });

  it('runs deferred calls in their order, after what runs now', () => {
    const clock = systemClock();
    const ran: string[] = [];
    clock.defer(() => ran.push('first'));
    clock.defer(() => ran.push('second'));
    ran.push('now');
    jest.runAllTicks();
    jest.advanceTimersByTime(0);
    expect(ran).toEqual(['now', 'first', 'second']);
  });
});

describe('systemClock, for real', () => {
  it('never runs early, and only periodic timers let the process end', async () => {
    const clock = systemClock();
    const at = clock.now() + 3;
    const late = await new Promise<number>((resolve) => {
      clock.schedule(at, () => resolve(clock.now() - at));
    });
    expect(late).toBeGreaterThanOrEqual(0);
    const { unref } = jestTimers();
    const before = unref.length;
    clock.schedule(clock.now() + 60_000, () => undefined, { isPeriodic: true }).cancel();
    clock.schedule(clock.now() + 60_000, () => undefined).cancel();
    expect(unref.length - before).toBe(1);
    jest.restoreAllMocks();
  });
});

/** Records which timers are let go of. */
function jestTimers(): { readonly unref: readonly unknown[] } {
  const unref: unknown[] = [];
  const real = globalThis.setTimeout;
  jest.spyOn(globalThis, 'setTimeout').mockImplementation((run: () => void, ms?: number) => {
    const handle = real(run, ms);
    const letGo = handle.unref.bind(handle);
    handle.unref = () => {
      unref.push(handle);
      return letGo();
    };
    return handle;
  });
  return { unref };
}

describe('systemRandom', () => {
  it('has another seed each time', () => {
    const draw = (): string => {
      const random = systemRandom();
      return [random.next(), random.next()].join();
    };
    expect(new Set([draw(), draw(), draw()]).size).toBe(3);
    const value = systemRandom().int(10);
    expect(Number.isInteger(value) && value >= 0 && value < 10).toBe(true);
  });
});
