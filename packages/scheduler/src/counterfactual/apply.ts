/**
 * Making a counterfactual true: everything as it is, but for what would be different.
 */
import type { Node, Task } from '@skep/api';
import type { ClusterState } from '../cluster-state.js';
import type { ClusterObjects } from '../cluster-view.js';
import type { Policy } from '../policy.js';
import { hostPortKey } from '../task-claim.js';
import { changedNode, twinOf } from './changed-node.js';
import { changedTask, withoutPort } from './changed-task.js';
import type { Counterfactual } from './counterfactual.js';
import type { Remedy } from './remedy.js';

/** A task, the cluster that it waits in, and the policy that places it. */
export interface Situation {
  readonly objects: ClusterObjects;
  readonly task: Task;
  readonly policy: Policy;
}

/**
 * The situation as it would be. Nothing of the input is modified. Applied to the situation that the
 * counterfactual is about, the task is placed. Cost: O(nodes + tasks).
 */
export function applyCounterfactual(
  { objects, task, policy }: Situation,
  { remedies }: Pick<Counterfactual, 'remedies'>,
): Situation {
  const nodes = [...(objects.nodes ?? [])];
  const tasks = [...(objects.tasks ?? [])];
  const changed = remedies.reduce(changedTask, task);
  return {
    objects: {
      ...objects,
      nodes: remedies.reduce(changedNodes, nodes),
      tasks: tasks.map((other) =>
        other.meta.id === task.meta.id
          ? remedies.reduce(changedTask, other)
          : remedies.reduce(changedHolder, other),
      ),
    },
    task: changed,
    policy: changedPolicy(policy, remedies),
  };
}

/** The same in a state, which is changed. */
export function applyToState(state: ClusterState, remedies: readonly Remedy[]): void {
  for (const remedy of remedies) {
    if (remedy.type === 'new-node') {
      const node = state.node(remedy.like)?.node;
      if (node !== undefined) state.upsertNode(twinOf(node, (id) => state.node(id) !== undefined));
    }
    if (!('nodeId' in remedy)) continue;
    const node = state.node(remedy.nodeId)?.node;
    if (node === undefined) continue;
    const changed = changedNode(node, remedy);
    if (changed !== node) state.upsertNode(changed);
    if (remedy.type !== 'port-free') continue;
    for (const { taskId } of remedy.holders) {
      const holder = state.release(taskId);
      if (holder === undefined) continue;
      const { ports, ...others } = holder.reservation;
      const kept = ports?.filter((port) => hostPortKey(port) !== remedy.port);
      const reservation = { ...others, ...(kept === undefined ? {} : { ports: kept }) };
      state.place(withoutPort(holder.task, remedy.port), node.meta.id, reservation);
    }
  }
}

/** The policy without the filters that the remedies leave out; the policy itself if none is. */
export function changedPolicy(policy: Policy, remedies: readonly Remedy[]): Policy {
  const left = new Set(
    remedies.flatMap((remedy) => (remedy.type === 'without-filter' ? [remedy.filter] : [])),
  );
  if (left.size === 0) return policy;
  return { ...policy, filters: policy.filters.filter(({ name }) => !left.has(name)) };
}

function changedNodes(nodes: readonly Node[], remedy: Remedy): Node[] {
  const changed = nodes.map((node) => changedNode(node, remedy));
  if (remedy.type !== 'new-node') return changed;
  const like = nodes.find(({ meta }) => meta.id === remedy.like);
  if (like === undefined) return changed;
  return [...changed, twinOf(like, (id) => nodes.some(({ meta }) => meta.id === id))];
}

function changedHolder(task: Task, remedy: Remedy): Task {
  if (remedy.type !== 'port-free') return task;
  const isHolder = remedy.holders.some(({ taskId }) => taskId === task.meta.id);
  return isHolder ? withoutPort(task, remedy.port) : task;
}
