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

/** Waits for the promise, or for the signal, whichever is first. Rejects as the promise does. */
export function unlessAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => resolve();
    const settled = (settle: () => void): void => {
      signal.removeEventListener('abort', aborted);
      settle();
    };
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', aborted, { once: true });
    promise.then(
      () => settled(resolve),
      (error: unknown) => settled(() => reject(error)),
    );
  });
}
