/**
 * Waiting for something, but not for ever.
 */
import type { Clock } from '@skep/api';

/** Waits until the promise is settled, at most `timeoutMs`; whether it was. Never rejects. */
export async function settlesBefore(
  promise: Promise<unknown>,
  clock: Clock,
  timeoutMs: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    // Periodic: nobody has to wait for a limit.
    const timer = clock.schedule(clock.now() + timeoutMs, () => resolve(false), {
      isPeriodic: true,
      label: 'deadline',
    });
    const settled = (): void => {
      timer.cancel();
      resolve(true);
    };
    promise.then(settled, settled);
  });
}
