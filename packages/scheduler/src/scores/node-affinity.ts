/**
 * Nodes whose labels the task prefers.
 *
 * **Source:** kube-scheduler nodeaffinity, preferred terms. Deviation: points are parts of all
 * weights and not of the best candidate's, so that a value stands for itself.
 */
import { matchesTerm } from '../label-match.js';
import type { NodeInfo } from '../node-info.js';
import type { PreparedScore, Score } from '../policy.js';

/**
 * The weights of the terms of `placement.nodeAffinity.preferred` that hold, in parts of all
 * weights:
 * from 0 to 100. Nothing for tasks without preferred terms.
 */
export const nodeAffinityScore: Score = Object.freeze({
  name: 'node-affinity',
  label: 'more of the preferred labels',
  prepare: ({ group: { template } }): PreparedScore | undefined => {
    const wishes = template.placement?.nodeAffinity?.preferred;
    if (wishes === undefined || wishes.length === 0) return undefined;
    const all = wishes.reduce((sum, { weight }) => sum + weight, 0);
    return {
      key: JSON.stringify(wishes),
      score: (node: NodeInfo) => {
        let held = 0;
        for (const { weight, term } of wishes) if (matchesTerm(term, node)) held += weight;
        return all === 0 ? 0 : (100 * held) / all;
      },
    };
  },
} satisfies Score);
