/**
 * The nodes as columns: one typed array per amount, by ordinal. For plugins that look at all nodes
 * in one call.
 */
import { compareText } from '@skep/api';
import { columnOf, FollowedColumns } from './followed-columns.js';
import { NodeBlocks, type BlockRanges } from './node-blocks.js';
import type { NodeInfo, NodeRecord } from './node-info.js';
import { topologyValue } from './topology-value.js';

/** Amounts of all nodes, each by ordinal; up to date with every change. Look, do not touch. */
export interface NodeColumns {
  readonly size: number;
  readonly nodes: readonly NodeInfo[];
  /** All ordinals: 0, 1, 2, … */
  readonly ordinals: Int32Array;
  readonly capacityCpuNanos: Float64Array;
  readonly capacityMemoryBytes: Float64Array;
  /** Capacity less reservations. */
  readonly availableCpuNanos: Float64Array;
  readonly availableMemoryBytes: Float64Array;
  readonly activeTasks: Int32Array;
  /** Free thousandths of all devices of the kind. Cost: O(nodes) at the first call for a kind. */
  freeDeviceMilli(kind: string): Float64Array;
  /** Which value of a topology key each node has. Cost: O(nodes) once per version of the nodes. */
  domains(topologyKey: string): NodeDomains;
  /**
   * A column of one's own: what the function gives for each node, and gives anew when the node or
   * its use changes. Kept for the function itself, so keep that: 32 are followed at a time, each at
   * the cost of a call a placement. Cost: O(nodes) at the first call, and after a change of nodes.
   */
  followed(value: (node: NodeInfo) => number): Float64Array;
  /** Nodes in blocks of alike ones. Cost: O(nodes log nodes) once per version of the nodes. */
  readonly blocks: NodeBlocks;
  /** The least and the most of a followed column over each block. Cost: O(blocks that changed). */
  ranges(value: (node: NodeInfo) => number): BlockRanges;
  /**
   * Calls back for every range of ordinals in which a node may have less available than asked, and
   * leaves out those where none has. Cost: O(nodes / 128) and what changed.
   */
  eachShortRange(
    asked: { readonly cpuNanos: number; readonly memoryBytes: number },
    visit: (from: number, to: number) => void,
  ): void;
  /** Whether any node has less available than asked. Cost: O(nodes / 128) and what changed. */
  isAnyShort(asked: { readonly cpuNanos: number; readonly memoryBytes: number }): boolean;
}

/** Nodes by the value of a topology key. */
export interface NodeDomains {
  /** The values there are, sorted. */
  readonly values: readonly string[];
  /** Position of each node's value in `values`; -1 for a node without the key. By ordinal. */
  readonly of: Int32Array;
}

/** The columns of a cluster state. */
export class LiveColumns implements NodeColumns {
  readonly nodes: readonly NodeRecord[];
  readonly ordinals: Int32Array;
  readonly capacityCpuNanos: Float64Array;
  readonly capacityMemoryBytes: Float64Array;
  readonly availableCpuNanos: Float64Array;
  readonly availableMemoryBytes: Float64Array;
  readonly activeTasks: Int32Array;
  readonly #devices = new Map<string, Float64Array>();
  readonly #domains = new Map<string, NodeDomains>();
  readonly #followed = new FollowedColumns();
  readonly #least: RangeMinima;
  #blocks: NodeBlocks | undefined;

  constructor(nodes: readonly NodeRecord[]) {
    const size = nodes.length;
    this.nodes = nodes;
    this.ordinals = Int32Array.from(nodes.keys());
    this.capacityCpuNanos = new Float64Array(size);
    this.capacityMemoryBytes = new Float64Array(size);
    this.availableCpuNanos = new Float64Array(size);
    this.availableMemoryBytes = new Float64Array(size);
    this.activeTasks = new Int32Array(size);
    this.#least = new RangeMinima(this.availableCpuNanos, this.availableMemoryBytes);
    for (const node of nodes) this.write(node);
  }

  get size(): number {
    return this.nodes.length;
  }

  /** Takes over the amounts of a node. */
  write(node: NodeRecord): void {
    const at = node.ordinal;
    this.capacityCpuNanos[at] = node.capacityCpuNanos;
    this.capacityMemoryBytes[at] = node.capacityMemoryBytes;
    this.availableCpuNanos[at] = node.availableCpuNanos;
    this.availableMemoryBytes[at] = node.availableMemoryBytes;
    this.activeTasks[at] = node.activeTasks;
    this.#least.touch(at);
    this.#followed.write(node);
    this.#blocks?.touch(node);
    if (this.#devices.size === 0) return;
    for (const [kind, column] of this.#devices) {
      column[at] = node.devices.of(kind)?.totalFreeMilli ?? 0;
    }
  }

  freeDeviceMilli(kind: string): Float64Array {
    let column = this.#devices.get(kind);
    if (column === undefined) {
      column = columnOf(this.nodes, (node) => node.devices.of(kind)?.totalFreeMilli ?? 0);
      this.#devices.set(kind, column);
    }
    return column;
  }

  domains(topologyKey: string): NodeDomains {
    let domains = this.#domains.get(topologyKey);
    if (domains === undefined) {
      domains = domainsOf(this.nodes, topologyKey);
      this.#domains.set(topologyKey, domains);
    }
    return domains;
  }

  followed(value: (node: NodeInfo) => number): Float64Array {
    const known = this.#followed.find(value);
    if (known !== undefined) return known;
    const column = columnOf(this.nodes, value);
    const dropped = this.#followed.add(value, column);
    if (dropped !== undefined) this.#blocks?.forget(dropped);
    return column;
  }

  get blocks(): NodeBlocks {
    this.#blocks ??= new NodeBlocks(this.nodes);
    return this.#blocks;
  }

  ranges(value: (node: NodeInfo) => number): BlockRanges {
    return this.blocks.ranges(this.followed(value));
  }

  eachShortRange(
    asked: { readonly cpuNanos: number; readonly memoryBytes: number },
    visit: (from: number, to: number) => void,
  ): void {
    this.#least.eachShort(asked, visit);
  }

  isAnyShort(asked: { readonly cpuNanos: number; readonly memoryBytes: number }): boolean {
    return this.#least.isAnyShort(asked);
  }
}

/** Nodes whose least amounts are kept as one. */
const BLOCK = 128;

/** The least amounts of each block of nodes; blocks that changed are looked at again when asked. */
class RangeMinima {
  readonly #cpu: Float64Array;
  readonly #memory: Float64Array;
  readonly #leastCpu: Float64Array;
  readonly #leastMemory: Float64Array;
  readonly #isStale: Uint8Array;

  constructor(cpu: Float64Array, memory: Float64Array) {
    const blocks = Math.ceil(cpu.length / BLOCK);
    this.#cpu = cpu;
    this.#memory = memory;
    this.#leastCpu = new Float64Array(blocks);
    this.#leastMemory = new Float64Array(blocks);
    this.#isStale = new Uint8Array(blocks).fill(1);
  }

  touch(ordinal: number): void {
    this.#isStale[Math.floor(ordinal / BLOCK)] = 1;
  }

  eachShort(
    asked: { readonly cpuNanos: number; readonly memoryBytes: number },
    visit: (from: number, to: number) => void,
  ): void {
    for (let block = 0; block < this.#isStale.length; block += 1) {
      if (!this.#isShort(block, asked)) continue;
      visit(block * BLOCK, Math.min(this.#cpu.length, (block + 1) * BLOCK));
    }
  }

  isAnyShort(asked: { readonly cpuNanos: number; readonly memoryBytes: number }): boolean {
    for (let block = 0; block < this.#isStale.length; block += 1) {
      if (this.#isShort(block, asked)) return true;
    }
    return false;
  }

  #isShort(
    block: number,
    asked: { readonly cpuNanos: number; readonly memoryBytes: number },
  ): boolean {
    if (this.#isStale[block] === 1) this.#renew(block);
    return (
      (this.#leastCpu[block] as number) < asked.cpuNanos ||
      (this.#leastMemory[block] as number) < asked.memoryBytes
    );
  }

  #renew(block: number): void {
    let cpu = Infinity;
    let memory = Infinity;
    const end = Math.min(this.#cpu.length, (block + 1) * BLOCK);
    for (let at = block * BLOCK; at < end; at += 1) {
      cpu = Math.min(cpu, this.#cpu[at] as number);
      memory = Math.min(memory, this.#memory[at] as number);
    }
    this.#leastCpu[block] = cpu;
    this.#leastMemory[block] = memory;
    this.#isStale[block] = 0;
  }
}

function domainsOf(nodes: readonly NodeInfo[], topologyKey: string): NodeDomains {
  const texts = nodes.map((node) => topologyValue(node, topologyKey));
  const values = [...new Set(texts)].filter((text) => text !== undefined).sort(compareText);
  const positions = new Map(values.map((value, at) => [value, at]));
  const of = Int32Array.from(texts, (text) => positions.get(text ?? '') ?? -1);
  for (const [at, text] of texts.entries()) if (text === undefined) of[at] = -1;
  return { values, of };
}
