/**
 * Managers that are paused at random for random times, over a log that delivers late: at any time
 * at most one believes that it leads, and nobody writes without the lease.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { managers } from '../src/__fixtures__/managers.js';

const NAMES = ['a', 'b', 'c'];

/**
 * Who is paused, at once or in the midst of a write, after how long, for how long, and in which
 * order it then wakes.
 */
const pause = fc.record({
  who: fc.constantFrom('leader', 0, 1, 2),
  afterMs: fc.integer({ min: 0, max: 9_000 }),
  forMs: fc.integer({ min: 1, max: 40_000 }),
  isOnWrite: fc.boolean(),
  isReversed: fc.boolean(),
});

describe('leader election under pauses', () => {
  it('has one leader at most, and none of the others writes', async () => {
    const property = fc.asyncProperty(
      fc.array(pause, { minLength: 1, maxLength: 6 }),
      fc.nat(),
      async (script, seed) => {
        const { clock, managers: all, audit, leaders } = await managers(NAMES, { seed });
        const advance = async (ms: number): Promise<void> => {
          for (let left = ms; left > 0; left -= 1_000) {
            await clock.advance(Math.min(left, 1_000));
            expect(leaders().length).toBeLessThanOrEqual(1);
          }
        };
        for (const { runnable } of all) await runnable.start();
        for (const { who, afterMs, forMs, isOnWrite, isReversed } of script) {
          await advance(afterMs);
          const manager = who === 'leader' ? leaders()[0] : all[Number(who)];
          if (manager === undefined || manager.gate.isPaused) continue;
          if (isOnWrite) manager.gate.isPausedOnWrite = true;
          else manager.gate.isPaused = true;
          const resume = (): void => manager.gate.resume(isReversed);
          clock.schedule(clock.now() + forMs, resume);
        }
        // The longest pause, then a lease that has to run out.
        await advance(60_000);
        const [leader] = leaders();
        expect(audit.intruders).toEqual([]);
        expect(leader?.name).toBe(audit.lease?.holder);
        const before = audit.writes.get(leader?.name ?? '') ?? 0;
        await advance(3_000);
        expect(audit.writes.get(leader?.name ?? '')).toBeGreaterThan(before + 3);
        expect(audit.terms).toEqual([...audit.terms].sort((a, b) => a - b));
        for (const { runnable } of all) await runnable.stop();
      },
    );
    await fc.assert(property, { numRuns: 8 });
  });
});
