/**
 * How many replicas a metric asks for, and how fast to go there. Pure arithmetic.
 *
 * **Source:** Kubernetes' horizontal pod autoscaler for the formula, the careful treatment of tasks
 * without a value, and the two windows.
 */
import type { Timestamp } from '@skep/api';
import type { AutoscalerSpec, Recommendation } from './kind.js';

/** What is known about the running tasks. */
export interface Measurement {
  readonly values: readonly number[];
  /** Running tasks without a value. */
  readonly missing: number;
}

/** The average, or undefined without values. */
export function averageOf({ values }: Measurement): number | undefined {
  if (values.length === 0) return undefined;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The number that would bring the average to the target: `⌈average / target × tasks⌉` within `min`
 * and `max`. `current` when nothing is known or the deviation is within the tolerance. A task
 * without a value counts as idle when that speaks for growing, as on target when for shrinking.
 */
export function recommended(
  spec: AutoscalerSpec,
  measurement: Measurement,
  current: number,
): number {
  const { values, missing } = measurement;
  const average = averageOf(measurement);
  if (average === undefined) return clamped(spec, current);
  const ratio = average / spec.target;
  const isUp = ratio > 1;
  const tasks = values.length + missing;
  const filled = (ratio * values.length + (isUp ? 0 : missing)) / tasks;
  const isFlipped = isUp ? filled < 1 : filled > 1;
  if (isFlipped || Math.abs(filled - 1) <= (spec.tolerance ?? 0.1)) return clamped(spec, current);
  // Rounded first: 0.7 / 0.1 × 1 is a little more than 7.
  return clamped(spec, Math.ceil(Number((filled * tasks).toFixed(9))));
}

/**
 * The number to go to: not above the least recommended within `upWindowMs`, not below the most
 * within `downWindowMs`, at most `stepMax` away, always within `min` and `max`.
 */
export function stabilized(
  spec: AutoscalerSpec,
  facts: {
    readonly recommendations: readonly Recommendation[];
    readonly current: number;
    readonly now: Timestamp;
  },
): number {
  const { recommendations, current, now } = facts;
  const { stepMax = Infinity } = spec;
  const up = Math.min(...within(recommendations, now - (spec.upWindowMs ?? 0)));
  const down = Math.max(...within(recommendations, now - downWindowMs(spec)));
  if (up > current) return clamped(spec, Math.min(up, current + stepMax));
  if (down < current) return clamped(spec, Math.max(down, current - stepMax));
  return clamped(spec, current);
}

/** The list with a new entry, if it says something new, and without what no window reaches. */
export function recorded(
  spec: AutoscalerSpec,
  recommendations: readonly Recommendation[],
  next: Recommendation,
): readonly Recommendation[] {
  if (recommendations.at(-1)?.replicas === next.replicas) return recommendations;
  const since = next.since - Math.max(spec.upWindowMs ?? 0, downWindowMs(spec));
  const reached = recommendations.filter((_, index) => {
    const following = recommendations[index + 1];
    return following === undefined || following.since > since;
  });
  return [...reached, next];
}

function downWindowMs({ downWindowMs = 300_000 }: AutoscalerSpec): number {
  return downWindowMs;
}

/** What was recommended at any time since `since`: an entry holds until the next one. */
function within(recommendations: readonly Recommendation[], since: Timestamp): readonly number[] {
  return recommendations
    .filter((_, index) => {
      const following = recommendations[index + 1];
      return following === undefined || following.since > since;
    })
    .map(({ replicas }) => replicas);
}

function clamped({ min, max }: AutoscalerSpec, replicas: number): number {
  return Math.min(max, Math.max(min, replicas));
}
