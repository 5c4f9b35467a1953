/**
 * Nodes in blocks of alike ones, so that a score can say at once what none of them can have.
 *
 * Nodes that are alike in what they are (capacity, labels) make a group, which never changes; a
 * group is cut into blocks of nodes that are alike in what is left on them, and those follow it.
 * How nodes stand in blocks decides how fast the best is found, never which it is.
 */
import { compareText } from '@skep/api';
import { BlockMembers, type BlockRanges } from './block-members.js';
import { BlockTree } from './block-tree.js';
import { columnOf } from './followed-columns.js';
import type { NodeInfo, NodeRecord } from './node-info.js';

export type { BlockRanges } from './block-members.js';

/** A group of fewer nodes is filled up with others that are not alike. */
const GROUP_MIN = 8;

/** The blocks of all nodes. Every node is in one. */
export class NodeBlocks {
  readonly #members: BlockMembers;
  readonly #groups: readonly (readonly number[])[];
  readonly #trees: readonly BlockTree[];
  /** What is left on each node of cpu and memory together, in points. */
  readonly #left: Float64Array;
  /** How much more is left of cpu than of memory. */
  readonly #surplus: Float64Array;
  /** The columns that ranges are kept of, and those. */
  readonly #columns: Float64Array[] = [];
  readonly #ranges: BlockRanges[] = [];
  /** By group, while it is used. */
  readonly #most: Float64Array;
  readonly #places = new Map<Int32Array, readonly (readonly number[])[]>();
  readonly #stale: number[] = [];
  #isStale: Uint8Array;
  /** The only node that changed in a stale block; -1 where it has other members, or several did. */
  #changed: Int32Array;
  readonly #spoil = (block: number, ordinal = -1): void => {
    if (block >= this.#isStale.length) this.#grow();
    if (this.#isStale[block] === 1) {
      if (this.#changed[block] !== ordinal) this.#changed[block] = -1;
      return;
    }
    this.#isStale[block] = 1;
    this.#changed[block] = ordinal;
    this.#stale.push(block);
  };

  constructor(nodes: readonly NodeInfo[]) {
    this.#left = columnOf(nodes, leftOn);
    this.#surplus = columnOf(nodes, surplusOn);
    const axes = [this.#left, this.#surplus, Float64Array.from(nodes.keys())];
    this.#groups = groupsOf(nodes);
    this.#most = new Float64Array(this.#groups.length);
    const members = new BlockMembers(nodes.length);
    this.#members = members;
    this.#trees = this.#groups.map(
      (ordinals, group) => new BlockTree(ordinals, { group, axes, members }),
    );
    this.#isStale = new Uint8Array(members.positions);
    this.#changed = new Int32Array(members.positions);
  }

  /** How many positions for blocks there are. Some blocks may be empty. */
  get positions(): number {
    return this.#members.positions;
  }

  /** Which group the nodes of each block belong to, by position. */
  get groupOf(): Int32Array {
    return this.#members.groupOf;
  }

  /** How many nodes each block has, by position. */
  get sizes(): Int32Array {
    return this.#members.sizes;
  }

  /** The least ordinal of a block that is not empty. */
  first(block: number): number {
    return this.#members.first(block);
  }

  /** The ordinals of a block, rising; good until the next call. */
  members(block: number): Int32Array {
    return this.#members.of(block);
  }

  /** The columns of a node changed. */
  touch(node: NodeRecord): void {
    const { ordinal } = node;
    const { blockOf, groupOf } = this.#members;
    const block = blockOf[ordinal] as number;
    this.#left[ordinal] = leftOn(node);
    this.#surplus[ordinal] = surplusOn(node);
    this.#spoil(block, ordinal);
    this.#trees[groupOf[block] as number]?.move(ordinal, this.#spoil);
  }

  /** The column is followed no more. */
  forget(column: Float64Array): void {
    const at = this.#columns.indexOf(column);
    if (at === -1) return;
    this.#columns.splice(at, 1);
    this.#ranges.splice(at, 1);
  }

  /** The ranges of a followed column. Cost: O(nodes of blocks that changed × followed columns). */
  ranges(column: Float64Array): BlockRanges {
    if (this.#stale.length > 0) this.#renewStale();
    const at = this.#columns.indexOf(column);
    const known = this.#ranges[at];
    if (known?.least.length === this.positions) return known;
    const ranges = {
      least: new Float64Array(this.positions),
      most: new Float64Array(this.positions),
    };
    for (let block = 0; block < this.positions; block += 1) {
      this.#members.range(block, column, ranges);
    }
    this.forget(column);
    this.#columns.push(column);
    this.#ranges.push(ranges);
    return ranges;
  }

  /**
   * Adds to every position the most points of the places that nodes of its group are in: `of` is a
   * column of places, -1 for none, which has 0 points. Cost: O(positions + places of each group).
   */
  addMost(of: Int32Array, points: readonly number[], out: Float64Array): void {
    const groups = this.places(of);
    const most = this.#most;
    for (let g = 0; g < groups.length; g += 1) {
      const places = groups[g] as readonly number[];
      most[g] = 0;
      for (let k = 0; k < places.length; k += 1) {
        const place = places[k] as number;
        if (place !== -1 && (points[place] as number) > (most[g] as number)) {
          most[g] = points[place] as number;
        }
      }
    }
    const { groupOf } = this.#members;
    for (let b = 0; b < out.length; b += 1) {
      out[b] = (out[b] as number) + (most[groupOf[b] as number] as number);
    }
  }

  /**
   * The different values of a column of places in each group of blocks, see
   * {@link NodeBlocks.groupOf}. Computed once per column.
   */
  places(of: Int32Array): readonly (readonly number[])[] {
    let places = this.#places.get(of);
    if (places === undefined) {
      places = this.#groups.map((ordinals) => [
        ...new Set(ordinals.map((ordinal) => of[ordinal] as number)),
      ]);
      this.#places.set(of, places);
    }
    return places;
  }

  #renewStale(): void {
    const { positions } = this;
    for (let c = 0; c < this.#ranges.length; c += 1) {
      const ranges = this.#ranges[c] as BlockRanges;
      // There are more blocks now: all of it is made anew when asked for.
      if (ranges.least.length !== positions) continue;
      const column = this.#columns[c] as Float64Array;
      for (let k = 0; k < this.#stale.length; k += 1) {
        const block = this.#stale[k] as number;
        if (!this.#isAsBefore(block, column, ranges)) this.#members.range(block, column, ranges);
      }
    }
    for (let k = 0; k < this.#stale.length; k += 1) this.#isStale[this.#stale[k] as number] = 0;
    this.#stale.length = 0;
  }

  /** Whether all members had one value, and the only one that changed has it now. */
  #isAsBefore(block: number, column: Float64Array, { least, most }: BlockRanges): boolean {
    const changed = this.#changed[block] as number;
    return changed !== -1 && least[block] === most[block] && column[changed] === least[block];
  }

  #grow(): void {
    const longer = new Uint8Array(this.positions);
    longer.set(this.#isStale);
    this.#isStale = longer;
    const changed = new Int32Array(this.positions);
    changed.set(this.#changed);
    this.#changed = changed;
  }
}

/** Points for what is left of an amount: up to 50. */
function points(available: number, capacity: number): number {
  return capacity > 0 && available > 0 ? (50 * available) / capacity : 0;
}

function leftOn(node: NodeInfo): number {
  return (
    points(node.availableCpuNanos, node.capacityCpuNanos) +
    points(node.availableMemoryBytes, node.capacityMemoryBytes)
  );
}

function surplusOn(node: NodeInfo): number {
  return (
    points(node.availableCpuNanos, node.capacityCpuNanos) -
    points(node.availableMemoryBytes, node.capacityMemoryBytes)
  );
}

/** Nodes by capacity and by labels that many nodes share. */
function groupsOf(nodes: readonly NodeInfo[]): readonly (readonly number[])[] {
  const alike = new Map<string, number[]>();
  const labels = commonLabels(nodes);
  for (const node of nodes) {
    const key = keyOf(node, labels);
    const known = alike.get(key);
    if (known === undefined) alike.set(key, [node.ordinal]);
    else known.push(node.ordinal);
  }
  const groups: number[][] = [];
  let group: number[] = [];
  for (const [, ordinals] of [...alike].sort(([a], [b]) => compareText(a, b))) {
    for (const ordinal of ordinals) group.push(ordinal);
    if (group.length < GROUP_MIN) continue;
    groups.push(group);
    group = [];
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

function keyOf(node: NodeInfo, labels: readonly string[]): string {
  let key = `${node.capacityCpuNanos} ${node.capacityMemoryBytes}`;
  for (const label of labels) key += `\u0000${node.facts.labels[label] ?? ''}`;
  return key;
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
