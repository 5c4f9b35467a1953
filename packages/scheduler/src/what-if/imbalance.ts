/**
 * How uneven a cluster is: what rebalancing makes smaller.
 *
 * A measure is a sum over the nodes, plus, if it looks at services, a sum over the branches of each
 * service: the values of each level of its spread, and last the nodes. A move so changes few terms.
 */
import { compareBy, compareText, type ServiceId, type Task } from '@skep/api';
import type { ClusterState } from '../cluster-state.js';
import type { NodeInfo } from '../node-info.js';
import type { Policy, SpreadLevel } from '../policy.js';
import { groupOf } from '../task-group.js';
import { waitingTask } from './trial.js';

/** A measure; less is better. */
export interface Imbalance {
  readonly name: string;
  /** For people: `tasks are uneven`. */
  readonly label: string;
  /** What a node adds, by its use. */
  ofNode(node: NodeInfo): number;
  /** What a branch with this many active tasks of a service adds. Absent: nothing. */
  ofBranch?(tasks: number): number;
  /**
   * Whether a move that brings tasks of one service closer together on a node is left out. Levels
   * of a spread are kept in any case. Default: true.
   */
  readonly isKeepingApart?: boolean;
}

/**
 * Uneven numbers of tasks: Σ over nodes of (active tasks)², and for each service Σ over the
 * branches
 * of its spread and over the nodes of (active tasks of the service)².
 */
export const unevenTasks: Imbalance = Object.freeze({
  name: 'uneven-tasks',
  label: 'tasks are uneven',
  ofNode: ({ activeTasks }) => activeTasks * activeTasks,
  ofBranch: (tasks) => tasks * tasks,
} satisfies Imbalance);

/** Uneven load: Σ over nodes of (used share of cpu)² + (used share of memory)². */
export const unevenLoad: Imbalance = Object.freeze({
  name: 'uneven-load',
  label: 'reserved cpu and memory are uneven',
  ofNode: (node) => squaredLoad(node),
} satisfies Imbalance);

/**
 * Load that is spread out, for packing: the negative of {@link unevenLoad}, so that tasks go from
 * emptier nodes to fuller ones and nodes become free.
 */
export const scatteredLoad: Imbalance = Object.freeze({
  name: 'scattered-load',
  label: 'reserved cpu and memory are scattered',
  ofNode: (node) => -squaredLoad(node),
  isKeepingApart: false,
} satisfies Imbalance);

function squaredLoad(node: NodeInfo): number {
  const cpu = share(node.usedCpuNanos, node.capacityCpuNanos);
  const memory = share(node.usedMemoryBytes, node.capacityMemoryBytes);
  return cpu * cpu + memory * memory;
}

function share(used: number, capacity: number): number {
  return capacity > 0 ? used / capacity : 0;
}

/**
 * The value of the measure for the state.
 * @param spreads - the levels of each service's spread ({@link spreadsOf}).
 */
export function imbalanceOf(
  state: ClusterState,
  measure: Imbalance,
  spreads: ServiceSpreads,
): number {
  let total = 0;
  for (const node of state.nodes) total += measure.ofNode(node);
  if (measure.ofBranch === undefined) return total;
  for (const [serviceId, levels] of spreads) {
    for (const counts of new ServiceBranches(state, serviceId, levels).all()) {
      for (const count of counts) total += measure.ofBranch(count);
    }
  }
  return total;
}

/** The levels of the spread of each service that has active tasks on known nodes. */
export type ServiceSpreads = ReadonlyMap<ServiceId, readonly SpreadLevel[]>;

/**
 * Asks the policy for the spread of each service, for its task of the newest spec version.
 * In the order of service ids. Cost: O(tasks).
 */
export function spreadsOf(state: ClusterState, policy: Policy): ServiceSpreads {
  const newest = new Map<ServiceId, Task>();
  for (const node of state.nodes) {
    for (const { serviceId, isActive, task } of state.tasksOn(node.id)) {
      if (serviceId === undefined || !isActive) continue;
      const other = newest.get(serviceId);
      if (other === undefined || compareVersions(task, other) > 0) newest.set(serviceId, task);
    }
  }
  const inOrder = [...newest].sort(([a], [b]) => compareText(a, b));
  return new Map(
    inOrder.map(([serviceId, task]) => {
      return [serviceId, policy.spread?.(groupOf([waitingTask(task)])) ?? NO_LEVELS];
    }),
  );
}

const NO_LEVELS: readonly SpreadLevel[] = Object.freeze([]);

const compareVersions = compareBy<Task>(
  (a, b) => (a.spec.specVersion ?? 0) - (b.spec.specVersion ?? 0),
  (a, b) => compareText(a.meta.id, b.meta.id),
);

/**
 * Active tasks of one service by branch, on known nodes, as of when it was made.
 * Cost to make: O(nodes × levels).
 */
export class ServiceBranches {
  /** For each level, and last for the nodes: the number of each node's branch, by ordinal. */
  readonly #branches: readonly Int32Array[];
  /** For each level, and last for the nodes: tasks by number of the branch. */
  readonly #counts: readonly number[][];

  constructor(state: ClusterState, serviceId: ServiceId, levels: readonly SpreadLevel[]) {
    const { nodes } = state;
    this.#branches = [...branchesByLevel(nodes, levels), Int32Array.from(nodes.keys())];
    this.#counts = this.#branches.map((): number[] => []);
    const active = state.activeTasksOf(serviceId);
    for (const node of active.nodes()) {
      if (state.node(node.id) === undefined) continue;
      for (const [depth, counts] of this.#counts.entries()) {
        const branch = this.branch(depth, node);
        counts[branch] = (counts[branch] ?? 0) + active.on(node);
      }
    }
  }

  /** Levels of the spread, and one more: the nodes. */
  get depths(): number {
    return this.#branches.length;
  }

  /** The branch of the node at a level, the values above counted in; at the last the node. */
  branch(depth: number, node: NodeInfo): number {
    return this.#branches[depth]?.[node.ordinal] ?? -1;
  }

  /** Tasks in the branch of the node at a level. */
  count(depth: number, node: NodeInfo): number {
    return this.#counts[depth]?.[this.branch(depth, node)] ?? 0;
  }

  /** Counts of the branches that have tasks, level by level. */
  *all(): Iterable<readonly number[]> {
    // Branches without tasks are holes, which filter leaves out.
    for (const counts of this.#counts) yield counts.filter((count) => count > 0);
  }
}

/** Numbers the branches of each level in the order of nodes. */
function* branchesByLevel(
  nodes: readonly NodeInfo[],
  levels: readonly SpreadLevel[],
): Iterable<Int32Array> {
  let above = new Int32Array(nodes.length);
  for (const level of levels) {
    const numbers = new Map<string, number>();
    const branches = new Int32Array(nodes.length);
    for (const [at, node] of nodes.entries()) {
      const key = `${above[at] ?? 0} ${level.value(node)}`;
      const number = numbers.get(key) ?? numbers.size;
      numbers.set(key, number);
      branches[at] = number;
    }
    yield branches;
    above = branches;
  }
}
