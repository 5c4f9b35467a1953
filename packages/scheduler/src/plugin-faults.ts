/**
 * What plugins may not answer: found where it would decide, and said with the plugin and the node.
 */
import { SkepError } from '@skep/api';
import type { NodeInfo } from './node-info.js';
import { passes, type PreparedGroup } from './prepared-group.js';

/**
 * Throws for the first score, in the order of the policy, that is no finite number for one of the
 * nodes that pass every filter, as given or as normalised. Cost: O(nodes × filters and scores).
 * @throws SkepError failed-precondition
 */
export function judgeScores(prepared: PreparedGroup): void {
  const { state, scores, policy } = prepared;
  const candidates = state.nodes.filter((node) => passes(prepared, node));
  const judge = (name: string, values: Float64Array, what: string): void => {
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at === -1) return;
    throw new SkepError(
      'failed-precondition',
      `policy ${policy.name}: score ${name} ${what} ${values[at] ?? NaN} for node ` +
        `${candidates[at]?.name ?? ''}; a score is a finite number`,
    );
  };
  for (const { score, prepared: active } of scores) {
    const values = Float64Array.from(candidates, (node) => active.score(node));
    judge(score.name, values, 'is');
    if (active.normalise === undefined) continue;
    active.normalise(values);
    judge(score.name, values, 'is normalised to');
  }
}

/** Throws when a rank is not a number: such nodes would have no order. */
export function judgeRank(
  { policy }: PreparedGroup,
  name: string,
  ranks: readonly (readonly [NodeInfo, number])[],
): void {
  const wrong = ranks.find(([, value]) => Number.isNaN(value));
  if (wrong === undefined) return;
  throw new SkepError(
    'failed-precondition',
    `policy ${policy.name}: rank ${name} is NaN for node ${wrong[0].name}; a rank is a number`,
  );
}
