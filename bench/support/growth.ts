/**
 * How cost grows with size.
 */
import type { BenchResult } from './measure.js';

/** What something of a size costs. */
export interface CostPoint {
  readonly size: number;
  /** In any unit, above 0. */
  readonly cost: number;
}

/**
 * The exponent `e` with which `cost = c × size^e` fits the points best (least squares of the
 * logarithms): 1 where cost doubles with size, 0 where it stays. At least two different sizes.
 */
export function growthExponent(points: readonly CostPoint[]): number {
  const xs = points.map(({ size }) => Math.log(size));
  const ys = points.map(({ cost }) => Math.log(cost));
  const meanX = meanOf(xs);
  const meanY = meanOf(ys);
  let above = 0;
  let below = 0;
  for (const [at, x] of xs.entries()) {
    above += (x - meanX) * ((ys[at] ?? Number.NaN) - meanY);
    below += (x - meanX) ** 2;
  }
  return above / below;
}

/** The growth as results: each step from one size to the next, and the exponent that fits all. */
export function* growthResults(
  name: string,
  points: readonly CostPoint[],
): Generator<BenchResult, void> {
  for (const [at, { size, cost }] of points.entries()) {
    const before = points[at - 1];
    if (before === undefined) continue;
    const value = cost / before.cost;
    yield { case: name, metric: `${before.size} to ${size}`, value, unit: '×' };
  }
  yield { case: name, metric: 'exponent', value: growthExponent(points), unit: '' };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
