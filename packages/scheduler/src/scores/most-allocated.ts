/**
 * Nodes with less cpu and memory left: tasks are packed.
 *
 * **Source:** kube-scheduler noderesources/most_allocated.go. Deviations: not rounded to whole
 * points, and a task without reservations counts as nothing.
 */
import type { NodeInfo } from '../node-info.js';
import type { PreparedScore, Score } from '../policy.js';
import { AmountScale, type AmountWeights } from './amounts.js';

/**
 * What is used of cpu and memory with the task, in parts of what the node has: from 0 to 100. What
 * a node is over its capacity counts as all of it.
 */
export function mostAllocatedScore(weights: AmountWeights = {}): Score {
  const scale = new AmountScale(weights);
  const { left } = scale;
  return Object.freeze({
    name: 'most-allocated',
    label: 'less cpu and memory left',
    prepare: ({ group: { requirements } }): PreparedScore => {
      const { cpuNanos, memoryBytes } = requirements;
      return {
        key: `${cpuNanos} ${memoryBytes}`,
        score: (node: NodeInfo) => {
          const asked = cpuNanos * scale.cpuPoints(node) + memoryBytes * scale.memoryPoints(node);
          return 100 - (left(node) - asked);
        },
        scoreAll: (columns, ordinals, out) => {
          const before = columns.followed(left);
          const cpu = columns.followed(scale.cpuPoints);
          const memory = columns.followed(scale.memoryPoints);
          for (let k = 0; k < ordinals.length; k += 1) {
            const at = ordinals[k] as number;
            const asked = cpuNanos * (cpu[at] as number) + memoryBytes * (memory[at] as number);
            out[k] = 100 - ((before[at] as number) - asked);
          }
        },
        boundAll: (columns, out) => {
          const { least } = columns.ranges(left);
          const cpu = columns.ranges(scale.cpuPoints).most;
          const memory = columns.ranges(scale.memoryPoints).most;
          for (let b = 0; b < out.length; b += 1) {
            const asked = cpuNanos * (cpu[b] as number) + memoryBytes * (memory[b] as number);
            out[b] = 100 - ((least[b] as number) - asked);
          }
        },
      };
    },
  } satisfies Score);
}
