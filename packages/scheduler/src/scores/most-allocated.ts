/**
 * Nodes with less cpu and memory left: tasks are packed.
 *
 * **Source:** kube-scheduler noderesources/most_allocated.go. Deviations: not rounded to whole
 * points, and a task without reservations counts as nothing.
 */
import type { NodeInfo } from '../node-info.js';
import type { PreparedScore, Score } from '../policy.js';
import type { AmountWeights } from './amounts.js';
import { leastAllocatedScore } from './least-allocated.js';

/**
 * What is used of cpu and memory with the task, in parts of what the node has: from 0 to 100. What
 * a node is over its capacity counts as all of it.
 */
export function mostAllocatedScore(weights: AmountWeights = {}): Score {
  const least = leastAllocatedScore(weights);
  return Object.freeze({
    name: 'most-allocated',
    label: 'less cpu and memory left',
    prepare: (context): PreparedScore | undefined => {
      const left = least.prepare(context);
      if (left === undefined) return undefined;
      return {
        ...left,
        score: (node: NodeInfo) => 100 - left.score(node),
        scoreAll: (columns, out) => {
          left.scoreAll?.(columns, out);
          for (let at = 0; at < out.length; at += 1) out[at] = 100 - (out[at] as number);
        },
      };
    },
  } satisfies Score);
}
