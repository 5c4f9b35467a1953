/**
 * Nodes with more cpu and memory left: load is spread by amounts.
 *
 * **Source:** kube-scheduler noderesources/least_allocated.go. Deviations: not rounded to whole
 * points, and a task without reservations counts as nothing.
 */
import type { NodeInfo } from '../node-info.js';
import type { PreparedScore, Score } from '../policy.js';
import { AmountScale, type AmountWeights } from './amounts.js';

/**
 * What is left of cpu and memory after the task, in parts of what the node has: from 0 to 100. What
 * a node is over its capacity counts as nothing left.
 */
export function leastAllocatedScore(weights: AmountWeights = {}): Score {
  const scale = new AmountScale(weights);
  const left = (node: NodeInfo): number => scale.cpuLeft(node) + scale.memoryLeft(node);
  return Object.freeze({
    name: 'least-allocated',
    label: 'more cpu and memory left',
    prepare: ({ group: { requirements } }): PreparedScore => {
      const { cpuNanos, memoryBytes } = requirements;
      return {
        key: `${cpuNanos} ${memoryBytes}`,
        score: (node: NodeInfo) =>
          left(node) - (cpuNanos * scale.cpuPoints(node) + memoryBytes * scale.memoryPoints(node)),
        scoreAll: (columns, out) => {
          const points = scale.columns(columns);
          const [before, cpu, memory] = [columns.followed(left), points.cpu, points.memory];
          for (let at = 0; at < out.length; at += 1) {
            out[at] =
              (before[at] as number) -
              (cpuNanos * (cpu[at] as number) + memoryBytes * (memory[at] as number));
          }
        },
      };
    },
  } satisfies Score);
}
