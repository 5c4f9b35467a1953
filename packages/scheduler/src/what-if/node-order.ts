/**
 * Nodes in the order in which a policy likes them for a group, whether or not they take its tasks.
 */
import type { ClusterState } from '../cluster-state.js';
import type { NodeInfo } from '../node-info.js';
import type { PlacementOptions } from '../place.js';
import { prepareGroup, type PreparedGroup } from '../prepared-group.js';
import type { PreparedScore, RankContext, Score } from '../policy.js';
import type { TaskGroup } from '../task-group.js';

/**
 * The nodes, best first: by rank, then scores, then the policy's tie-break, then name and id.
 * Scores
 * are normalised among these nodes. Filters and spread are left out.
 * Cost: O(nodes log nodes × terms).
 */
export function rankNodes(
  state: ClusterState,
  wish: { readonly group: TaskGroup; readonly nodes: readonly NodeInfo[] },
  options: PlacementOptions,
): readonly NodeInfo[] {
  const { group, nodes } = wish;
  const prepared = prepareGroup(state, group, options);
  const inOrder = [...nodes].sort((a, b) => a.ordinal - b.ordinal);
  const totals = scoreTotals(prepared, inOrder, options);
  const { tieBreak } = options.policy;
  return inOrder.sort(
    (a, b) =>
      compareRanks(prepared, a, b) ||
      (totals.get(b) ?? 0) - (totals.get(a) ?? 0) ||
      (tieBreak === undefined ? 0 : tieBreak.value(a) - tieBreak.value(b)) ||
      a.ordinal - b.ordinal,
  );
}

function compareRanks({ terms }: PreparedGroup, a: NodeInfo, b: NodeInfo): number {
  for (const term of terms) {
    const difference = term.value(a) - term.value(b);
    if (difference !== 0) return difference;
  }
  return 0;
}

function scoreTotals(
  { group, state }: PreparedGroup,
  nodes: readonly NodeInfo[],
  { policy, now }: PlacementOptions,
): ReadonlyMap<NodeInfo, number> {
  const totals = new Map<NodeInfo, number>();
  const context: RankContext = { group, state, now };
  for (const score of policy.scores ?? NO_SCORES) {
    const prepared = score.prepare(context);
    if (prepared === undefined) continue;
    const values = valuesOf(prepared, nodes);
    for (const [at, node] of nodes.entries()) {
      totals.set(node, (totals.get(node) ?? 0) + (score.weight ?? 1) * (values[at] ?? 0));
    }
  }
  return totals;
}

const NO_SCORES: readonly Score[] = Object.freeze([]);

function valuesOf(prepared: PreparedScore, nodes: readonly NodeInfo[]): Float64Array {
  const values = Float64Array.from(nodes, (node) => prepared.score(node));
  prepared.normalise?.(values);
  return values;
}
