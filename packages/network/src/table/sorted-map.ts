/**
 * An immutable map with text keys that is iterated in the order of its keys.
 *
 * Tables are values: a node keeps the one it has while it computes the next, and the difference of
 * the two must cost what changed, not what there is. So versions share their unchanged parts.
 *
 * **Source:** treap (Seidel and Aragon, 1996) whose priorities are hashes of the keys: the same
 * content always has the same shape, whatever the order in which it was put together.
 */
import { compareText, hash32, isEqual } from '@skep/api';

interface Branch<V> {
  readonly key: string;
  readonly value: V;
  readonly priority: number;
  readonly size: number;
  readonly left: Tree<V>;
  readonly right: Tree<V>;
}

type Tree<V> = Branch<V> | undefined;

/** What happened to one key between two maps. `before` absent: added; `after` absent: removed. */
export interface MapChange<V> {
  readonly key: string;
  readonly before?: V;
  readonly after?: V;
}

/** See the module comment. Reading and changing one key cost O(log n). */
export class SortedMap<V> {
  private readonly root: Tree<V>;

  private constructor(root: Tree<V>) {
    this.root = root;
  }

  /** A map without entries. */
  static empty<V>(): SortedMap<V> {
    return new SortedMap<V>(undefined);
  }

  /** A map of these entries; of equal keys the last counts. Cost: O(n log n), O(n) when sorted. */
  static from<V>(entries: Iterable<readonly [string, V]>): SortedMap<V> {
    const list = [...entries];
    if (!isAscending(list)) list.sort((a, b) => compareText(a[0], b[0]));
    return new SortedMap(plant(list));
  }

  get size(): number {
    return this.root?.size ?? 0;
  }

  get(key: string): V | undefined {
    let at = this.root;
    while (at !== undefined) {
      if (key === at.key) return at.value;
      at = key < at.key ? at.left : at.right;
    }
    return undefined;
  }

  has(key: string): boolean {
    let at = this.root;
    while (at !== undefined) {
      if (key === at.key) return true;
      at = key < at.key ? at.left : at.right;
    }
    return false;
  }

  /**
   * The map with `key` set. An equal value keeps the map as it is, so that nothing seems to change.
   */
  with(key: string, value: V): SortedMap<V> {
    const present = this.get(key);
    if (present !== undefined && isEqual(present, value)) return this;
    return new SortedMap(insert(this.root, { key, value, priority: hash32(key) }));
  }

  /** The map without `key`. */
  without(key: string): SortedMap<V> {
    return this.has(key) ? new SortedMap(remove(this.root, key)) : this;
  }

  /** The map with `key` set, or without it when `value` is undefined. */
  put(key: string, value: V | undefined): SortedMap<V> {
    return value === undefined ? this.without(key) : this.with(key, value);
  }

  /** Entries by rising key. */
  entries(): readonly (readonly [string, V])[] {
    const list: (readonly [string, V])[] = [];
    visit(this.root, (branch) => list.push([branch.key, branch.value]));
    return list;
  }

  /** Keys, rising. */
  keys(): readonly string[] {
    const list: string[] = [];
    visit(this.root, (branch) => list.push(branch.key));
    return list;
  }

  /** Values by rising key. */
  values(): readonly V[] {
    const list: V[] = [];
    visit(this.root, (branch) => list.push(branch.value));
    return list;
  }

  /** What has to be done to `this` to get `next`, by rising key. Cost: O(changes · log n). */
  changesTo(next: SortedMap<V>): readonly MapChange<V>[] {
    const changes: MapChange<V>[] = [];
    compareTrees(this.root, next.root, changes);
    return changes;
  }

  /** The map with changes made: `a.apply(a.changesTo(b))` equals `b`. */
  apply(changes: readonly MapChange<V>[]): SortedMap<V> {
    return changes.reduce<SortedMap<V>>((map, change) => map.put(change.key, change.after), this);
  }
}

function isAscending<V>(list: readonly (readonly [string, V])[]): boolean {
  let last: string | undefined;
  for (const [key] of list) {
    if (last !== undefined && last >= key) return false;
    last = key;
  }
  return true;
}

function visit<V>(tree: Tree<V>, see: (branch: Branch<V>) => void): void {
  if (tree === undefined) return;
  visit(tree.left, see);
  see(tree);
  visit(tree.right, see);
}

function join<V>(
  { key, value, priority }: Pick<Branch<V>, 'key' | 'value' | 'priority'>,
  left: Tree<V>,
  right: Tree<V>,
): Branch<V> {
  const size = 1 + (left?.size ?? 0) + (right?.size ?? 0);
  return { key, value, priority, size, left, right };
}

/** Whether `a` belongs above `b`. Total: equal hashes are ordered by key. */
function isAbove<V>(
  a: Pick<Branch<V>, 'key' | 'priority'>,
  b: Pick<Branch<V>, 'key' | 'priority'>,
): boolean {
  return a.priority > b.priority || (a.priority === b.priority && a.key < b.key);
}

function insert<V>(tree: Tree<V>, item: Pick<Branch<V>, 'key' | 'value' | 'priority'>): Branch<V> {
  if (tree === undefined) return join(item, undefined, undefined);
  if (tree.key === item.key) return join(item, tree.left, tree.right);
  if (isAbove(item, tree)) {
    const { left, right } = split(tree, item.key);
    return join(item, left, right);
  }
  return item.key < tree.key
    ? join(tree, insert(tree.left, item), tree.right)
    : join(tree, tree.left, insert(tree.right, item));
}

function remove<V>(tree: Tree<V>, key: string): Tree<V> {
  if (tree === undefined) return undefined;
  if (tree.key === key) return merge(tree.left, tree.right);
  return key < tree.key
    ? join(tree, remove(tree.left, key), tree.right)
    : join(tree, tree.left, remove(tree.right, key));
}

function merge<V>(left: Tree<V>, right: Tree<V>): Tree<V> {
  if (left === undefined) return right;
  if (right === undefined) return left;
  return isAbove(left, right)
    ? join(left, left.left, merge(left.right, right))
    : join(right, merge(left, right.left), right.right);
}

function split<V>(tree: Tree<V>, key: string): { left: Tree<V>; middle: Tree<V>; right: Tree<V> } {
  if (tree === undefined) return { left: undefined, middle: undefined, right: undefined };
  if (tree.key === key) return { left: tree.left, middle: tree, right: tree.right };
  if (key < tree.key) {
    const { left, middle, right } = split(tree.left, key);
    return { left, middle, right: join(tree, right, tree.right) };
  }
  const { left, middle, right } = split(tree.right, key);
  return { left: join(tree, tree.left, left), middle, right };
}

/** Both trees are walked together; parts that are shared are not entered. */
function compareTrees<V>(before: Tree<V>, after: Tree<V>, changes: MapChange<V>[]): void {
  if (before === after) return;
  if (before === undefined) {
    visit(after, ({ key, value }) => changes.push({ key, after: value }));
  } else if (after === undefined) {
    visit(before, ({ key, value }) => changes.push({ key, before: value }));
  } else if (before.key === after.key || isAbove(before, after)) {
    const parts = split(after, before.key);
    compareTrees(before.left, parts.left, changes);
    note(before.key, before, parts.middle, changes);
    compareTrees(before.right, parts.right, changes);
  } else {
    const parts = split(before, after.key);
    compareTrees(parts.left, after.left, changes);
    note(after.key, parts.middle, after, changes);
    compareTrees(parts.right, after.right, changes);
  }
}

function note<V>(key: string, before: Tree<V>, after: Tree<V>, changes: MapChange<V>[]): void {
  if (before !== undefined && after !== undefined && isEqual(before.value, after.value)) return;
  changes.push({
    key,
    ...(before === undefined ? {} : { before: before.value }),
    ...(after === undefined ? {} : { after: after.value }),
  });
}

/** Builds the tree of a list sorted by key in one pass; of equal keys the last counts. */
function plant<V>(list: readonly (readonly [string, V])[]): Tree<V> {
  interface Sapling {
    readonly item: readonly [string, V];
    readonly key: string;
    readonly priority: number;
    left: Sapling | undefined;
    right: Sapling | undefined;
  }
  const spine: Sapling[] = [];
  for (const [index, item] of list.entries()) {
    if (list[index + 1]?.[0] === item[0]) continue;
    const sapling: Sapling = {
      item,
      key: item[0],
      priority: hash32(item[0]),
      left: undefined,
      right: undefined,
    };
    let below: Sapling | undefined;
    let above = spine.at(-1);
    while (above !== undefined && isAbove(sapling, above)) {
      below = spine.pop();
      above = spine.at(-1);
    }
    sapling.left = below;
    if (above !== undefined) above.right = sapling;
    spine.push(sapling);
  }
  const grow = (sapling: Sapling | undefined): Tree<V> =>
    sapling === undefined
      ? undefined
      : join(
          { key: sapling.key, value: sapling.item[1], priority: sapling.priority },
          grow(sapling.left),
          grow(sapling.right),
        );
  return grow(spine[0]);
}
