/**
 * Lets virtual time pass while something comes to its end.
 */
import { isSkepError, SkepError } from '@skep/api';
import type { VirtualClock } from '@skep/api/virtual';
import type { PassWatch } from './pass-watch.js';

/** Longest virtual time to give: more than the longest wait for a pass under way. */
const LIMIT_MS = 60_000;

/**
 * Waits for a promise that may itself wait for virtual time: a good-bye that crosses a link with
 * latency, say. When somebody else moves the clock already, it is left to them. With `passes`, what
 * turns round without time passing is ended by `unstick`, once.
 * @throws what the promise is rejected with; aborted when a minute of virtual time is not enough.
 */
export async function passTimeUntil(
  clock: VirtualClock,
  done: Promise<void>,
  loops?: { readonly passes: Pick<PassWatch, 'stuck'>; readonly unstick: () => Promise<void> },
): Promise<void> {
  const limit = clock.now() + LIMIT_MS;
  let isDone = false;
  const ended = (): void => {
    isDone = true;
  };
  done.then(ended, ended);
  try {
    await clock.flush();
    let isUnstuck = false;
    while (!isDone) {
      if (!isUnstuck && loops?.passes.stuck !== undefined) {
        isUnstuck = true;
        // How it ends is told to whoever waits for `done`.
        loops.unstick().catch(() => undefined);
        await clock.flush();
        continue;
      }
      const next = clock.pending()[0];
      if (next === undefined) break;
      if (next.at > limit) throw new SkepError('aborted', 'it did not end within a minute');
      await clock.advanceTo(next.at);
    }
  } catch (thrown) {
    if (!isSkepError(thrown, 'failed-precondition')) throw thrown;
  }
  await done;
}
