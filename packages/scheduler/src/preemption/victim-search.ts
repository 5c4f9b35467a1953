/**
 * The cheapest victims on one node.
 *
 * Exact as long as there are few candidates: sets are tried in depth, and a branch is left as soon
 * as it costs at least as much as the best that is known. Taking one more victim always costs more,
 * so nothing cheaper is missed, and no victim is taken in vain.
 */
import { compareText } from '@skep/api';
import {
  comparePreemptionCosts,
  compareVictims,
  preemptionCost,
  violatorsOf,
  type DisruptionBudget,
  type PreemptionCost,
  type VictimCandidate,
} from './preemption-cost.js';

/**
 * Candidates on a node up to which every set of them is considered. Beyond, the search is greedy as
 * in kube-scheduler, and then looks for something cheaper among the sets of this many candidates of
 * the least priority. Larger finds cheaper victims on crowded nodes, at up to twice the time for
 * each one more.
 */
export const EXACT_VICTIMS_MAX = 12;

/** Victims on one node. */
export interface VictimSet {
  readonly victims: readonly VictimCandidate[];
  readonly cost: PreemptionCost;
}

/** The node that is searched. */
export interface VictimSearch {
  /** Tasks that may be taken. */
  readonly candidates: readonly VictimCandidate[];
  readonly budget?: DisruptionBudget;
  /** Whether the task would fit if these were gone. */
  fitsWithout(victims: readonly VictimCandidate[]): boolean;
}

/**
 * The cheapest set after which the task fits, if there is one that costs less than `bound`.
 * Of equal sets the one whose ids come first. Cost: at most 2^{@link EXACT_VICTIMS_MAX} questions,
 * usually few.
 */
export function cheapestVictims(
  search: VictimSearch,
  bound: PreemptionCost | undefined,
): VictimSet | undefined {
  const candidates = [...search.candidates].sort(compareVictims);
  const found = search.fitsWithout(candidates) ? reprieved(search, candidates) : undefined;
  const isBetter = found !== undefined && isCheaper(found.cost, bound);
  const considered = candidates.slice(0, EXACT_VICTIMS_MAX);
  return searched(search, { considered, best: isBetter ? found : undefined, bound });
}

/**
 * Takes all and reprieves: first those that break a budget, then the most important, each as long
 * as the task still fits.
 * **Source:** kube-scheduler plugins/defaultpreemption, SelectVictimsOnNode.
 */
function reprieved(search: VictimSearch, candidates: readonly VictimCandidate[]): VictimSet {
  const violators =
    search.budget === undefined ? undefined : violatorsOf(candidates, search.budget);
  const isViolator = ({ task }: VictimCandidate): number => (violators?.has(task) ? 1 : 0);
  const toReprieve = [...candidates].sort(
    (a, b) => isViolator(b) - isViolator(a) || compareVictims(b, a),
  );
  let victims = candidates;
  for (const candidate of toReprieve) {
    const left = victims.filter((victim) => victim !== candidate);
    if (search.fitsWithout(left)) victims = left;
  }
  return { victims, cost: preemptionCost(victims, search.budget) };
}

function searched(
  search: VictimSearch,
  start: {
    readonly considered: readonly VictimCandidate[];
    readonly best: VictimSet | undefined;
    readonly bound: PreemptionCost | undefined;
  },
): VictimSet | undefined {
  const { considered, bound } = start;
  let { best } = start;
  const visit = (victims: readonly VictimCandidate[], from: number): void => {
    const cost = preemptionCost(victims, search.budget);
    const limit = best?.cost ?? bound;
    if (victims.length > 0) {
      if (limit !== undefined && isHopeless(cost, limit)) return;
      if (search.fitsWithout(victims)) {
        const set = { victims, cost };
        if (best === undefined ? isCheaper(cost, bound) : compareSets(set, best) < 0) best = set;
        return;
      }
    }
    for (let at = from; at < considered.length; at += 1) {
      visit([...victims, considered[at] as VictimCandidate], at + 1);
    }
  };
  visit([], 0);
  return best;
}

/** Whether neither this set nor one with more victims can be cheaper than the limit. */
function isHopeless(cost: PreemptionCost, limit: PreemptionCost): boolean {
  // Start times are left out: a victim of higher priority makes those of the others worthless.
  return comparePreemptionCosts({ ...cost, startedAt: limit.startedAt }, limit) > 0;
}

function isCheaper(cost: PreemptionCost, bound: PreemptionCost | undefined): boolean {
  return bound === undefined || comparePreemptionCosts(cost, bound) < 0;
}

function compareSets(a: VictimSet, b: VictimSet): number {
  return comparePreemptionCosts(a.cost, b.cost) || compareText(idsOf(a), idsOf(b));
}

function idsOf({ victims }: VictimSet): string {
  return victims
    .map(({ task }) => task.meta.id)
    .sort(compareText)
    .join('\u0000');
}
