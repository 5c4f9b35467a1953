/**
 * Virtual time until there is nothing left to do.
 */
import type { VirtualClock } from '@skep/api/virtual';
import type { ControllerGroup } from '@skep/controller';

/** How it ended. */
export interface Settlement {
  /** Nothing is left to do but periodic timers. */
  readonly isSettled: boolean;
  /** Virtual time that passed. */
  readonly elapsedMs: number;
  /** What it still waits for, when it did not settle; at most ten lines. */
  readonly waitingFor: readonly string[];
}

const HOUR_MS = 3_600_000;
const LINES_MAX = 10;

/** Moves time from timer to timer until only periodic ones are left; at most `limitMs`, an hour. */
export async function settleOn(parts: {
  readonly clock: VirtualClock;
  readonly controllers: () => ControllerGroup;
  readonly limitMs?: number | undefined;
}): Promise<Settlement> {
  const { clock, controllers, limitMs = HOUR_MS } = parts;
  const startedAt = clock.now();
  const end = startedAt + limitMs;
  for (;;) {
    await clock.flush();
    const next = clock.nextTimer();
    if (next === undefined) break;
    if (next.at > end) {
      await clock.advanceTo(end);
      break;
    }
    await clock.advanceTo(next.at);
  }
  const isSettled = clock.nextTimer() === undefined && controllers().isIdle();
  const timers = clock.pending().filter(({ isPeriodic }) => !isPeriodic);
  const waitingFor = isSettled
    ? []
    : [
        ...controllers()
          .pending()
          .map(({ controller, key, state }) => `${controller} ${key}: ${state}`),
        ...timers.map(({ label, at }) => `${label || 'a timer'} in ${at - clock.now()} ms`),
      ];
  return {
    isSettled,
    elapsedMs: clock.now() - startedAt,
    waitingFor: waitingFor.slice(0, LINES_MAX),
  };
}
