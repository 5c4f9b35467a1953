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
        scoreAll: (columns, ordinals, out) => {
          const points = scale.columns(columns);
          const [before, cpu, memory] = [columns.followed(left), points.cpu, points.memory];
          for (let k = 0; k < ordinals.length; k += 1) {
            const at = ordinals[k] as number;
            out[k] =
              (before[at] as number) -
              (cpuNanos * (cpu[at] as number) + memoryBytes * (memory[at] as number));
          }
        },
        boundAll: (columns, out) => {
          const { most } = columns.ranges(left);
          const cpu = columns.ranges(scale.cpuPoints).least;
          const memory = columns.ranges(scale.memoryPoints).least;
          for (let b = 0; b < out.length; b += 1) {
            out[b] =
              (most[b] as number) -
              (cpuNanos * (cpu[b] as number) + memoryBytes * (memory[b] as number));
          }
        },
      };
    },
  } satisfies Score);
}
