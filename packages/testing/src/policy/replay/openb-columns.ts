/**
 * The columns of the published tables, out of the samples of a replay.
 *
 * **Source:** the result tables of "Beware of Fragmentation" (USENIX ATC'23), columns 0 to 130.
 */
import type { ReplayResult } from './replay.js';

/** Columns by arrived workload, in per cent of the cluster's devices: from 0 to 130. */
export const OPENB_COLUMNS = 131;

/** Three figures in per cent, each by arrived workload; null where nothing arrived near it. */
export interface OpenbColumns {
  /** What is allocated, of all devices. */
  readonly allo: readonly (number | null)[];
  /** What is fragmented, of all devices ("Frag/Total"). */
  readonly frag: readonly (number | null)[];
  /** What is fragmented, of what is idle ("Frag Rate"). */
  readonly fragRatio: readonly (number | null)[];
}

/**
 * The mean over the arrivals of each column; where there are none, over those of its neighbours.
 * An arrival belongs to the column to which the arrived workload is rounded. All rounding is half
 * to even, and what is rounded to hundredths is summed as whole hundredths, so that a mean that
 * lies half way is found to.
 */
export function openbColumns({ samples, totals }: ReplayResult): OpenbColumns {
  const total = totals.deviceMilli;
  const buckets = Array.from({ length: OPENB_COLUMNS + 1 }, (): number[] => []);
  for (const [at, arrived] of samples.arrivedMilli.entries()) {
    buckets[roundHalfToEven((100 * arrived) / total)]?.push(at);
  }
  const column = (value: (at: number) => number): readonly (number | null)[] =>
    Array.from({ length: OPENB_COLUMNS }, (_, k) => {
      const own = buckets[k] ?? [];
      const near = own.length > 0 ? own : [...(buckets[k - 1] ?? []), ...(buckets[k + 1] ?? [])];
      if (near.length === 0) return null;
      return near.reduce((sum, at) => sum + value(at), 0) / near.length;
    });
  const { usedMilli, fragmentedMilli, idleMilli } = samples;
  const hundredths = (part: number, all: number): number => {
    return all === 0 ? 0 : roundHalfToEven(((100 * part) / all) * 100);
  };
  const allo = column((at) => hundredths(usedMilli[at] ?? 0, total));
  const frag = column((at) => (100 * (fragmentedMilli[at] ?? 0)) / total);
  const fragRatio = column((at) => hundredths(fragmentedMilli[at] ?? 0, idleMilli[at] ?? 0));
  return {
    allo: allo.map((mean) => (mean === null ? null : roundHalfToEven(mean) / 100)),
    frag,
    fragRatio: fragRatio.map((mean) => (mean === null ? null : mean / 100)),
  };
}

function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
