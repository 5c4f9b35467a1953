/**
 * Slots by weight: whole numbers of slots for shares that are not whole.
 *
 * **Source:** the method of the largest remainder (Hamilton).
 */

/**
 * How many of `slots` each weight gets: its share, rounded down, and what is left over to the
 * largest remainders, of equal ones to the first. The sum is `slots` when any weight is positive.
 * A positive weight gets at least one slot as long as there are enough for all of them, taken from
 * those that have most.
 * Cost: O(n log n).
 */
export function apportion(weights: readonly number[], slots: number): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + Math.max(0, weight), 0);
  if (total <= 0) return weights.map(() => 0);
  const shares = weights.map((weight) => (Math.max(0, weight) * slots) / total);
  const counts = shares.map(Math.floor);
  const rest = slots - counts.reduce((sum, count) => sum + count, 0);
  const byRemainder = shares
    .map((share, position) => ({ position, remainder: share - Math.floor(share) }))
    .sort((a, b) => b.remainder - a.remainder || a.position - b.position);
  for (const { position } of byRemainder.slice(0, rest))
    counts[position] = at(counts, position) + 1;
  return withNobodyLeftOut(weights, counts);
}

function withNobodyLeftOut(weights: readonly number[], counts: number[]): readonly number[] {
  for (const [position, weight] of weights.entries()) {
    if (weight <= 0 || at(counts, position) > 0) continue;
    const most = counts.reduce(
      (best, count, other) => (count > at(counts, best) ? other : best),
      0,
    );
    if (at(counts, most) < 2) break;
    counts[most] = at(counts, most) - 1;
    counts[position] = 1;
  }
  return counts;
}

function at(counts: readonly number[], position: number): number {
  return counts[position] ?? 0;
}
