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

/** What is to settle. */
export interface SettleParts {
  readonly clock: VirtualClock;
  /** The loops; undefined while no manager leads, though one will. */
  readonly controllers: () => ControllerGroup | undefined;
  readonly limitMs?: number | undefined;
}

/** Moves time from timer to timer until only periodic ones are left; at most `limitMs`, an hour. */
export async function settleOn(parts: SettleParts): Promise<Settlement> {
  const { clock, controllers, limitMs = HOUR_MS } = parts;
  const startedAt = clock.now();
  const end = startedAt + limitMs;
  for (;;) {
    await clock.flush();
    // An election comes by periodic timers alone.
    const next = clock.nextTimer() ?? (controllers() ? undefined : clock.pending()[0]);
    if (next === undefined) break;
    if (next.at > end) {
      await clock.advanceTo(end);
      break;
    }
    await clock.advanceTo(next.at);
  }
  const loops = controllers();
  const isSettled = clock.nextTimer() === undefined && loops?.isIdle() === true;
  const timers = clock.pending().filter(({ isPeriodic }) => !isPeriodic);
  const waitingFor = isSettled
    ? []
    : [
        ...(loops === undefined ? ['a manager to lead'] : []),
        ...(loops?.pending() ?? []).map(
          ({ controller, key, state }) => `${controller} ${key}: ${state}`,
        ),
        ...timers.map(({ label, at }) => `${label || 'a timer'} in ${at - clock.now()} ms`),
      ];
  return {
    isSettled,
    elapsedMs: clock.now() - startedAt,
    waitingFor: waitingFor.slice(0, LINES_MAX),
  };
}
