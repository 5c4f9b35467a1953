/**
 * The law about reasons: what is said about every node is so.
 */
import type { Task } from '@skep/api';
import {
  confirm,
  explain,
  type ClusterState,
  type Explanation,
  type Lack,
  type NodeExplanation,
  type PlacementOptions,
} from '@skep/scheduler';
import { nameOf } from '../build/service.js';
import { stateOf, type Decision } from '../placed-cluster.js';
import { decide, inDecisionOrder } from './engine-laws.js';
import type { PolicyLaw } from './law.js';

/**
 * Before each decision every node is explained, and tried: a node that is said to be refused does
 * refuse the task, a candidate takes it, what is said to be lacking is too little, and the best of
 * the candidates is the one that is taken.
 */
export const explanationLaw: PolicyLaw = {
  name: 'explanation',
  statement:
    'refused nodes do not fit, candidates do, lacks are real, and the chosen node is ranked best',
  check: ({ policy, cluster }) => {
    const state = stateOf(cluster);
    const options = { policy, now: cluster.now };
    for (const task of inDecisionOrder(cluster.tasks)) {
      const explanation = explain(state, task, options);
      const fault =
        nodesFault(state, task, { explanation, options }) ??
        choiceFault(explanation, decide(state, task, options));
      if (fault !== undefined) return `${nameOf(task)}: ${fault}`;
    }
    return undefined;
  },
};

function nodesFault(
  state: ClusterState,
  task: Task,
  about: { readonly explanation: Explanation; readonly options: PlacementOptions },
): string | undefined {
  const { explanation, options } = about;
  const wanted = task.spec.nodeId === undefined ? state.nodes.length : 1;
  if (explanation.nodes.length !== wanted && explanation.pending?.code !== 'node-not-found') {
    return `${explanation.nodes.length} of ${wanted} nodes are explained`;
  }
  for (const node of explanation.nodes) {
    const forced = { ...task, spec: { ...task.spec, nodeId: node.nodeId } };
    const isTaken = confirm(state, forced, options).ok;
    if (isTaken) state.removeTask(task.meta.id);
    if (isTaken !== node.isCandidate) {
      const said = node.isCandidate ? 'would take it' : 'refuses it';
      return `${node.nodeName} is said to ${said}, and when tried does not`;
    }
    const fault = verdictsFault(node);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function verdictsFault({ nodeName, isCandidate, verdicts }: NodeExplanation): string | undefined {
  const lacks = verdicts.flatMap((verdict) => verdict.lacks ?? []);
  if (isCandidate) return lacks.length === 0 ? undefined : `${nodeName} lacks, and is a candidate`;
  if (lacks.length === 0) return `${nodeName} is refused, and nothing is said to be lacking`;
  const wrong = lacks.find((lack) => !isReal(lack));
  if (wrong === undefined) return undefined;
  const { what, needed, available } = wrong;
  return `${nodeName} is said to lack ${what}: it needs ${needed} and has ${available}`;
}

function isReal({ needed, available }: Lack): boolean {
  if (typeof needed === 'number' && typeof available === 'number') return available < needed;
  return needed !== available;
}

function choiceFault(explanation: Explanation, { placement, unplaced }: Decision) {
  const { chosen, pending, nodes } = explanation;
  if (placement === undefined || chosen === undefined) {
    if (placement !== undefined) return 'is said to wait, and was placed';
    if (chosen !== undefined) return 'is said to be placed, and waits';
    const [said, is] = [pending?.message, unplaced?.explanation.message];
    return said === is ? undefined : `is said to wait for '${said}', and waits for '${is}'`;
  }
  const { reason } = placement;
  if (chosen.nodeId !== placement.nodeId) {
    return `is said to go to ${chosen.nodeId}, and went to ${placement.nodeId}`;
  }
  if (chosen.term !== reason.term || chosen.runnerUp !== reason.runnerUp) {
    return (
      `is said to go there by '${chosen.term}' before ${chosen.runnerUp ?? 'none'}, and went ` +
      `by '${reason.term}' before ${reason.runnerUp ?? 'none'}`
    );
  }
  if (reason.term === 'preassigned') return undefined;
  const candidates = nodes.filter(({ isCandidate }) => isCandidate);
  if (candidates.length !== reason.nodes) {
    return `${reason.nodes} nodes are said to fit, and ${candidates.length} do`;
  }
  return orderFault(candidates) ?? bestFault(candidates, placement.nodeId);
}

/** Candidates stand in the order of their ranks and scores. */
function orderFault(candidates: readonly NodeExplanation[]): string | undefined {
  for (const [at, node] of candidates.entries()) {
    const next = candidates[at + 1];
    if (next === undefined || compareRanks(node, next) <= 0) continue;
    return `${node.nodeName} stands before ${next.nodeName}, and is ranked worse`;
  }
  return undefined;
}

function compareRanks(a: NodeExplanation, b: NodeExplanation): number {
  for (const [at, { value }] of a.ranks.entries()) {
    const difference = value - (b.ranks[at]?.value ?? value);
    if (difference !== 0) return difference;
  }
  return (b.total ?? 0) - (a.total ?? 0);
}

/** The chosen node is in the emptiest branch at each level, and the first of those there. */
function bestFault(candidates: readonly NodeExplanation[], nodeId: string): string | undefined {
  const chosen = candidates.find((node) => node.nodeId === nodeId);
  if (chosen === undefined) return `went to ${nodeId}, which is no candidate`;
  let rivals = candidates;
  for (const [depth, { level, value, tasks }] of chosen.branches.entries()) {
    const fewest = rivals.find((node) => (node.branches[depth]?.tasks ?? 0) < tasks);
    if (fewest !== undefined) {
      return (
        `went to ${chosen.nodeName} with ${tasks} tasks in ${level} '${value}', and ` +
        `${fewest.nodeName} is in a place with fewer`
      );
    }
    rivals = rivals.filter((node) => node.branches[depth]?.value === value);
  }
  const [best] = rivals;
  if (best === undefined || best === chosen) return undefined;
  return `went to ${chosen.nodeName}, and ${best.nodeName} is ranked better`;
}
