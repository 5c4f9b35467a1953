/**
 * What nodes lack for a task that waits, gathered from the scheduler's explanation.
 */
import { Network, Node, Service, Task, Volume } from '@skep/api';
import { ClusterState, explain, renderLack, type Explanation, type Policy } from '@skep/scheduler';
import type { View } from '@skep/store';

/** What the same nodes lack. */
export interface Shortfall {
  /** Names of the nodes, in their order. */
  readonly nodes: readonly string[];
  /** What each of them lacks: `constraint needs node.labels.disk == ssd, has ''`. */
  readonly lacks: readonly string[];
}

/** What decisions are explained with. */
export interface ExplainOptions {
  readonly policy: Policy;
  readonly now: number;
}

/**
 * Explains tasks of one view: every node, every filter, every rank.
 * Cost: O(objects) once, then O(nodes × filters) a task.
 */
export function explainer(view: View, options: ExplainOptions): (task: Task) => Explanation {
  const state = new ClusterState({
    nodes: view.list(Node),
    tasks: view.list(Task),
    services: view.list(Service),
    volumes: view.list(Volume),
    networks: view.list(Network),
  });
  return (task) => explain(state, task, options);
}

/** Nodes that lack the same things, together; in the order of the first of each. */
export function shortfallsOf({ nodes }: Explanation): readonly Shortfall[] {
  const groups = new Map<string, { nodes: string[]; lacks: readonly string[] }>();
  for (const { nodeName, isCandidate, verdicts } of nodes) {
    if (isCandidate) continue;
    const lacks = verdicts.flatMap((verdict) => (verdict.lacks ?? []).map(renderLack));
    const key = lacks.join('\n');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { nodes: [nodeName], lacks });
    else group.nodes.push(nodeName);
  }
  return [...groups.values()];
}
