/**
 * Waiting on a clock, so that it can be aborted.
 */
import { SkepError, type Clock, type TimerOptions } from '@skep/api';

/**
 * Resolves after `ms`; rejects with `aborted` when the signal fires first.
 */
export function delay(
  clock: Clock,
  ms: number,
  signal?: AbortSignal,
  options?: TimerOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(aborted());
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(aborted());
    };
    const timer = clock.schedule(
      clock.now() + ms,
      () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
      options,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Never resolves; rejects with `aborted` when the signal fires. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(aborted());
    else signal.addEventListener('abort', () => reject(aborted()), { once: true });
  });
}

function aborted(): SkepError {
  return new SkepError('aborted', 'the operation was aborted');
}
