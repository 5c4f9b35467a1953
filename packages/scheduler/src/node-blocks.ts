/**
 * Nodes in blocks of alike ones, so that a score can say at once what none of them can have.
 */
import { compareText } from '@skep/api';
import type { NodeInfo, NodeRecord } from './node-info.js';

/** Nodes of a block at most. */
const BLOCK_MAX = 16;
/** A block of fewer nodes is filled up with others that are not alike. */
const BLOCK_MIN = 8;

/** The least and the most of a column over each block, by position of the block. */
export interface BlockRanges {
  readonly least: Float64Array;
  readonly most: Float64Array;
}

/** The blocks of all nodes. Every node is in one. */
export class NodeBlocks {
  /** Ordinals of the nodes of each block, rising. */
  readonly members: readonly Int32Array[];
  /** Block of each node, by ordinal. */
  readonly #of: Int32Array;
  readonly #ranges = new Map<Float64Array, StaleRanges>();
  readonly #places = new Map<Int32Array, readonly (readonly number[])[]>();

  constructor(nodes: readonly NodeInfo[]) {
    this.members = membersOf(nodes);
    this.#of = new Int32Array(nodes.length);
    for (const [block, ordinals] of this.members.entries()) {
      for (const ordinal of ordinals) this.#of[ordinal] = block;
    }
  }

  /** The columns of a node changed. */
  touch({ ordinal }: NodeRecord): void {
    const block = this.#of[ordinal] as number;
    for (const ranges of this.#ranges.values()) ranges.stale.add(block);
  }

  /** The column is followed no more. */
  forget(column: Float64Array): void {
    this.#ranges.delete(column);
  }

  /** The ranges of a followed column. Cost: O(nodes of blocks that changed). */
  ranges(column: Float64Array): BlockRanges {
    let ranges = this.#ranges.get(column);
    if (ranges === undefined) {
      ranges = {
        least: new Float64Array(this.members.length),
        most: new Float64Array(this.members.length),
        stale: new Set(this.members.keys()),
      };
      this.#ranges.set(column, ranges);
    }
    if (ranges.stale.size > 0) {
      for (const block of ranges.stale) this.#renew(ranges, column, block);
      ranges.stale.clear();
    }
    return ranges;
  }

  /** The different values of a column of places in each block. Computed once per column. */
  places(of: Int32Array): readonly (readonly number[])[] {
    let places = this.#places.get(of);
    if (places === undefined) {
      places = this.members.map((ordinals) => [
        ...new Set(Array.from(ordinals, (ordinal) => of[ordinal] as number)),
      ]);
      this.#places.set(of, places);
    }
    return places;
  }

  #renew({ least, most }: StaleRanges, column: Float64Array, block: number): void {
    const ordinals = this.members[block] as Int32Array;
    let low = Infinity;
    let high = -Infinity;
    for (let k = 0; k < ordinals.length; k += 1) {
      const value = column[ordinals[k] as number] as number;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    least[block] = low;
    most[block] = high;
  }
}

interface StaleRanges extends BlockRanges {
  readonly stale: Set<number>;
}

/** Cuts the nodes into blocks: by capacity, then by labels that many nodes share, then in order. */
function membersOf(nodes: readonly NodeInfo[]): readonly Int32Array[] {
  const keys = nodes.map(keyOf(commonLabels(nodes)));
  const sorted = nodes
    .map(({ ordinal }) => ordinal)
    .sort((a, b) => compareText(keys[a] ?? '', keys[b] ?? '') || a - b);
  const blocks: Int32Array[] = [];
  let block: number[] = [];
  for (const [at, ordinal] of sorted.entries()) {
    block.push(ordinal);
    const isEnd = keys[sorted[at + 1] ?? -1] !== keys[ordinal] && block.length >= BLOCK_MIN;
    if (!isEnd && block.length < BLOCK_MAX && at < sorted.length - 1) continue;
    blocks.push(Int32Array.from(block.toSorted((a, b) => a - b)));
    block = [];
  }
  return blocks;
}

function keyOf(labels: readonly string[]): (node: NodeInfo) => string {
  return ({ capacityCpuNanos, capacityMemoryBytes, facts }) =>
    JSON.stringify([
      capacityCpuNanos,
      capacityMemoryBytes,
      labels.map((label) => facts.labels[label] ?? ''),
    ]);
}

/** Labels with few values, sorted: a label like the host's name makes no two nodes alike. */
function commonLabels(nodes: readonly NodeInfo[]): readonly string[] {
  const values = new Map<string, Set<string>>();
  for (const { facts } of nodes) {
    for (const [label, value] of Object.entries(facts.labels)) {
      const known = values.get(label);
      if (known === undefined) values.set(label, new Set([value]));
      else known.add(value);
    }
  }
  const most = Math.max(2, Math.sqrt(nodes.length));
  return [...values]
    .filter(([, known]) => known.size > 1 && known.size <= most)
    .map(([label]) => label)
    .sort(compareText);
}
