/**
 * Placement: tasks in, nodes and reasons out.
 *
 * **Source:** SwarmKit manager/scheduler/scheduler.go; leaf placement there fills the valleys of
 * the ranking, which is what taking the best node each time does, without its special cases.
 */
import {
  SkepError,
  type DeviceShare,
  type GenericResource,
  type NodeId,
  type PendingReason,
  type PlacementSummary,
  type ReservedPort,
  type Task,
  type TaskId,
  type Timestamp,
} from '@skep/api';
import { openCandidates } from './candidates.js';
import type { Candidates, Choice } from './choice.js';
import type { ClusterState } from './cluster-state.js';
import type { NodeInfo } from './node-info.js';
import { passes, prepareGroup, type PreparedGroup } from './prepared-group.js';
import { judgeRank, judgeScores } from './plugin-faults.js';
import type { Policy, PreparedTerm } from './policy.js';
import { BRIEF_REFUSAL, nodeNotFound, refusalOf, refusalOfNode } from './refusal.js';
import { NO_RESERVATION, type Reservation } from './task-claim.js';
import { groupOf, type TaskGroup } from './task-group.js';
import type { VolumeUse } from './volume-ledger.js';

/** What placement is asked with. */
export interface PlacementOptions {
  readonly policy: Policy;
  /** Fault memory is judged as of this time. */
  readonly now: Timestamp;
  /**
   * Whether a refusal is explained by filters and nodes (default), which costs O(nodes), or says
   * its code alone: for long runs that only count.
   */
  readonly refusals?: 'explained' | 'brief';
  /**
   * The tasks are known not to count on any node yet, and each is placed once: that is then not
   * looked up for each of them. Default: false.
   */
  readonly areNew?: boolean;
}

/** Why a task went to its node. Without a path it is what the task's status says of it. */
export interface PlacementReason extends PlacementSummary {
  /** Values of the spread levels that the node was reached by. */
  readonly path?: readonly string[];
}

/** A task and its node. */
export interface Placement {
  readonly task: Task;
  readonly taskId: TaskId;
  readonly nodeId: NodeId;
  readonly reason: PlacementReason;
  /** The items of generic resources it was given; recorded in its status. */
  readonly genericResources?: readonly GenericResource[];
  /** The volumes it was given; recorded in its status. */
  readonly volumes?: readonly VolumeUse[];
  /** The shares of devices it was given; recorded in its status. */
  readonly devices?: readonly DeviceShare[];
  /** The numbers its host-mode ports were given; recorded in its status as `reservedPorts`. */
  readonly ports?: readonly ReservedPort[];
}

/** A task without a node. */
export interface Unplaced {
  readonly task: Task;
  readonly taskId: TaskId;
  readonly explanation: PendingReason;
}

/** What became of the tasks of a group, in its order. */
export interface GroupPlacement {
  readonly placements: readonly Placement[];
  readonly unplaced: readonly Unplaced[];
}

/**
 * Who is told what became of the tasks of a group: of each in its order, as it is decided. It must
 * not place others meanwhile.
 */
export interface PlacementListener {
  placed(placement: Placement): void;
  unplaced(task: Task, explanation: PendingReason): void;
}

/**
 * Places the tasks of a group, and counts them on their nodes as assumed.
 * When one does not fit, none after it does: they are alike.
 * @throws SkepError failed-precondition for a plugin that answers nonsense: a score that is not
 * finite, devices that are not there.
 * Cost: O(log nodes) a task where candidates are shared between groups; else O(nodes) for the group
 * and O(log nodes) a task. Explaining a refusal costs O(nodes).
 */
export function placeGroup(
  state: ClusterState,
  group: TaskGroup,
  options: PlacementOptions,
): GroupPlacement {
  const placements: Placement[] = [];
  const unplaced: Unplaced[] = [];
  placeEach(state, group, options, {
    placed: (placement) => placements.push(placement),
    unplaced: (task, explanation) => unplaced.push({ task, taskId: task.meta.id, explanation }),
  });
  return { placements, unplaced };
}

/**
 * As {@link placeGroup}, for many groups in a row: nothing is kept of what the listener was told,
 * and it is told while everything about a task is at hand.
 */
export function placeEach(
  state: ClusterState,
  group: TaskGroup,
  options: PlacementOptions,
  listener: PlacementListener,
): void {
  const prepared = prepareGroup(state, group, options);
  const candidates = openCandidates(prepared);
  const { tasks } = group;
  const isNew = options.areNew;
  let placed = 0;
  for (; placed < tasks.length; placed += 1) {
    if (placed > 0) candidates.used();
    const choice = candidates.choose();
    if (choice === undefined) break;
    const reason = reasonOf(prepared, choice);
    const task = tasks[placed] as Task;
    listener.placed(placeOn(prepared, { task, node: choice.node, reason, isNew }));
  }
  if (placed === tasks.length) return;
  const explanation =
    options.refusals === 'brief' ? BRIEF_REFUSAL : sharedRefusal(prepared, candidates);
  for (; placed < tasks.length; placed += 1) listener.unplaced(tasks[placed] as Task, explanation);
}

const NONE: readonly never[] = Object.freeze([]);

/** The outcome of confirming a preassigned task. */
export type Confirmation =
  | { readonly ok: true; readonly placement: Placement }
  | { readonly ok: false; readonly explanation: PendingReason };

/**
 * Checks that a preassigned task (`spec.nodeId`) fits its node, and counts it there as assumed.
 * All filters apply, ready among them. Cost: O(filters).
 */
export function confirm(state: ClusterState, task: Task, options: PlacementOptions): Confirmation {
  const nodeId = task.spec.nodeId ?? '';
  const node = state.node(nodeId);
  if (node === undefined) return { ok: false, explanation: nodeNotFound(nodeId) };
  const prepared = prepareGroup(state, groupOf([task]), options);
  if (!passes(prepared, node)) return { ok: false, explanation: refusalOfNode(prepared, node) };
  const reason = { term: 'preassigned', nodes: 1 };
  return { ok: true, placement: placeOn(prepared, { task, node, reason }) };
}

function placeOn(
  prepared: PreparedGroup,
  decision: {
    readonly task: Task;
    readonly node: NodeInfo;
    readonly reason: PlacementReason;
    readonly isNew?: boolean | undefined;
  },
): Placement {
  const { task, node, reason, isNew } = decision;
  const { state, group, reserves } = prepared;
  const chosen = reserves.length === 0 ? undefined : reserved(prepared, node);
  const given = state.assume(task, node, { requirements: group.requirements, chosen, isNew });
  const placement = { task, taskId: task.meta.id, nodeId: node.id, reason };
  return given === NO_RESERVATION ? placement : { ...placement, ...given };
}

/** What the policy's reserves choose on the node, put together. */
function reserved({ reserves, policy }: PreparedGroup, node: NodeInfo): Reservation {
  const chosen = reserves.reduce<Reservation>(
    (all, reserve) => ({ ...all, ...reserve.choose(node) }),
    NO_RESERVATION,
  );
  const taken = new Map<string, number>();
  for (const { kind, index, milli } of chosen.devices ?? NONE) {
    const device = `${kind} ${index}`;
    const wanted = (taken.get(device) ?? 0) + milli;
    taken.set(device, wanted);
    const free = node.devices.of(kind)?.freeMilli[index] ?? 0;
    if (wanted <= free) continue;
    throw new SkepError(
      'failed-precondition',
      `policy ${policy.name} reserves ${wanted} thousandths of ${device} on node ${node.name}, ` +
        `where ${free} are free: a reserve chooses among what its filters let pass`,
    );
  }
  return chosen;
}

/** Groups that share candidates share the explanation, until something changes. */
function sharedRefusal(prepared: PreparedGroup, candidates: Candidates): PendingReason {
  const { index } = candidates;
  const { revision } = prepared.state;
  if (index === undefined) return refusalOf(prepared);
  if (index.refusal?.revision !== revision) {
    index.refusal = { revision, reason: refusalOf(prepared) };
  }
  return index.refusal.reason;
}

/** What set the chosen node apart from the runner-up. */
export function reasonOf(prepared: PreparedGroup, choice: Choice): PlacementReason {
  const { runnerUp, spread, path, candidates: nodes } = choice;
  const reason =
    runnerUp === undefined
      ? { term: 'only-node', nodes }
      : spread === undefined
        ? decidingTerm(prepared, choice, runnerUp)
        : { term: 'spread', runnerUp: runnerUp.id, values: spread, nodes };
  return path.length === 0 ? reason : { ...reason, path };
}

function decidingTerm(
  prepared: PreparedGroup,
  choice: Choice,
  runnerUp: NodeInfo,
): PlacementReason {
  const { terms, policy, totals } = prepared;
  const { node, candidates: nodes } = choice;
  for (let at = 0; at < terms.length; at += 1) {
    const term = terms[at] as PreparedTerm;
    const mine = term.value(node);
    const other = term.value(runnerUp);
    if (mine === other) continue;
    const name = policy.rank[at]?.name ?? '';
    if (!(mine < other || mine > other)) {
      const ranks = [[node, mine] as const, [runnerUp, other] as const];
      judgeRank(prepared, name, ranks);
    }
    return { term: name, runnerUp: runnerUp.id, values: [mine, other], nodes };
  }
  if (totals !== undefined) {
    const values = choice.totals ?? totals.pair(node, runnerUp);
    if (!Number.isFinite(values[0] - values[1])) judgeScores(prepared);
    if (values[0] !== values[1]) {
      return { term: scoreTerm(policy), runnerUp: runnerUp.id, values, nodes };
    }
  }
  const { tieBreak } = policy;
  if (tieBreak !== undefined) {
    const values = [tieBreak.value(node), tieBreak.value(runnerUp)] as const;
    if (values[0] !== values[1]) {
      return { term: tieBreak.name, runnerUp: runnerUp.id, values, nodes };
    }
  }
  const name = node.name === runnerUp.name ? 'id' : 'name';
  return { term: name, runnerUp: runnerUp.id, nodes };
}

/** How a decision by scores is named: by the only score, or as a whole. */
export function scoreTerm({ scores }: Policy): string {
  return scores?.length === 1 ? (scores[0]?.name ?? SCORE_TERM) : SCORE_TERM;
}

/** The name of a decision by the sum of several scores. */
export const SCORE_TERM = 'score';
