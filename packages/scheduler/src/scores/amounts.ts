/**
 * Amounts of cpu and memory as parts of what a node has.
 */
import type { NodeColumns } from '../node-columns.js';
import type { NodeInfo } from '../node-info.js';

/** How much cpu and memory matter to a score. */
export interface AmountWeights {
  /** Default: 1. 0: cpu does not matter. */
  readonly cpu?: number;
  /** Default: 1. 0: memory does not matter. */
  readonly memory?: number;
}

/** Factors that turn amounts into points: each resource's part of 100, by its weight. */
export class AmountScale {
  readonly #cpu: number;
  readonly #memory: number;

  constructor({ cpu = 1, memory = 1 }: AmountWeights) {
    this.#cpu = (100 * cpu) / (cpu + memory);
    this.#memory = (100 * memory) / (cpu + memory);
  }

  /** Points for each billionth of a core of the node; 0 when it has none. */
  readonly cpuPoints = ({ capacityCpuNanos }: NodeInfo): number =>
    capacityCpuNanos > 0 ? this.#cpu / capacityCpuNanos : 0;

  /** Points for each byte of the node; 0 when it has none. */
  readonly memoryPoints = ({ capacityMemoryBytes }: NodeInfo): number =>
    capacityMemoryBytes > 0 ? this.#memory / capacityMemoryBytes : 0;

  /** Points for what is left of cpu; what is over capacity counts as nothing left. */
  cpuLeft(node: NodeInfo): number {
    return Math.max(0, node.availableCpuNanos) * this.cpuPoints(node);
  }

  /** Points for what is left of memory. */
  memoryLeft(node: NodeInfo): number {
    return Math.max(0, node.availableMemoryBytes) * this.memoryPoints(node);
  }

  /** The factors of all nodes. */
  columns(columns: NodeColumns): { readonly cpu: Float64Array; readonly memory: Float64Array } {
    return {
      cpu: columns.followed(this.cpuPoints),
      memory: columns.followed(this.memoryPoints),
    };
  }
}
