/**
 * Spread: tasks of a service are kept even over the values of labels, level by level.
 *
 * A tree with a level for each preference; leaves hold nodes. Each branch counts the active tasks
 * of the service on *all* nodes below it, also on those that fail the filters. A task goes down
 * into the branch with the fewest that still takes one, and the counts follow at once: that is
 * exact water-filling, whatever the counts at the start and the room in the branches (defect 16).
 *
 * **Source:** SwarmKit manager/scheduler/decision_tree.go for the tree; the filling is ours.
 */
import type { Candidates, Choice } from './choice.js';
import { Heap } from './heap.js';
import type { NodeInfo } from './node-info.js';
import { compareNodes, passes, type PreparedGroup } from './prepared-group.js';

interface Branch {
  readonly value: string;
  /** Active tasks of the service below, all nodes counted. */
  count: number;
  /** The same before the group. */
  before: number;
  /** Where the next task would go; undefined when nothing below takes one. */
  next: NodeInfo | undefined;
  /** Branches below, by value; empty in a leaf. */
  readonly below: Map<string, Branch>;
  /** Branches below that take tasks, best first. */
  open: Heap<Branch>;
  /** In a leaf: nodes that pass the filters, best first. */
  nodes: Heap<NodeInfo>;
}

/**
 * The candidates of a group with spread preferences. Cost to build: O(nodes × levels); where a
 * placement may change any node's verdict or score, it is built for each task.
 */
export class SpreadTree implements Candidates {
  readonly #prepared: PreparedGroup;
  readonly #compareNodes: (a: NodeInfo, b: NodeInfo) => number;
  readonly #compareBranches: (a: Branch, b: Branch) => number;
  #root: Branch;
  #candidates = 0;

  constructor(prepared: PreparedGroup) {
    this.#prepared = prepared;
    this.#compareNodes = (a, b) => compareNodes(prepared, a, b);
    this.#compareBranches = (a, b) =>
      compareCounts(a, b) || this.#compareNodes(a.next as NodeInfo, b.next as NodeInfo);
    this.#root = this.#build();
  }

  choose(): Choice | undefined {
    this.#dropStale();
    const node = this.#root.next;
    if (node === undefined) return undefined;
    const path = this.#path();
    return {
      node,
      ...alternative(path, this.#compareNodes),
      candidates: this.#candidates,
      path: path.slice(1).map((branch) => branch.value),
    };
  }

  used(): void {
    if (this.#prepared.isVolatile) {
      // The verdict on any node may be another now, and its rank.
      this.#root = this.#build(this.#root);
      return;
    }
    const path = this.#path();
    for (const branch of path) branch.count += 1;
    const leaf = path.at(-1) as Branch;
    if (passes(this.#prepared, leaf.next as NodeInfo)) leaf.nodes.fixTop();
    else this.#dropTop(leaf);
    this.#settle(path);
  }

  #build(last?: Branch): Branch {
    const { state, levels, group } = this.#prepared;
    this.#candidates = 0;
    const active = state.activeTasksOf(group.serviceId);
    const root = this.#branch('');
    const fits = new Map<Branch, NodeInfo[]>();
    for (const node of state.nodes) {
      const count = active.on(node);
      let branch = root;
      branch.count += count;
      for (const level of levels) {
        branch = this.#below(branch, level.value(node));
        branch.count += count;
      }
      if (!passes(this.#prepared, node)) continue;
      this.#candidates += 1;
      const others = fits.get(branch);
      if (others === undefined) fits.set(branch, [node]);
      else others.push(node);
    }
    this.#open(root, fits, last);
    return root;
  }

  #branch(value: string): Branch {
    return {
      value,
      count: 0,
      before: 0,
      next: undefined,
      below: new Map(),
      open: new Heap(this.#compareBranches),
      nodes: new Heap(this.#compareNodes),
    };
  }

  #below(branch: Branch, value: string): Branch {
    let child = branch.below.get(value);
    if (child === undefined) {
      child = this.#branch(value);
      branch.below.set(value, child);
    }
    return child;
  }

  #open(branch: Branch, fits: ReadonlyMap<Branch, NodeInfo[]>, last: Branch | undefined): void {
    branch.before = last?.before ?? branch.count;
    for (const [value, child] of branch.below) this.#open(child, fits, last?.below.get(value));
    branch.nodes = new Heap(this.#compareNodes, fits.get(branch) ?? []);
    const open = [...branch.below.values()].filter((child) => child.next !== undefined);
    branch.open = new Heap(this.#compareBranches, open);
    branch.next = branch.nodes.peek() ?? branch.open.peek()?.next;
  }

  /** The branches from the root to where the next task goes. Assumes that there is such a node. */
  #path(): Branch[] {
    const path = [this.#root];
    for (let branch = this.#root.open.peek(); branch !== undefined; branch = branch.open.peek()) {
      path.push(branch);
    }
    return path;
  }

  /** Brings the branches of a path up to date, from the leaf to the root. */
  #settle(path: readonly Branch[]): void {
    for (let level = path.length - 1; level >= 0; level -= 1) {
      const branch = path[level] as Branch;
      const child = path[level + 1];
      if (child !== undefined) {
        if (child.next === undefined) branch.open.pop();
        else branch.open.fixTop();
      }
      branch.next = branch.nodes.peek() ?? branch.open.peek()?.next;
    }
  }

  /** Filters without key may have changed their mind about nodes that were not used. */
  #dropStale(): void {
    if (this.#prepared.key !== undefined) return;
    while (this.#root.next !== undefined && !passes(this.#prepared, this.#root.next)) {
      const path = this.#path();
      this.#dropTop(path.at(-1) as Branch);
      this.#settle(path);
    }
  }

  #dropTop(leaf: Branch): void {
    leaf.nodes.pop();
    this.#candidates -= 1;
  }
}

/** What is left over goes to branches that began with fewer; 0 where nodes decide. */
function compareCounts(a: Branch, b: Branch): number {
  return a.count - b.count || a.before - b.before;
}

/**
 * Which node comes next if the chosen one did not pass, and whether the spread rules it out: on
 * the way up, the best that is left of the chosen branch against the second branch of each level.
 */
function alternative(
  path: readonly Branch[],
  compare: (a: NodeInfo, b: NodeInfo) => number,
): Pick<Choice, 'runnerUp' | 'spread'> {
  let runnerUp = (path.at(-1) as Branch).nodes.second();
  let spread: Choice['spread'];
  for (let level = path.length - 2; level >= 0; level -= 1) {
    const other = (path[level] as Branch).open.second();
    if (other === undefined) continue;
    const chosen = path[level + 1] as Branch;
    const byCounts = compareCounts(chosen, other);
    if (runnerUp !== undefined) {
      const order = byCounts || compare(runnerUp, other.next as NodeInfo);
      if (order < 0) continue;
    }
    runnerUp = other.next;
    spread = byCounts === 0 ? undefined : [chosen.count, other.count];
  }
  return { runnerUp, spread };
}
