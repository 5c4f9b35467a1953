/**
 * Nodes whose cpu and memory are used in like parts, so that neither is left over without the
 * other.
 *
 * **Source:** kube-scheduler noderesources/balanced_allocation.go: the standard deviation of the
 * parts used. Deviation: not rounded to whole points.
 */
import type { NodeColumns } from '../node-columns.js';
import type { NodeInfo } from '../node-info.js';
import type { PreparedScore, Score, ScorePlane } from '../policy.js';
import type { Requirements } from '../requirements.js';
import { EQUAL_SCALE } from './amounts.js';

// Of two parts, the standard deviation is half their difference: each part of 100 points counts
// half, which is what equal weights give.
const SCALE = EQUAL_SCALE;

/** 100 less the standard deviation of the parts used with the task, in points: from 50 to 100. */
export const balancedAllocationScore: Score = Object.freeze({
  name: 'balanced-allocation',
  label: 'cpu and memory used in like parts',
  prepare: ({ group }) => new BalancedAllocation(group.requirements),
} satisfies Score);

/** For one task. A class: made for every task. */
class BalancedAllocation implements PreparedScore {
  readonly #cpuNanos: number;
  readonly #memoryBytes: number;

  constructor({ cpuNanos, memoryBytes }: Requirements) {
    this.#cpuNanos = cpuNanos;
    this.#memoryBytes = memoryBytes;
  }

  get key(): string {
    return `${this.#cpuNanos} ${this.#memoryBytes}`;
  }

  score(node: NodeInfo): number {
    const asked =
      this.#cpuNanos * SCALE.cpuPoints(node) - this.#memoryBytes * SCALE.memoryPoints(node);
    return 100 - Math.abs(SCALE.surplus(node) - asked);
  }

  scoreAll(columns: NodeColumns, ordinals: Int32Array, out: Float64Array): void {
    const cpuNanos = this.#cpuNanos;
    const memoryBytes = this.#memoryBytes;
    const before = columns.followed(SCALE.surplus);
    const cpu = columns.followed(SCALE.cpuPoints);
    const memory = columns.followed(SCALE.memoryPoints);
    for (let k = 0; k < ordinals.length; k += 1) {
      const at = ordinals[k] as number;
      const asked = cpuNanos * (cpu[at] as number) - memoryBytes * (memory[at] as number);
      out[k] = 100 - Math.abs((before[at] as number) - asked);
    }
  }

  boundAll(columns: NodeColumns, out: Float64Array): void {
    const cpuNanos = this.#cpuNanos;
    const memoryBytes = this.#memoryBytes;
    const before = columns.ranges(SCALE.surplus);
    const cpu = columns.ranges(SCALE.cpuPoints);
    const memory = columns.ranges(SCALE.memoryPoints);
    for (let b = 0; b < out.length; b += 1) {
      const low = cpuNanos * (cpu.least[b] as number) - memoryBytes * (memory.most[b] as number);
      const high = cpuNanos * (cpu.most[b] as number) - memoryBytes * (memory.least[b] as number);
      const above = (before.least[b] as number) - high;
      const below = (before.most[b] as number) - low;
      out[b] = 100 - (above > 0 ? above : below < 0 ? -below : 0);
    }
  }

  /** 100 less the surplus, and 100 less what is missing: one of them is less. */
  planes(): readonly ScorePlane[] {
    return [this.#plane(SURPLUS, 1), this.#plane(SHORTAGE, -1)];
  }

  #plane([cpuLeft, memoryLeft]: LeftTerms, sign: 1 | -1): ScorePlane {
    const cpu = { column: SCALE.cpuPoints, factor: sign * this.#cpuNanos };
    const memory = { column: SCALE.memoryPoints, factor: -sign * this.#memoryBytes };
    return { constant: 100, terms: [cpuLeft, memoryLeft, cpu, memory] };
  }
}

type LeftTerms = readonly [cpu: PlaneTerm, memory: PlaneTerm];
type PlaneTerm = ScorePlane['terms'][number];

/** The terms that are the same for every task: less by the surplus of cpu, and the other way. */
const SURPLUS: LeftTerms = [
  Object.freeze({ column: SCALE.cpuLeft, factor: -1 }),
  Object.freeze({ column: SCALE.memoryLeft, factor: 1 }),
];
const SHORTAGE: LeftTerms = [
  Object.freeze({ column: SCALE.cpuLeft, factor: 1 }),
  Object.freeze({ column: SCALE.memoryLeft, factor: -1 }),
];
