/**
 * Moves virtual time until there is nothing left to do.
 */
import type { VirtualClock } from '@skep/api/virtual';
import { SkepError, type Timestamp } from '@skep/api';
import type { PassWatch } from './pass-watch.js';

/** How it ended. */
export interface Settlement {
  /** Whether nothing was left to do but periodic timers. */
  readonly isSettled: boolean;
  /** Virtual time it took. */
  readonly elapsedMs: number;
  /** What it still waits for, when it did not settle; at most ten lines. */
  readonly waitingFor: readonly string[];
}

/** What is settled. */
export interface Settling {
  readonly clock: VirtualClock;
  /** Whether all queues are empty and everything is observed. */
  readonly isIdle: () => boolean;
  /**
   * Whether something happened that only a periodic timer will find out: a machine that is gone
   * while its node still counts as ready. Default: no.
   */
  readonly isUnnoticed?: () => boolean;
  /** What keeps it from being idle, for people. */
  readonly busyWith: () => readonly string[];
  /** What is looked at again and again, if that is known. */
  readonly passes?: Pick<PassWatch, 'stuck' | 'busiest'>;
  /** Longest virtual time to spend. Default: one hour. */
  readonly limitMs?: number;
}

const HOUR_MS = 3_600_000;
const LINES_MAX = 10;

/**
 * Advances the clock from timer to timer until only periodic ones are left. What never comes to
 * rest ends at the limit, or where it turns round without time passing; `waitingFor` names it.
 * @throws invalid-argument for a limit that is none.
 */
export async function settle(settling: Settling): Promise<Settlement> {
  const { clock, isIdle, busyWith, limitMs = HOUR_MS } = settling;
  if (!(limitMs >= 0)) {
    throw new SkepError('invalid-argument', `limitMs is ${limitMs}; give 0 or more milliseconds`);
  }
  const started = clock.now();
  const limit = started + limitMs;
  for (;;) {
    await clock.flush();
    const stuck = settling.passes?.stuck;
    if (stuck !== undefined) return ended(false, [stuck, ...busyWith()]);
    const isUnnoticed = settling.isUnnoticed?.() ?? false;
    const next = clock.nextTimer() ?? (isUnnoticed ? clock.pending()[0] : undefined);
    if (next === undefined) {
      const isSettled = isIdle() && !isUnnoticed;
      return ended(isSettled, isSettled ? [] : busyWith());
    }
    if (next.at > limit) {
      await clock.advanceTo(limit);
      return ended(false, [...timers(), ...busyWith()]);
    }
    await clock.advanceTo(next.at);
  }

  function ended(isSettled: boolean, waitingFor: readonly string[]): Settlement {
    return {
      isSettled,
      elapsedMs: clock.now() - started,
      waitingFor: waitingFor.slice(0, LINES_MAX),
    };
  }

  function timers(): readonly string[] {
    const waiting = clock.pending().filter(({ isPeriodic }) => !isPeriodic);
    return waiting.map(({ at, label }) => `${whoWaits(label)} ${inSeconds(at)}`);
  }

  /** A requeue with the key that keeps coming back. */
  function whoWaits(label: string): string {
    const [, controller] = /^requeue of (.+)$/.exec(label) ?? [];
    const busiest = controller === undefined ? undefined : settling.passes?.busiest(controller);
    if (busiest === undefined || busiest.total < 2) return label || 'a timer';
    return `${label} (${busiest.key} had ${busiest.total} passes)`;
  }

  function inSeconds(at: Timestamp): string {
    return `in ${((at - clock.now()) / 1000).toFixed(1)} s`;
  }
}
