/**
 * The whole story of one task: every node, every filter, every rank, as data.
 */
import type { NodeId, PendingReason, Task, TaskId } from '@skep/api';
import { taskName } from '@skep/api';
import { openCandidates } from './candidates.js';
import type { Choice } from './choice.js';
import type { ClusterState } from './cluster-state.js';
import type { NodeInfo } from './node-info.js';
import { reasonOf, type PlacementOptions, type PlacementReason } from './place.js';
import {
  compareByWorth,
  compareNodes,
  passes,
  prepareGroup,
  type PreparedGroup,
} from './prepared-group.js';
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

/** What a score gives a candidate. */
export interface ScoreValue {
  readonly score: string;
  /** As the score gave it; more is better. */
  readonly value: number;
  /** What became of it among the candidates, where the score normalises. */
  readonly normalised?: number;
  readonly weight: number;
  /** What counts: weight × (normalised) value. */
  readonly weighted: number;
}

/** Candidates between which neither spread nor ranks nor scores decided. */
export interface TieExplanation {
  /** The chosen node first; in the order in which they would be taken. */
  readonly nodes: readonly NodeId[];
  /** What decided: the policy's tie-break, `name` or `id`. */
  readonly by: string;
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
  /** Of a candidate: one for each score that has something to say. */
  readonly scores?: readonly ScoreValue[];
  /** Of a candidate, with scores: the sum of what they count. */
  readonly total?: number;
  /** One for each spread level, from the top. */
  readonly branches: readonly BranchExplanation[];
}

/** Where a task would go now, and why. */
export interface Explanation {
  readonly taskId: TaskId;
  readonly taskName: string;
  readonly policy: string;
  /** The node it would go to; absent when there is none. */
  readonly chosen?: PlacementReason & { readonly nodeId: NodeId };
  /** Why there is none. */
  readonly pending?: PendingReason;
  /** Present when the chosen node was as good as others. */
  readonly tie?: TieExplanation;
  /** Candidates first, best first by rank and scores; then the others by name. */
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
  const candidates = candidatesInOrder(prepared);
  const taken = new Set(candidates);
  const others = state.nodes.filter((node) => !taken.has(node));
  const scores = scoresOf(
    prepared,
    state.nodes.filter((node) => taken.has(node)),
  );
  const nodes = [...candidates, ...others].map((node) =>
    explainNode(prepared, node, { counts, scores }),
  );
  const choice = openCandidates(prepared).choose();
  if (choice === undefined) return { ...base, pending: refusalOf(prepared), nodes };
  const tie = tieOf(prepared, choice, candidates);
  const chosen = { nodeId: choice.node.id, ...reasonOf(prepared, choice) };
  return { ...base, chosen, ...(tie === undefined ? {} : { tie }), nodes };
}

function explainPreassigned(
  prepared: PreparedGroup,
  nodeId: NodeId,
): Pick<Explanation, 'chosen' | 'pending' | 'nodes'> {
  const node = prepared.state.node(nodeId);
  if (node === undefined) return { pending: nodeNotFound(nodeId), nodes: [] };
  const scores = scoresOf(prepared, passes(prepared, node) ? [node] : []);
  const explained = explainNode(prepared, node, { counts: branchCounts(prepared), scores });
  return explained.isCandidate
    ? { chosen: { nodeId, term: 'preassigned', nodes: 1 }, nodes: [explained] }
    : { pending: refusalOfNode(prepared, node), nodes: [explained] };
}

function candidatesInOrder(prepared: PreparedGroup): readonly NodeInfo[] {
  return prepared.state.nodes
    .filter((node) => passes(prepared, node))
    .sort((a, b) => compareNodes(prepared, a, b));
}

/** Every score of every candidate; they are given in the order of nodes. */
function scoresOf(
  { scores }: PreparedGroup,
  candidates: readonly NodeInfo[],
): ReadonlyMap<NodeInfo, readonly ScoreValue[]> {
  const values = new Map<NodeInfo, ScoreValue[]>();
  if (scores.length === 0) return values;
  for (const node of candidates) values.set(node, []);
  for (const { score, prepared, weight } of scores) {
    const raw = Float64Array.from(candidates, (node) => prepared.score(node));
    const counted = raw.slice();
    prepared.normalise?.(counted);
    for (const [at, node] of candidates.entries()) {
      const value = raw[at] ?? 0;
      const normalised = counted[at] ?? 0;
      values.get(node)?.push({
        score: score.name,
        value,
        ...(prepared.normalise === undefined ? {} : { normalised }),
        weight,
        weighted: weight * normalised,
      });
    }
  }
  return values;
}

/**
 * The candidates that are worth as much as the chosen one and are in the same branch, or in one
 * that is as good and comes next.
 */
function tieOf(
  prepared: PreparedGroup,
  { node: chosen, runnerUp, spread }: Choice,
  candidates: readonly NodeInfo[],
): TieExplanation | undefined {
  const branch = branchKeys(prepared, chosen).at(-1);
  const next = spread === undefined ? runnerUp : undefined;
  const equal = candidates.filter(
    (node) =>
      compareByWorth(prepared, node, chosen) === 0 &&
      (node === next || branchKeys(prepared, node).at(-1) === branch),
  );
  const second = equal.find((node) => node !== chosen);
  if (second === undefined) return undefined;
  const { tieBreak } = prepared.policy;
  const isByPolicy = tieBreak !== undefined && tieBreak.value(chosen) !== tieBreak.value(second);
  const by = isByPolicy ? tieBreak.name : chosen.name === second.name ? 'id' : 'name';
  return { nodes: equal.map(({ id }) => id), by };
}

function explainNode(
  prepared: PreparedGroup,
  node: NodeInfo,
  known: {
    readonly counts: ReadonlyMap<string, number>;
    readonly scores: ReadonlyMap<NodeInfo, readonly ScoreValue[]>;
  },
): NodeExplanation {
  const verdicts = prepared.filters.map(({ filter, prepared: active }): FilterVerdict => {
    const lacks = active.check(node);
    return { filter: filter.name, ...(lacks === undefined ? {} : { lacks }) };
  });
  const keys = branchKeys(prepared, node);
  const scores = known.scores.get(node);
  return {
    nodeId: node.id,
    nodeName: node.name,
    isCandidate: verdicts.every((verdict) => verdict.lacks === undefined),
    verdicts,
    ranks: prepared.policy.rank.map((term, at) => ({
      term: term.name,
      value: prepared.terms[at]?.value(node) ?? 0,
    })),
    ...(scores === undefined
      ? {}
      : { scores, total: scores.reduce((sum, { weighted }) => sum + weighted, 0) }),
    branches: prepared.levels.map((level, depth) => ({
      level: level.name,
      value: level.value(node),
      tasks: known.counts.get(keys[depth] ?? '') ?? 0,
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
