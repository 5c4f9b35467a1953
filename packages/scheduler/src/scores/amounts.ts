/**
 * Amounts of cpu and memory as parts of what a node has.
 */
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
  /** Points for all cpu of a node. */
  readonly cpu: number;
  /** Points for all memory of a node. */
  readonly memory: number;

  constructor({ cpu = 1, memory = 1 }: AmountWeights) {
    this.cpu = (100 * cpu) / (cpu + memory);
    this.memory = (100 * memory) / (cpu + memory);
  }

  /** Points for each billionth of a core of the node; 0 when it has none. */
  readonly cpuPoints = ({ capacityCpuNanos }: NodeInfo): number =>
    capacityCpuNanos > 0 ? this.cpu / capacityCpuNanos : 0;

  /** Points for each byte of the node; 0 when it has none. */
  readonly memoryPoints = ({ capacityMemoryBytes }: NodeInfo): number =>
    capacityMemoryBytes > 0 ? this.memory / capacityMemoryBytes : 0;

  /** Points for what is left of cpu; what is over capacity counts as nothing left. */
  readonly cpuLeft = (node: NodeInfo): number =>
    Math.max(0, node.availableCpuNanos) * this.cpuPoints(node);

  /** Points for what is left of memory. */
  readonly memoryLeft = (node: NodeInfo): number =>
    Math.max(0, node.availableMemoryBytes) * this.memoryPoints(node);

  /** Points for what is left of both. */
  readonly left = (node: NodeInfo): number => this.cpuLeft(node) + this.memoryLeft(node);

  /** How many points more are left of cpu than of memory. */
  readonly surplus = (node: NodeInfo): number => this.cpuLeft(node) - this.memoryLeft(node);
}

/** Both resources by half. Scores that share its columns are bounded together. */
export const EQUAL_SCALE = new AmountScale({});
