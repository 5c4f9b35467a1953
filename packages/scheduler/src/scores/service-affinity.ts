/**
 * Places with more tasks of the services that the task likes to be near, and fewer of those that it
 * likes to be away from.
 *
 * **Source:** kube-scheduler interpodaffinity/scoring.go, with services for pod selectors.
 */
import type { ServiceAffinityTerm, Weighted } from '@skep/api';
import type { NodeInfo } from '../node-info.js';
import type { PreparedScore, RankContext, Score } from '../policy.js';
import { TopologyCounts } from '../topology-counts.js';

/**
 * The sum of weight × active tasks in the place, over `placement.serviceAffinity.preferred`, less
 * that over `placement.serviceAntiAffinity.preferred`; normalised over the candidates from 0 (the
 * least) to 100 (the most). Nothing for tasks without such wishes.
 */
export const serviceAffinityScore: Score = Object.freeze({
  name: 'service-affinity',
  label: 'nearer to the services it prefers',
  prepare: (context): PreparedScore | undefined => {
    const { serviceAffinity, serviceAntiAffinity } = context.group.template.placement ?? {};
    const wishes = [
      ...wishesOf(serviceAffinity?.preferred, 1, context),
      ...wishesOf(serviceAntiAffinity?.preferred, -1, context),
    ];
    if (wishes.length === 0) return undefined;
    return {
      dependsOn: 'cluster',
      score: (node: NodeInfo) => {
        let sum = 0;
        for (const { weight, counts } of wishes) sum += weight * counts.near(node);
        return sum;
      },
      normalise: toHundred,
    };
  },
} satisfies Score);

interface Wish {
  readonly weight: number;
  readonly counts: TopologyCounts;
}

function wishesOf(
  terms: readonly Weighted<ServiceAffinityTerm>[] | undefined,
  sign: 1 | -1,
  { state }: RankContext,
): readonly Wish[] {
  return (terms ?? []).map(({ weight, term: { service, topologyKey } }) => ({
    weight: sign * weight,
    counts: new TopologyCounts(state, state.serviceId(service), topologyKey),
  }));
}

/**
 * Maps the least value to 0 and the most to 100; equal ones to 0.
 * **Source:** kube-scheduler interpodaffinity, NormalizeScore.
 */
export function toHundred(values: Float64Array): void {
  let least = Infinity;
  let most = -Infinity;
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const range = most - least;
  for (let at = 0; at < values.length; at += 1) {
    values[at] = range > 0 ? (100 * ((values[at] as number) - least)) / range : 0;
  }
}
