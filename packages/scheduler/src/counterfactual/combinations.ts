/**
 * One remedy for each need: the cheapest ways to choose them.
 */
import { canonicalJson, compareBy, compareText } from '@skep/api';
import type { CostedRemedy } from './remedy.js';

/** Remedies in a combination at most; what needs more is hardly a help. */
export const REMEDIES_MAX = 4;
/** Ways that are looked at for one node. Beyond, only the cheapest alternative of a need counts. */
const WAYS_MAX = 64;

/**
 * The ways to meet all needs, the cheapest first; at most `WAYS_MAX` are looked at. A remedy that
 * meets several needs comes once. The remedies of a way are in the order of their text.
 */
export function combinations(
  needs: readonly (readonly CostedRemedy[])[],
): readonly (readonly CostedRemedy[])[] {
  let ways: readonly (readonly CostedRemedy[])[] = [[]];
  for (const need of needs) {
    const alternatives = [...need].sort((a, b) => a.cost - b.cost);
    const isTooMuch = ways.length * alternatives.length > WAYS_MAX;
    const taken = isTooMuch ? alternatives.slice(0, 1) : alternatives;
    ways = ways.flatMap((way) => taken.map((remedy) => [...way, remedy]));
  }
  const distinct = new Map<string, Combination>();
  for (const way of ways) {
    const byText = new Map(way.map((one) => [canonicalJson(one.remedy), one]));
    if (byText.size > REMEDIES_MAX) continue;
    const inOrder = [...byText].sort(([a], [b]) => compareText(a, b));
    const parts = inOrder.map(([, one]) => one);
    const key = inOrder.map(([text]) => text).join();
    distinct.set(key, { key, parts, cost: parts.reduce((sum, one) => sum + one.cost, 0) });
  }
  return [...distinct.values()].sort(compareCombinations).map(({ parts }) => parts);
}

interface Combination {
  readonly key: string;
  readonly parts: readonly CostedRemedy[];
  readonly cost: number;
}

const compareCombinations = compareBy<Combination>(
  (a, b) => a.cost - b.cost,
  (a, b) => compareText(a.key, b.key),
);
