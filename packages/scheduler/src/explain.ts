/**
 * The whole story of one task: every node, every filter, every rank, as data.
 */
import type { NodeId, PendingReason, Task, TaskId } from '@skep/api';
import { taskName } from '@skep/api';
import { openCandidates } from './candidates.js';
import type { ClusterState } from './cluster-state.js';
import type { NodeInfo } from './node-info.js';
import { reasonOf, type PlacementOptions, type PlacementReason } from './place.js';
import { compareNodes, prepareGroup, type PreparedGroup } from './prepared-group.js';
import type { Lack } from './policy.js';
import { nodeNotFound, refusalOf, refusalOfNode } from './refusal.js';
import { groupOf } from './task-group.js';

/** What a filter says about a node. */
export interface FilterVerdict {
  readonly filter: string;
  /** Absent when the node passes. */
  readonly lacks?: readonly Lack[];
}

/** A rank term's value for a node. */
export interface RankValue {
  readonly term: string;
  readonly value: number;
}

/** A branch of the spread that a node is in. */
export interface BranchExplanation {
  readonly level: string;
  readonly value: string;
  /** Active tasks of the service in the branch. */
  readonly tasks: number;
}

/** One node in an explanation. */
export interface NodeExplanation {
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly isCandidate: boolean;
  /** One for each filter that is active for the task, in the order of the policy. */
  readonly verdicts: readonly FilterVerdict[];
  /** One for each rank term, in the order in which they count; less is better. */
  readonly ranks: readonly RankValue[];
  /** One for each spread level, from the top. */
  readonly branches: readonly BranchExplanation[];
}

/** Where a task would go now, and why. */
export interface Explanation {
  readonly taskId: TaskId;
  readonly taskName: string;
  readonly policy: string;
  /** The node it would go to; absent when there is none. */
  readonly chosen?: PlacementReason;
  /** Why there is none. */
  readonly pending?: PendingReason;
  /** Candidates first, best first by rank; then the others by name. */
  readonly nodes: readonly NodeExplanation[];
}

/**
 * Explains where the task would go in this state, without placing it. A preassigned task is
 * explained for its own node. A task that already counts on a node is treated as one more.
 * Cost: O(nodes log nodes × filters).
 */
export function explain(state: ClusterState, task: Task, options: PlacementOptions): Explanation {
  const prepared = prepareGroup(state, groupOf([task]), options);
  const base = { taskId: task.meta.id, taskName: taskName(task), policy: options.policy.name };
  if (task.spec.nodeId !== undefined) {
    return { ...base, ...explainPreassigned(prepared, task.spec.nodeId) };
  }
  const counts = branchCounts(prepared);
  const nodes = inOrder(prepared, state.nodes).map((node) => explainNode(prepared, node, counts));
  const choice = openCandidates(prepared).choose();
  return choice === undefined
    ? { ...base, pending: refusalOf(prepared), nodes }
    : { ...base, chosen: reasonOf(prepared, choice), nodes };
}

function explainPreassigned(
  prepared: PreparedGroup,
  nodeId: NodeId,
): Pick<Explanation, 'chosen' | 'pending' | 'nodes'> {
  const node = prepared.state.node(nodeId);
  if (node === undefined) return { pending: nodeNotFound(nodeId), nodes: [] };
  const explained = explainNode(prepared, node, branchCounts(prepared));
  return explained.isCandidate
    ? { chosen: { nodeId, term: 'preassigned', nodes: 1 }, nodes: [explained] }
    : { pending: refusalOfNode(prepared, node), nodes: [explained] };
}

function inOrder(prepared: PreparedGroup, nodes: readonly NodeInfo[]): readonly NodeInfo[] {
  const isFit = (node: NodeInfo): boolean =>
    prepared.filters.every((active) => active.prepared.check(node) === undefined);
  const candidates = nodes.filter(isFit).sort((a, b) => compareNodes(prepared.terms, a, b));
  const taken = new Set(candidates);
  return [...candidates, ...nodes.filter((node) => !taken.has(node))];
}

function explainNode(
  prepared: PreparedGroup,
  node: NodeInfo,
  counts: ReadonlyMap<string, number>,
): NodeExplanation {
  const verdicts = prepared.filters.map(({ filter, prepared: active }): FilterVerdict => {
    const lacks = active.check(node);
    return { filter: filter.name, ...(lacks === undefined ? {} : { lacks }) };
  });
  const keys = branchKeys(prepared, node);
  return {
    nodeId: node.id,
    nodeName: node.name,
    isCandidate: verdicts.every((verdict) => verdict.lacks === undefined),
    verdicts,
    ranks: prepared.policy.rank.map((term, at) => ({
      term: term.name,
      value: prepared.terms[at]?.value(node) ?? 0,
    })),
    branches: prepared.levels.map((level, depth) => ({
      level: level.name,
      value: level.value(node),
      tasks: counts.get(keys[depth] ?? '') ?? 0,
    })),
  };
}

function branchCounts(prepared: PreparedGroup): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  if (prepared.levels.length === 0) return counts;
  const { state, group } = prepared;
  const active = state.activeTasksOf(group.serviceId);
  for (const node of state.nodes) {
    for (const key of branchKeys(prepared, node)) {
      counts.set(key, (counts.get(key) ?? 0) + active.on(node));
    }
  }
  return counts;
}

/** A key for the branch at each level: the values down to it. */
function branchKeys({ levels }: PreparedGroup, node: NodeInfo): readonly string[] {
  const values = levels.map((level) => level.value(node));
  return values.map((_, depth) => JSON.stringify(values.slice(0, depth + 1)));
}
