import { describe, expect, it } from '@jest/globals';
import { SkepError } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { byHand, linesOf } from './__fixtures__/fakes.js';
import { TaskRemover } from './task-remover.js';

function setUp(faults = 0) {
  const clock = new VirtualClock({ start: 0 });
  const logger = linesOf();
  const gone: string[] = [];
  const attempts: number[] = [];
  const remover = new TaskRemover({ clock, logger, onGone: (id) => gone.push(id) });
  const attempt = (): Promise<void> => {
    attempts.push(clock.now());
    return attempts.length <= faults
      ? Promise.reject(new SkepError('internal', 'device busy'))
      : Promise.resolve();
  };
  return { clock, logger, gone, attempts, remover, attempt };
}

describe('TaskRemover', () => {
  it('removes once, and says so', async () => {
    const { clock, gone, attempts, remover, attempt } = setUp();
    remover.remove('t1', attempt);
    expect(remover.isRemoving('t1')).toBe(true);
    await clock.flush();
    expect([gone, attempts]).toEqual([['t1'], [0]]);
    expect(remover.isRemoving('t1')).toBe(false);
    expect(clock.pending()).toEqual([]);
  });

  it('tries again after 1, 2, 4 … s, at most a minute, whatever the error', async () => {
    const { clock, logger, gone, attempts, remover, attempt } = setUp(9);
    remover.remove('t1', attempt);
    await clock.advance(60_000);
    expect(remover.isRemoving('t1')).toBe(true);
    await clock.advance(300_000);
    const seconds = attempts.map((at) => at / 1_000);
    expect(seconds).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
    expect(gone).toEqual(['t1']);
    expect(logger.lines).toHaveLength(9);
    expect(logger.lines[0]).toBe('task was not removed: device busy');
  });

  it('takes a second request for the same task as the first', async () => {
    const { clock, attempts, remover, attempt } = setUp(1);
    remover.remove('t1', attempt);
    await clock.flush();
    remover.remove('t1', attempt);
    await clock.advance(1_000);
    expect(attempts).toEqual([0, 1_000]);
  });

  it('takes an attempt that throws at once as one that fails', async () => {
    const { clock, gone, remover } = setUp();
    let calls = 0;
    remover.remove('t1', () => {
      calls += 1;
      if (calls === 1) throw new Error('no such runtime');
      return Promise.resolve();
    });
    await clock.advance(1_000);
    expect([calls, gone]).toEqual([2, ['t1']]);
  });

  it('leaves no timer when it is stopped, and calls nobody', async () => {
    const { clock, gone, attempts, remover, attempt } = setUp(1);
    const slow = byHand();
    remover.remove('t1', attempt);
    remover.remove('t2', () => slow.promise);
    await clock.flush();
    remover.stop();
    slow.resolve();
    remover.remove('t3', attempt);
    await clock.advance(60_000);
    expect([gone, attempts]).toEqual([[], [0]]);
    expect(clock.pending()).toEqual([]);
  });

  it('leaves no timer for an attempt that fails after the stop', async () => {
    const { clock, remover } = setUp();
    const slow = byHand();
    remover.remove('t1', () => slow.promise);
    remover.stop();
    slow.reject(new Error('late'));
    await clock.flush();
    expect(clock.pending()).toEqual([]);
  });
});
