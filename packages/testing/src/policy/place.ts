/**
 * Placing a test's tasks with a policy.
 */
import {
  SkepError,
  withMeta,
  type Network,
  type Node,
  type Service,
  type Task,
  type TaskSpec,
  type TaskStatus,
  type Timestamp,
  type Volume,
} from '@skep/api';
import {
  confirm,
  groupTasks,
  placeGroup,
  type ClusterState,
  type PlacementOptions,
  type Policy,
} from '@skep/scheduler';
import { cluster } from './build/node.js';
import { nameOf, runningTasksOf, runningOn, tasksOf } from './build/service.js';
import { judgePolicy } from './judge-policy.js';
import { stateOf, type Decision, type PlacedCluster } from './placed-cluster.js';
import { PlacementResult } from './placement-result.js';

/** What to place, and where. */
export interface PlaceInput {
  /** The nodes, or how many default ones: n1, n2, … Default: 3. */
  readonly nodes?: number | readonly Node[];
  /** Services whose tasks all wait for a node; placed in this order. */
  readonly services?: readonly Service[];
  /** Tasks that wait for a node; placed in this order, after those of the services. */
  readonly tasks?: readonly Task[];
  /** What runs already: tasks (`on`), or by name of the node services and tasks. */
  readonly running?: readonly Task[] | Readonly<Record<string, readonly (Service | Task)[]>>;
  readonly volumes?: readonly Volume[];
  readonly networks?: readonly Network[];
  /** The time of the decisions. Default: 0. */
  readonly now?: Timestamp;
}

/**
 * Places everything that waits, group by group, as the scheduler's loop does, and tells what became
 * of it. Cost: that of the scheduler; explanations cost only when looked at.
 *
 * @throws invalid-argument for what is no policy, when two objects of a kind have one name, or a
 * task runs on a node that is not there.
 */
export function place(policy: Policy, input: PlaceInput = {}): PlacementResult {
  judgePolicy('place()', policy);
  return placeCluster(policy, clusterOf(input));
}

/** The same for what {@link clusterOf} gave. */
export function placeCluster(policy: Policy, of: PlacedCluster): PlacementResult {
  const state = stateOf(of);
  const decisions = decideAll(state, of.tasks, { policy, now: of.now });
  return new PlacementResult({ policy, cluster: of, state, decisions });
}

function decideAll(
  state: ClusterState,
  tasks: readonly Task[],
  options: PlacementOptions,
): readonly Decision[] {
  const decisions: Decision[] = [];
  const free: Task[] = [];
  for (const task of tasks) {
    if (task.spec.nodeId === undefined) free.push(task);
    else decisions.push(decideFor(state, task, options));
  }
  for (const group of groupTasks(free)) {
    const { placements, unplaced } = placeGroup(state, group, options);
    for (const placement of placements) decisions.push({ task: placement.task, placement });
    for (const left of unplaced) decisions.push({ task: left.task, unplaced: left });
  }
  return decisions;
}

/** Decides about a task that has to go to one node. */
export function decideFor(state: ClusterState, task: Task, options: PlacementOptions): Decision {
  const outcome = confirm(state, task, options);
  if (outcome.ok) return { task, placement: outcome.placement };
  const unplaced = { task, taskId: task.meta.id, explanation: outcome.explanation };
  return { task, unplaced };
}

/**
 * Everything as objects: services as their tasks, names of nodes as ids, and the order of the lists
 * as times of creation.
 * @throws invalid-argument as {@link place} does.
 */
export function clusterOf(input: PlaceInput): PlacedCluster {
  const { nodes: wanted = 3, services = [], volumes = [], networks = [], now = 0 } = input;
  const nodes = typeof wanted === 'number' ? cluster({ nodes: wanted }).nodes : wanted;
  const ids = new Map<string, string>();
  for (const { meta } of nodes) if (!ids.has(meta.name)) ids.set(meta.name, meta.id);
  const waiting = [...services.flatMap(tasksOf), ...(input.tasks ?? [])];
  const tasks = waiting.map((task, at) => atNode(inOrder(task, at + 1), ids));
  const running = runningOf(input.running ?? []).map((task) => onNode(task, ids));
  const alike = { nodes, services, tasks: [...tasks, ...running] };
  for (const [kind, objects] of Object.entries(alike)) refuseTwins(kind, objects);
  return { nodes, services, tasks, running, volumes, networks, now };
}

function inOrder(task: Task, position: number): Task {
  if (task.meta.createdAt !== 0) return task;
  return withMeta<TaskSpec, TaskStatus>(task, { createdAt: position });
}

/** A preassigned task names its node; a node that is not there keeps it waiting. */
function atNode(task: Task, ids: ReadonlyMap<string, string>): Task {
  const { nodeId } = task.spec;
  const id = nodeId === undefined ? undefined : ids.get(nodeId);
  if (id === undefined || id === nodeId) return task;
  return { ...task, spec: { ...task.spec, nodeId: id } };
}

function onNode(task: Task, ids: ReadonlyMap<string, string>): Task {
  const { nodeId = '' } = task.status;
  const id = ids.get(nodeId);
  if (id === nodeId) return task;
  if (id !== undefined) return runningOn(task, id);
  for (const known of ids.values()) if (known === nodeId) return task;
  throw new SkepError(
    'invalid-argument',
    nodeId === ''
      ? `the running task ${nameOf(task)} is on no node; say which: { on: 'n1' }`
      : `the running task ${nameOf(task)} is on ${nodeId}, which is not among the nodes ` +
          [...ids.keys()].join(', '),
  );
}

function runningOf(running: NonNullable<PlaceInput['running']>): readonly Task[] {
  if (isList(running)) return running;
  return Object.entries(running).flatMap(([nodeId, list]) =>
    list.flatMap((one) =>
      one.kind === 'Service'
        ? runningTasksOf(one as Service, nodeId)
        : [runningOn(one as Task, nodeId)],
    ),
  );
}

function isList(running: NonNullable<PlaceInput['running']>): running is readonly Task[] {
  return Array.isArray(running);
}

function refuseTwins(kind: string, objects: readonly (Node | Service | Task)[]): void {
  const ids = new Set<string>();
  for (const { meta } of objects) {
    if (ids.has(meta.id)) {
      throw new SkepError('invalid-argument', `there are two ${kind} of the name ${meta.id}`);
    }
    ids.add(meta.id);
  }
}
