/**
 * Nodes with more cpu and memory left: load is spread by amounts.
 *
 * **Source:** kube-scheduler noderesources/least_allocated.go. Deviations: not rounded to whole
 * points, and a task without reservations counts as nothing.
 */
import type { NodeColumns } from '../node-columns.js';
import type { NodeInfo } from '../node-info.js';
import type { PreparedScore, Score, ScorePlane } from '../policy.js';
import type { Requirements } from '../requirements.js';
import { AmountScale, EQUAL_SCALE, type AmountWeights } from './amounts.js';

/**
 * What is left of cpu and memory after the task, in parts of what the node has: from 0 to 100. What
 * a node is over its capacity counts as nothing left.
 */
export function leastAllocatedScore(weights: AmountWeights = {}): Score {
  const amounts = new AmountScale(weights);
  return Object.freeze({
    name: 'least-allocated',
    label: 'more cpu and memory left',
    prepare: ({ group }) => new LeastAllocated(amounts, group.requirements),
  } satisfies Score);
}

/** For one task. A class: made for every task. */
class LeastAllocated implements PreparedScore {
  readonly #amounts: AmountScale;
  readonly #cpuNanos: number;
  readonly #memoryBytes: number;

  constructor(amounts: AmountScale, { cpuNanos, memoryBytes }: Requirements) {
    this.#amounts = amounts;
    this.#cpuNanos = cpuNanos;
    this.#memoryBytes = memoryBytes;
  }

  get key(): string {
    return `${this.#cpuNanos} ${this.#memoryBytes}`;
  }

  score(node: NodeInfo): number {
    const { left, cpuPoints, memoryPoints } = this.#amounts;
    return left(node) - (this.#cpuNanos * cpuPoints(node) + this.#memoryBytes * memoryPoints(node));
  }

  scoreAll(columns: NodeColumns, ordinals: Int32Array, out: Float64Array): void {
    const cpuNanos = this.#cpuNanos;
    const memoryBytes = this.#memoryBytes;
    const before = columns.followed(this.#amounts.left);
    const cpu = columns.followed(this.#amounts.cpuPoints);
    const memory = columns.followed(this.#amounts.memoryPoints);
    for (let k = 0; k < ordinals.length; k += 1) {
      const at = ordinals[k] as number;
      out[k] =
        (before[at] as number) -
        (cpuNanos * (cpu[at] as number) + memoryBytes * (memory[at] as number));
    }
  }

  boundAll(columns: NodeColumns, out: Float64Array): void {
    const cpuNanos = this.#cpuNanos;
    const memoryBytes = this.#memoryBytes;
    const { most } = columns.ranges(this.#amounts.left);
    const cpu = columns.ranges(this.#amounts.cpuPoints).least;
    const memory = columns.ranges(this.#amounts.memoryPoints).least;
    for (let b = 0; b < out.length; b += 1) {
      out[b] =
        (most[b] as number) - (cpuNanos * (cpu[b] as number) + memoryBytes * (memory[b] as number));
    }
  }

  planes(): readonly ScorePlane[] {
    const { cpuLeft, memoryLeft, cpuPoints, memoryPoints } = EQUAL_SCALE;
    const cpu = this.#amounts.cpu / EQUAL_SCALE.cpu;
    const memory = this.#amounts.memory / EQUAL_SCALE.memory;
    const terms = [
      { column: cpuLeft, factor: cpu },
      { column: memoryLeft, factor: memory },
      { column: cpuPoints, factor: -cpu * this.#cpuNanos },
      { column: memoryPoints, factor: -memory * this.#memoryBytes },
    ];
    return [{ constant: 0, terms }];
  }
}
