/**
 * Which few tasks to move so that a cluster becomes more even.
 */
import { SkepError, assert, compareText, taskName, type ServiceId, type Task } from '@skep/api';
import type { ClusterState } from '../cluster-state.js';
import type { NodeInfo } from '../node-info.js';
import { confirm, type Placement, type PlacementOptions } from '../place.js';
import type { PlacedTask } from '../placed-tasks.js';
import { passes, prepareGroup } from '../prepared-group.js';
import { faultTerm } from '../swarm-policy.js';
import { groupOf } from '../task-group.js';
import {
  ServiceBranches,
  imbalanceOf,
  spreadsOf,
  unevenTasks,
  type Imbalance,
  type ServiceSpreads,
} from './imbalance.js';
import type { MoveChange, WhatIfPlan } from './plan.js';
import { compareForStopping, isServing } from './scale-down.js';
import { taskOf, waitingTask } from './trial.js';

/** Moves of a plan unless another budget is given. */
export const MOVES_MAX = 10;

/** What {@link planRebalance} is asked with. */
export interface RebalanceOptions extends PlacementOptions {
  /** What is to become smaller. Default: {@link unevenTasks}. */
  readonly measure?: Imbalance;
  /** Budget: moves at most. Default: {@link MOVES_MAX}. */
  readonly movesMax?: number;
  /** What a move has to gain at least. Default: anything. */
  readonly gainMin?: number;
  /** Tasks that may be moved. Default: all that are not bound to their node. */
  readonly isMovable?: (task: Task) => boolean;
}

/** Moves that make a measure smaller, one by one. */
export interface RebalancePlan extends WhatIfPlan {
  readonly changes: readonly MoveChange[];
  /** Name of the measure. */
  readonly measure: string;
  /** Its value before the first move, and after each: strictly falling. */
  readonly values: readonly number[];
  /** Whether it ended for lack of a further gain, and not because the budget was spent. */
  readonly isBalanced: boolean;
}

/** Differences below this share of the measure are taken for rounding. */
const ROUNDING = 1e-9;

/**
 * Plans at most `movesMax` moves of running tasks, each the one that makes the measure smallest. A
 * move is left out when a filter of the policy refuses it, when it would make the spread of the
 * service worse at any level, when it would bring tasks of the service closer together on a node
 * (unless the measure wants that), or when recent failures of the service speak more against the
 * new node. No task moves twice. Only tasks on nodes in service move; draining is another plan.
 *
 * The plan ends when no single move gains enough; two moves that only gain together are not found.
 * Equal gains go by the node the task leaves, then the node it goes to, then the service and the
 * task. Cost: O(moves × tasks × nodes), alike tasks on a node counted once.
 * @throws SkepError invalid-argument for a budget or gain that is negative.
 */
export function planRebalance(state: ClusterState, options: RebalanceOptions): RebalancePlan {
  const { measure = unevenTasks, movesMax = MOVES_MAX, gainMin = 0 } = options;
  if (!Number.isSafeInteger(movesMax) || movesMax < 0) {
    throw invalid('movesMax', movesMax, 'a whole number from 0');
  }
  if (!(gainMin >= 0)) throw invalid('gainMin', gainMin, 'a number from 0');
  return state.attempt(() => {
    const spreads = spreadsOf(state, options.policy);
    const search: Search = {
      ...{ state, options, measure, gainMin, spreads },
      moved: new Set(),
      filled: new Map(),
    };
    const changes: MoveChange[] = [];
    const values = [imbalanceOf(state, measure, spreads)];
    while (changes.length < movesMax) {
      const before = values.at(-1) as number;
      const best = bestMove(search, before);
      if (best === undefined) break;
      const placement = makeMove(search, best);
      const after = imbalanceOf(state, measure, spreads);
      changes.push(changeOf(search, { move: best, placement, before, after }));
      search.moved.add(best.placed.id);
      values.push(after);
    }
    const last = values.at(-1) as number;
    const isBalanced = changes.length < movesMax || bestMove(search, last) === undefined;
    return { changes, pending: [], measure: measure.name, values, isBalanced };
  });
}

function invalid(name: string, value: number, right: string): SkepError {
  return new SkepError('invalid-argument', `${name} ${value}: must be ${right}`, {
    details: { [name]: value },
  });
}

interface Search {
  readonly state: ClusterState;
  readonly options: RebalanceOptions;
  readonly measure: Imbalance;
  readonly gainMin: number;
  readonly spreads: ServiceSpreads;
  /** Tasks that moved already. */
  readonly moved: Set<string>;
  /** By how much a task would fill nodes; holds until a task is moved. */
  readonly filled: Map<string, (number | undefined)[]>;
}

interface Move {
  readonly placed: PlacedTask;
  readonly from: NodeInfo;
  readonly to: NodeInfo;
  /** By how much the measure falls. */
  readonly gain: number;
  /** Nodes that would take the task and keep its spread, but for the one it is on. */
  readonly candidates: number;
}

function bestMove(search: Search, value: number): Move | undefined {
  const { state, gainMin, spreads } = search;
  const rounding = Math.abs(value) * ROUNDING;
  const least = Math.max(gainMin, rounding, Number.MIN_VALUE);
  let best: Move | undefined;
  const consider = (nodes: Iterable<NodeInfo>, service: ServiceSpread | undefined): void => {
    const inOrder = [...nodes].filter(isServing).sort((a, b) => a.ordinal - b.ordinal);
    for (const from of inOrder) {
      for (const placed of movableTasks(search, from, service)) {
        const move = bestTarget(search, { placed, from, branches: service?.branches });
        if (move === undefined || move.gain < least) continue;
        if (best === undefined || compareMoves(move, best, rounding) < 0) best = move;
      }
    }
  };
  for (const [serviceId, levels] of spreads) {
    const branches = new ServiceBranches(state, serviceId, levels);
    const hosts = state.activeTasksOf(serviceId).nodes();
    consider(
      [...hosts].filter(({ id }) => state.node(id) !== undefined),
      { serviceId, branches },
    );
  }
  consider(state.nodes, undefined);
  return best;
}

/** The larger gain, if it is larger by more than rounding; then the earlier nodes. */
function compareMoves(a: Move, b: Move, rounding: number): number {
  if (Math.abs(a.gain - b.gain) > rounding) return b.gain - a.gain;
  return (
    a.from.ordinal - b.from.ordinal ||
    a.to.ordinal - b.to.ordinal ||
    compareText(a.placed.serviceId ?? '', b.placed.serviceId ?? '') ||
    compareText(a.placed.id, b.placed.id)
  );
}

interface ServiceSpread {
  readonly serviceId: ServiceId;
  readonly branches: ServiceBranches;
}

/**
 * The tasks of the service on the node that may move, or those without a service; of alike ones the
 * one that would go first.
 */
function movableTasks(
  { state, options, moved }: Search,
  node: NodeInfo,
  service: ServiceSpread | undefined,
): readonly PlacedTask[] {
  const first = new Map<string, PlacedTask>();
  const { isMovable = () => true } = options;
  for (const placed of state.tasksOn(node.id)) {
    const { id, task, serviceId, isActive } = placed;
    if (serviceId !== service?.serviceId || !isActive || task.spec.nodeId !== undefined) continue;
    if (moved.has(id) || !isMovable(task)) continue;
    const { specVersion } = task.spec;
    const isAlone = serviceId === undefined || specVersion === undefined;
    const key = isAlone ? `task ${id}` : `version ${specVersion}`;
    const other = first.get(key);
    if (other === undefined || compareForStopping(task, other.task) < 0) first.set(key, placed);
  }
  return [...first].sort(([a], [b]) => compareText(a, b)).map(([, placed]) => placed);
}

/** The best node for a task to move to, whether it gains enough or not. */
function bestTarget(
  search: Search,
  start: {
    readonly placed: PlacedTask;
    readonly from: NodeInfo;
    /** Absent for a task without a service: nothing is spread. */
    readonly branches: ServiceBranches | undefined;
  },
): Move | undefined {
  const { state, options, measure } = search;
  const { placed, from, branches } = start;
  const waiting = waitingTask(placed.task);
  const group = groupOf([waiting]);
  const valueFrom = measure.ofNode(from);
  return state.attempt(() => {
    state.release(placed.id);
    const freed = valueFrom - measure.ofNode(from);
    const filled = fillings(search, JSON.stringify(group.requirements));
    const prepared = prepareGroup(state, group, options);
    const faults = prepared.terms[options.policy.rank.indexOf(faultTerm)];
    let best: Omit<Move, 'candidates'> | undefined;
    let candidates = 0;
    for (const to of state.nodes) {
      if (to === from || !isSpreadKept(measure, branches, { from, to })) continue;
      if (!passes(prepared, to)) continue;
      if (faults !== undefined && faults.value(to) > faults.value(from)) continue;
      candidates += 1;
      filled[to.ordinal] ??= fillingOf(search, waiting, to);
      const gain =
        freed - (filled[to.ordinal] ?? 0) - branchChange(measure, branches, { from, to });
      if (best === undefined || gain > best.gain) best = { placed, from, to, gain };
    }
    return best === undefined ? undefined : { ...best, candidates };
  });
}

/** By how much the measure of a node rises when it gets the task. */
function fillingOf({ state, measure }: Search, waiting: Task, to: NodeInfo): number {
  const before = measure.ofNode(to);
  return state.attempt(() => {
    state.place(waiting, to.id);
    return measure.ofNode(to) - before;
  });
}

/** What is known of that in this scan, by what a task needs and by the ordinal of the node. */
function fillings({ filled }: Search, requirements: string): (number | undefined)[] {
  let known = filled.get(requirements);
  if (known === undefined) {
    known = [];
    filled.set(requirements, known);
  }
  return known;
}

interface Way {
  readonly from: NodeInfo;
  readonly to: NodeInfo;
}

function isSpreadKept(
  measure: Imbalance,
  branches: ServiceBranches | undefined,
  { from, to }: Way,
): boolean {
  if (branches === undefined) return true;
  const isKeepingApart = measure.isKeepingApart ?? true;
  const depths = isKeepingApart ? branches.depths : branches.depths - 1;
  for (let depth = 0; depth < depths; depth += 1) {
    if (branches.branch(depth, from) === branches.branch(depth, to)) continue;
    if (branches.count(depth, to) >= branches.count(depth, from)) return false;
  }
  return true;
}

function branchChange(
  measure: Imbalance,
  branches: ServiceBranches | undefined,
  { from, to }: Way,
): number {
  if (measure.ofBranch === undefined || branches === undefined) return 0;
  let change = 0;
  for (let depth = 0; depth < branches.depths; depth += 1) {
    if (branches.branch(depth, from) === branches.branch(depth, to)) continue;
    const there = branches.count(depth, to);
    const here = branches.count(depth, from);
    change += measure.ofBranch(there + 1) - measure.ofBranch(there);
    change += measure.ofBranch(here - 1) - measure.ofBranch(here);
  }
  return change;
}

/** Moves the task in the state, with what the policy's reserves choose for it. */
function makeMove({ state, options, filled }: Search, { placed, to }: Move): Placement {
  filled.clear();
  const waiting = waitingTask(placed.task);
  state.release(placed.id);
  const bound = { ...waiting, spec: { ...waiting.spec, nodeId: to.id } };
  const confirmed = confirm(state, bound, options);
  assert(confirmed.ok, `task ${placed.id} fits node ${to.name}, as was found`);
  const placement = { ...confirmed.placement, task: waiting };
  // The state is to know the task as it is, not as bound to the node.
  state.upsertTask(taskOf(placement));
  return placement;
}

function changeOf(
  { measure }: Search,
  made: {
    readonly move: Move;
    readonly placement: Placement;
    readonly before: number;
    readonly after: number;
  },
): MoveChange {
  const { move, placement, before, after } = made;
  const { placed, from, to, candidates } = move;
  return {
    type: 'move',
    taskId: placed.id,
    taskName: taskName(placed.task),
    from: from.id,
    to: to.id,
    reason: `${measure.name} falls from ${figure(before)} to ${figure(after)}`,
    placement: {
      ...placement,
      reason: {
        term: measure.name,
        runnerUp: from.id,
        values: [after, before],
        nodes: candidates,
      },
    },
  };
}

/** A number for people: four digits will do. */
function figure(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(4)));
}
