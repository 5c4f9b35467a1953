/**
 * Which slice holds which backend.
 *
 * The slices of a service in a network are the leaves of a binary tree over the hash of the task
 * id, lowest bit first. Leaf 0 holds everything; a leaf that grows beyond a slice splits into
 * itself and a new one, and a part of the tree that shrinks to half a slice becomes one leaf again.
 * So a change of one task writes one slice, and a split or merge only those that took part in it.
 *
 * The shape of the tree is not kept anywhere: it follows from which slices are in use.
 *
 * **Source:** extendible hashing, Fagin et al. (1979); the need for slices is Kubernetes' KEP-752.
 */
import { SLICE_BACKENDS_MAX, hash32, type TaskId } from '@skep/api';

/**
 * A split part of the tree is joined when no more than this is left of it. Half a slice: larger
 * would split and merge in turn around the limit, smaller keeps near-empty slices for longer.
 */
export const SLICE_MERGE_MAX = SLICE_BACKENDS_MAX / 2;

/** Bits of the hash; beyond them a leaf may exceed the limit rather than lose a backend. */
const DEPTH_MAX = 32;

interface Hashed<T> {
  readonly item: T;
  readonly hash: number;
}

interface Part<T> {
  readonly items: readonly Hashed<T>[];
  /** Slices in use in this part of the tree. */
  readonly inUse: readonly number[];
  readonly index: number;
  readonly depth: number;
}

/**
 * Distributes items over slices, given which slices hold anything now.
 * Returns the items of each slice that is not empty, by its index; items keep their order.
 * Cost: O(items × depth of the tree), the depth being about log2 of the number of slices.
 */
export function layOutSlices<T extends { readonly taskId: TaskId }>(
  items: readonly T[],
  inUse: readonly number[],
): ReadonlyMap<number, readonly T[]> {
  const slices = new Map<number, readonly T[]>();
  const hashed = items.map((item) => ({ item, hash: hash32(item.taskId) }));
  const parts: Part<T>[] = [{ items: hashed, inUse, index: 0, depth: 0 }];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (isLeaf(part)) {
      const held = part.items.map(({ item }) => item);
      if (held.length > 0) slices.set(part.index, held);
    } else {
      parts.push(...split(part));
    }
  }
  return slices;
}

/** Whether the slice may hold, or may have held, the task. */
export function mayHold(index: number, taskId: TaskId): boolean {
  let modulus = 1;
  while (modulus <= index) modulus *= 2;
  return hash32(taskId) % modulus === index;
}

function isLeaf<T>({ items, inUse, depth }: Part<T>): boolean {
  if (depth >= DEPTH_MAX) return true;
  if (items.length > SLICE_BACKENDS_MAX) return false;
  const wasSplit = inUse.some((index) => index >= 2 ** depth);
  return !wasSplit || items.length <= SLICE_MERGE_MAX;
}

function split<T>(part: Part<T>): readonly Part<T>[] {
  const bitOf = (value: number): number => (value >>> part.depth) & 1;
  return [0, 1].map((bit) => ({
    items: part.items.filter(({ hash }) => bitOf(hash) === bit),
    inUse: part.inUse.filter((index) => bitOf(index) === bit),
    index: part.index + bit * 2 ** part.depth,
    depth: part.depth + 1,
  }));
}
