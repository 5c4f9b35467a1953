/**
 * The real clock and randomness seeded from the system: `@skep/api/system`.
 */
import { randomBytes } from 'node:crypto';
import { seededRandom } from './random.js';
import type { Clock, Random, Timer } from './seams.js';

const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The machine's clock. Timers keep the process alive unless they are periodic. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    schedule: (at, run, options) => {
      let handle: NodeJS.Timeout;
      const arm = (): void => {
        // setTimeout overflows beyond 24.8 days: longer waits are taken in steps. It also fires up
        // to a millisecond early, and whoever then looks at the clock would find nothing due.
        const left = Math.min(Math.max(at - Date.now(), 0), LONGEST_TIMEOUT_MS);
        handle = setTimeout(() => (Date.now() < at ? arm() : run()), left);
        if (options?.isPeriodic === true) handle.unref();
      };
      arm();
      const timer: Timer = { cancel: () => clearTimeout(handle) };
      return timer;
    },
    defer: (run) => {
      setImmediate(run);
    },
  };
}

/** Randomness with an unpredictable seed. */
export function systemRandom(): Random {
  return seededRandom(randomBytes(6).readUIntBE(0, 6));
}
