/**
 * Where tasks would go if nodes were drained, or lost.
 *
 * A task that leaves its node gives back what it held there before the others are placed: the plan
 * shows the end of the drain, not its steps.
 */
import { SkepError, type Node, type NodeId } from '@skep/api';
import type { ClusterState } from '../cluster-state.js';
import type { NodeInfo } from '../node-info.js';
import { placeGroup, type PlacementOptions } from '../place.js';
import { compareTasks, groupTasks } from '../task-group.js';
import { PlanDraft } from './plan-draft.js';
import type { WhatIfPlan } from './plan.js';
import { waitingTask } from './trial.js';

/**
 * Plans the drain of nodes: where each of their tasks would go, and which would wait, and why.
 * Tasks that are there because they run on every node (preassigned ones) stop; tasks that are to
 * end
 * already are not spoken of. Cost: that of placing the tasks.
 * @throws SkepError not-found for a node that is not known.
 */
export function planDrain(
  state: ClusterState,
  nodeIds: Iterable<NodeId>,
  options: PlacementOptions,
): WhatIfPlan {
  const nodes = nodesOf(state, nodeIds);
  return state.attempt(() => {
    const draft = evictAll(state, { nodes, word: 'drained', options });
    for (const { node } of nodes) state.upsertNode(drained(node));
    return draft.replace();
  });
}

/**
 * Plans the loss of nodes: where their tasks would be started anew, and which would wait, and why.
 * As {@link planDrain}, with nodes that are gone at once with all that was on them.
 * @throws SkepError not-found for a node that is not known.
 */
export function planNodeLoss(
  state: ClusterState,
  nodeIds: Iterable<NodeId>,
  options: PlacementOptions,
): WhatIfPlan {
  const nodes = nodesOf(state, nodeIds);
  return state.attempt(() => {
    const draft = evictAll(state, { nodes, word: 'lost', options });
    for (const { id } of nodes) {
      for (const ending of state.tasksOn(id)) state.release(ending.id);
      state.removeNode(id);
    }
    return draft.replace();
  });
}

/** Takes the tasks that were to stay off the nodes. */
function evictAll(
  state: ClusterState,
  {
    nodes,
    word,
    options,
  }: {
    readonly nodes: readonly NodeInfo[];
    readonly word: string;
    readonly options: PlacementOptions;
  },
): { replace(): WhatIfPlan } {
  const evicted = nodes
    .flatMap((node) =>
      state.tasksOn(node.id).map(({ task, isActive }) => ({ task, isActive, node })),
    )
    .filter(({ isActive }) => isActive)
    .sort((a, b) => compareTasks(a.task, b.task));
  const tasks = evicted.map(({ task }) => task);
  const draft = new PlanDraft(state, tasks, options);
  for (const { task, node } of evicted) {
    const isBound = task.spec.nodeId !== undefined;
    draft.evict(task, `${node.name} is ${word}${isBound ? ', and the task is for it alone' : ''}`);
    state.release(task.meta.id);
  }
  const free = tasks.filter(({ spec }) => spec.nodeId === undefined).map(waitingTask);
  return {
    replace: () => {
      for (const group of groupTasks(free)) draft.note(placeGroup(state, group, options));
      return draft.plan();
    },
  };
}

function nodesOf(state: ClusterState, ids: Iterable<NodeId>): readonly NodeInfo[] {
  return [...new Set(ids)].map((id) => {
    const node = state.node(id);
    if (node !== undefined) return node;
    throw new SkepError('not-found', `node ${id}: there is no such node in the cluster`, {
      details: { nodeId: id },
    });
  });
}

function drained(node: Node): Node {
  return { ...node, spec: { ...node.spec, availability: 'drain' } };
}
