/**
 * Ready policies for ordinary clusters, beyond Swarm's.
 *
 * They honour everything that a placement can require; they differ in what they prefer.
 */
import { nodeAffinityFilter } from '../filters/node-affinity-filter.js';
import { serviceAffinityFilter } from '../filters/service-affinity-filter.js';
import { taintFilter } from '../filters/taint-filter.js';
import { topologySpreadFilter } from '../filters/topology-spread-filter.js';
import type { Filter, Policy } from '../policy.js';
import type { AmountWeights } from '../scores/amounts.js';
import { balancedAllocationScore } from '../scores/balanced-allocation.js';
import { imageLocalityScore } from '../scores/image-locality.js';
import { leastAllocatedScore } from '../scores/least-allocated.js';
import { mostAllocatedScore } from '../scores/most-allocated.js';
import { nodeAffinityScore } from '../scores/node-affinity.js';
import { serviceAffinityScore } from '../scores/service-affinity.js';
import { taintScore } from '../scores/taint.js';
import { topologySpreadScore, type TopologySpreadOptions } from '../scores/topology-spread.js';
import { swarmPolicy } from '../swarm-policy.js';
import { composePolicy, weighted } from './compose-policy.js';
import type { TieBreakOption } from './tie-break.js';

/** Everything that a placement can require: Swarm's filters, and those beyond Swarm. */
export const STANDARD_FILTERS: readonly Filter[] = Object.freeze([
  ...swarmPolicy().filters,
  taintFilter,
  nodeAffinityFilter,
  serviceAffinityFilter,
  topologySpreadFilter,
]);

/** Most cpu and memory left: load is spread by amounts. */
export function leastAllocatedPolicy(options: AmountWeights & TieBreakOption = {}): Policy {
  const scores = [leastAllocatedScore(options)];
  return composePolicy({ name: 'least-allocated', ...common(options), scores });
}

/** Least cpu and memory left: bin packing. */
export function mostAllocatedPolicy(options: AmountWeights & TieBreakOption = {}): Policy {
  const scores = [mostAllocatedScore(options)];
  return composePolicy({ name: 'most-allocated', ...common(options), scores });
}

/** Much left of cpu and memory, and of both alike. */
export function balancedPolicy(options: AmountWeights & TieBreakOption = {}): Policy {
  const scores = [leastAllocatedScore(options), balancedAllocationScore];
  return composePolicy({ name: 'balanced', ...common(options), scores });
}

/**
 * kube-scheduler's default: its filters and scores with its weights, over services instead of pod
 * selectors. Without its random tie-break: what is equal goes by name.
 * **Source:** kube-scheduler's default plugins (1.26 to 1.34).
 */
export function kubernetesPolicy(options: TopologySpreadOptions & TieBreakOption = {}): Policy {
  return composePolicy({
    name: 'kubernetes',
    ...common(options),
    scores: [
      weighted(taintScore, 3),
      weighted(nodeAffinityScore, 2),
      weighted(topologySpreadScore(options), 2),
      weighted(serviceAffinityScore, 2),
      leastAllocatedScore(),
      balancedAllocationScore,
      imageLocalityScore,
    ],
  });
}

function common({ tieBreak }: TieBreakOption): Pick<Policy, 'filters' | 'tieBreak'> {
  return { filters: STANDARD_FILTERS, ...(tieBreak === undefined ? {} : { tieBreak }) };
}
