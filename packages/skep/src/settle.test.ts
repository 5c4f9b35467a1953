import { describe, expect, it } from '@jest/globals';
import { isSkepError } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { passTimeUntil } from './pass-time.js';
import { settle, type Settling } from './settle.js';

function setUp(change: Partial<Settling> = {}) {
  const clock = new VirtualClock({ start: 0 });
  const settling: Settling = { clock, isIdle: () => true, busyWith: () => [], ...change };
  return { clock, settling };
}

/** A timer that sets itself again for ever. */
function recur(clock: VirtualClock, periodMs: number, run: () => void = () => undefined): void {
  const again = (): void => {
    run();
    clock.schedule(clock.now() + periodMs, again, { isPeriodic: true });
  };
  clock.schedule(clock.now() + periodMs, again, { isPeriodic: true });
}

describe('settle', () => {
  it('is settled at once when there is nothing to do', async () => {
    const { settling } = setUp();
    expect(await settle(settling)).toEqual({ isSettled: true, elapsedMs: 0, waitingFor: [] });
  });

  it('moves from timer to timer until only periodic ones are left', async () => {
    const { clock, settling } = setUp();
    const ran: number[] = [];
    let beats = 0;
    recur(clock, 100, () => (beats += 1));
    clock.schedule(250, () => {
      ran.push(clock.now());
      clock.schedule(1_000, () => ran.push(clock.now()));
    });
    expect(await settle(settling)).toEqual({ isSettled: true, elapsedMs: 1_000, waitingFor: [] });
    expect([ran, beats]).toEqual([[250, 1_000], 10]);
  });

  it('runs what was put off before it judges', async () => {
    const { clock, settling } = setUp();
    let isDone = false;
    clock.defer(() => {
      void Promise.resolve().then(() => (isDone = true));
    });
    const settlement = await settle({ ...settling, isIdle: () => isDone });
    expect(settlement.isSettled).toBe(true);
  });

  it('says what it is busy with when no timer is left and it is not idle', async () => {
    const { settling } = setUp({ isIdle: () => false, busyWith: () => ['scheduler t1: parked'] });
    expect(await settle(settling)).toEqual({
      isSettled: false,
      elapsedMs: 0,
      waitingFor: ['scheduler t1: parked'],
    });
  });

  it('stops at its limit, an hour by default, and says what it waits for and how long', async () => {
    const { clock, settling } = setUp({ busyWith: () => ['allocator n1: queued'] });
    clock.schedule(3_700_000, () => undefined, { label: 'restart of web.1' });
    clock.schedule(3_600_500, () => undefined);
    recur(clock, 1_000_000);
    expect(await settle(settling)).toEqual({
      isSettled: false,
      elapsedMs: 3_600_000,
      waitingFor: ['a timer in 0.5 s', 'restart of web.1 in 100.0 s', 'allocator n1: queued'],
    });
    expect(clock.now()).toBe(3_600_000);
  });

  it('runs what is due exactly at its limit', async () => {
    const { clock, settling } = setUp({ limitMs: 50 });
    let runs = 0;
    clock.schedule(50, () => (runs += 1));
    expect(await settle(settling)).toMatchObject({ isSettled: true, elapsedMs: 50 });
    expect(runs).toBe(1);
  });

  it('moves no time with a limit of 0, but runs what is due', async () => {
    const { clock, settling } = setUp({ limitMs: 0 });
    let runs = 0;
    clock.schedule(0, () => (runs += 1));
    clock.schedule(1, () => (runs += 1));
    expect(await settle(settling)).toMatchObject({ isSettled: false, elapsedMs: 0 });
    expect(runs).toBe(1);
  });

  it.each([NaN, -1])('takes no limit of %s', async (limitMs) => {
    const { settling } = setUp({ limitMs });
    const thrown = await settle(settling).catch((error: unknown) => error);
    expect(isSkepError(thrown, 'invalid-argument')).toBe(true);
  });

  it('says at most ten things', async () => {
    const { clock, settling } = setUp({ limitMs: 1, busyWith: () => ['busy'] });
    for (let n = 0; n < 20; n += 1) clock.schedule(100 + n, () => undefined, { label: `t${n}` });
    const { waitingFor } = await settle(settling);
    expect(waitingFor).toHaveLength(10);
    expect(waitingFor[0]).toBe('t0 in 0.1 s');
  });

  it('lets periodic timers find out what only they find out', async () => {
    const { clock, settling } = setUp();
    let missed = 0;
    recur(clock, 5_000, () => (missed += 1));
    const settlement = await settle({ ...settling, isUnnoticed: () => missed < 3 });
    expect(settlement).toMatchObject({ isSettled: true, elapsedMs: 15_000 });
  });

  it('gives up on what nobody ever finds out, and says so', async () => {
    const nobody: Partial<Settling> = {
      isUnnoticed: () => true,
      busyWith: () => ['node2 is gone'],
    };
    const { clock, settling } = setUp({ ...nobody, limitMs: 60_000 });
    const without = await settle(settling);
    expect(without).toEqual({ isSettled: false, elapsedMs: 0, waitingFor: ['node2 is gone'] });
    recur(clock, 7_000);
    const within = await settle(settling);
    expect(within).toEqual({ isSettled: false, elapsedMs: 60_000, waitingFor: ['node2 is gone'] });
  });

  it('does not move a clock that somebody else moves', async () => {
    const { clock, settling } = setUp();
    const advancing = clock.advance(10);
    const thrown = await settle(settling).catch((error: unknown) => error);
    expect(isSkepError(thrown, 'failed-precondition')).toBe(true);
    await advancing;
  });
});

describe('passTimeUntil', () => {
  const after = (clock: VirtualClock, ms: number): Promise<void> =>
    new Promise((resolve) => clock.schedule(clock.now() + ms, resolve));

  it('moves time as far as the end needs, and no further', async () => {
    const { clock } = setUp();
    clock.schedule(5_000, () => undefined);
    await passTimeUntil(
      clock,
      after(clock, 3).then(() => after(clock, 4)),
    );
    expect(clock.now()).toBe(7);
  });

  it('moves no time for what ends by itself', async () => {
    const { clock } = setUp();
    clock.schedule(1, () => undefined);
    await passTimeUntil(clock, Promise.resolve());
    expect(clock.now()).toBe(0);
  });

  it('passes on why something failed', async () => {
    const { clock } = setUp();
    const failing = after(clock, 3).then(() => Promise.reject(new Error('no disk')));
    await expect(passTimeUntil(clock, failing)).rejects.toThrow('no disk');
  });

  it('gives up after a minute', async () => {
    const { clock } = setUp();
    recur(clock, 1_000);
    const endless = new Promise<void>(() => undefined);
    const thrown = await passTimeUntil(clock, endless).catch((error: unknown) => error);
    expect(isSkepError(thrown, 'aborted')).toBe(true);
    expect(clock.now()).toBe(60_000);
  });

  it('ends what turns round without time passing, and goes on', async () => {
    const { clock } = setUp();
    let isTurning = true;
    let turns = 0;
    let stuck: string | undefined;
    const again = (): void => {
      turns += 1;
      if (turns === 100) {
        stuck = 'livelock';
        clock.interrupt();
      }
      if (isTurning) clock.defer(again);
    };
    clock.defer(again);
    const passes = {
      get stuck() {
        return stuck;
      },
    };
    const unstick = (): Promise<void> => {
      isTurning = false;
      return Promise.resolve();
    };
    await passTimeUntil(clock, after(clock, 3), { passes, unstick });
    expect([isTurning, clock.now()]).toEqual([false, 3]);
  });

  it('leaves the time to whoever moves it already', async () => {
    const { clock } = setUp();
    const advancing = clock.advance(100);
    await passTimeUntil(clock, after(clock, 50));
    await advancing;
    expect(clock.now()).toBe(100);
  });
});
