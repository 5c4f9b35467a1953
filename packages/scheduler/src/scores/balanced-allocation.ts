/**
 * Nodes whose cpu and memory are used in like parts, so that neither is left over without the
 * other.
 *
 * **Source:** kube-scheduler noderesources/balanced_allocation.go: the standard deviation of the
 * parts used. Deviation: not rounded to whole points.
 */
import type { NodeInfo } from '../node-info.js';
import type { PreparedScore, Score } from '../policy.js';
import { AmountScale } from './amounts.js';

// Of two parts, the standard deviation is half their difference: each part of 100 points counts
// half, which is what equal weights give.
const SCALE = new AmountScale({});

/** How much more is left of cpu than of memory, in points. */
const surplus = (node: NodeInfo): number => SCALE.cpuLeft(node) - SCALE.memoryLeft(node);

/** 100 less the standard deviation of the parts used with the task, in points: from 50 to 100. */
export const balancedAllocationScore: Score = Object.freeze({
  name: 'balanced-allocation',
  label: 'cpu and memory used in like parts',
  prepare: ({ group: { requirements } }): PreparedScore => {
    const { cpuNanos, memoryBytes } = requirements;
    return {
      key: `${cpuNanos} ${memoryBytes}`,
      score: (node: NodeInfo) => {
        const asked = cpuNanos * SCALE.cpuPoints(node) - memoryBytes * SCALE.memoryPoints(node);
        return 100 - Math.abs(surplus(node) - asked);
      },
      scoreAll: (columns, ordinals, out) => {
        const points = SCALE.columns(columns);
        const [before, cpu, memory] = [columns.followed(surplus), points.cpu, points.memory];
        for (let k = 0; k < ordinals.length; k += 1) {
          const at = ordinals[k] as number;
          const asked = cpuNanos * (cpu[at] as number) - memoryBytes * (memory[at] as number);
          out[k] = 100 - Math.abs((before[at] as number) - asked);
        }
      },
      boundAll: (columns, out) => {
        const before = columns.ranges(surplus);
        const cpu = columns.ranges(SCALE.cpuPoints);
        const memory = columns.ranges(SCALE.memoryPoints);
        for (let b = 0; b < out.length; b += 1) {
          const low =
            cpuNanos * (cpu.least[b] as number) - memoryBytes * (memory.most[b] as number);
          const high =
            cpuNanos * (cpu.most[b] as number) - memoryBytes * (memory.least[b] as number);
          const above = (before.least[b] as number) - high;
          const below = (before.most[b] as number) - low;
          out[b] = 100 - (above > 0 ? above : below < 0 ? -below : 0);
        }
      },
    };
  },
} satisfies Score);
