/**
 * Slow start: the weight of a new backend rises with time.
 *
 * **Source:** the idea is Envoy's `slow_start_config`; steps, so that a rise costs few writes, are
 * ours.
 */
import type { Timestamp } from '@skep/api';

/** Steps in which a weight rises; each costs one change of every node's table. */
export const SLOW_START_STEPS = 10;

/** The largest weight that a dataplane takes. **Source:** ipvsadm(8). */
export const WEIGHT_MAX = 65_535;

/** A weight, and when it will be another one though nothing else happens. */
export interface WeightAt {
  readonly weight: number;
  readonly changesAt?: Timestamp;
}

/** See {@link slowStartWeight}. */
export interface SlowStart {
  /** The weight in the end, at least 0. */
  readonly full: number;
  /** When the backend began to serve. */
  readonly since: Timestamp;
  /** Within this time the weight rises; 0: at once. */
  readonly slowStartMs: number;
}

/**
 * What the weights of a service are multiplied by, so that they have room to rise: with slow start,
 * ten, unless the heaviest would be too heavy then. A service's backends all have the same factor,
 * so their shares are as declared once they have all risen.
 */
export function slowStartFactor(heaviest: number, slowStartMs: number): number {
  if (slowStartMs <= 0) return 1;
  const room = Math.floor(WEIGHT_MAX / Math.max(1, heaviest));
  return Math.max(1, Math.min(SLOW_START_STEPS, room));
}

/**
 * The weight of a backend at a time: from 1 to `full` in at most ten equal steps, the first at
 * `since`. A pure function of its arguments; it never falls as time goes on.
 */
export function slowStartWeight(input: SlowStart, now: Timestamp): WeightAt {
  const { full, since, slowStartMs } = input;
  if (full <= 1 || slowStartMs <= 0) return { weight: full };
  const steps = Math.min(SLOW_START_STEPS, full - 1);
  const step = Math.max(0, Math.floor(((now - since) * steps) / slowStartMs));
  if (step >= steps) return { weight: full };
  return {
    weight: 1 + Math.floor(((full - 1) * step) / steps),
    changesAt: since + Math.ceil(((step + 1) * slowStartMs) / steps),
  };
}
