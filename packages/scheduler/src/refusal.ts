/**
 * Why no node takes a task, in the form that is kept in its status.
 *
 * The message is Swarm's: each node counts for the first filter that refused it. The data is
 * complete: every filter is asked about every node.
 */
import { compareText, type FilterCount, type NodeId, type PendingReason } from '@skep/api';
import type { ActiveFilter } from './active-plugins.js';
import type { NodeInfo } from './node-info.js';
import { judgeScores } from './plugin-faults.js';
import type { PreparedGroup } from './prepared-group.js';

/** Nodes named in a status; the whole list is had by `explain`. */
export const REFUSED_NODES_MAX = 10;

/** Code of a task that fits nowhere. */
export const NO_SUITABLE_NODE = 'no-suitable-node';

/** A refusal that nobody wants explained. */
export const BRIEF_REFUSAL: PendingReason = Object.freeze({
  code: NO_SUITABLE_NODE,
  message: 'no suitable node',
});

/** Explains why the group's next task fits nowhere. Cost: O(nodes × active filters). */
export function refusalOf(prepared: PreparedGroup): PendingReason {
  const { nodes } = prepared.state;
  const first = new Map<ActiveFilter, number>();
  const all = new Map<ActiveFilter, number>();
  const named: NamedNode[] = [];
  for (const node of nodes) {
    const refusing = prepared.filters.filter((active) => active.prepared.check(node) !== undefined);
    if (refusing[0] !== undefined) count(first, refusing[0]);
    // A node that passes is taken, unless nothing can be said about how good it is.
    else if (prepared.scores.length > 0) judgeScores(prepared);
    for (const active of refusing) count(all, active);
    if (named.length < REFUSED_NODES_MAX) named.push(namedNode(node, refusing));
  }
  const text = textOf(prepared.filters, first);
  return {
    code: NO_SUITABLE_NODE,
    message: text === '' ? 'no suitable node' : `no suitable node (${text})`,
    filters: countsOf(all),
    nodes: named,
  };
}

/** Explains why a preassigned task does not fit its node; Swarm's text has no frame here. */
export function refusalOfNode(prepared: PreparedGroup, node: NodeInfo): PendingReason {
  const refusing = prepared.filters.filter((active) => active.prepared.check(node) !== undefined);
  return {
    code: NO_SUITABLE_NODE,
    message: refusing[0]?.filter.describe(1) ?? 'no suitable node',
    filters: countsOf(new Map(refusing.map((active) => [active, 1]))),
    nodes: [namedNode(node, refusing)],
  };
}

/** The preassigned node is not there. */
export function nodeNotFound(nodeId: NodeId): PendingReason {
  return { code: 'node-not-found', message: `preassigned node ${nodeId} does not exist` };
}

type NamedNode = NonNullable<PendingReason['nodes']>[number];

function namedNode(node: NodeInfo, refusing: readonly ActiveFilter[]): NamedNode {
  return {
    nodeId: node.id,
    nodeName: node.name,
    filters: refusing.map((active) => active.filter.name),
  };
}

function count(counts: Map<ActiveFilter, number>, active: ActiveFilter): void {
  counts.set(active, (counts.get(active) ?? 0) + 1);
}

/** By falling count; equal ones in the order of the policy. */
function textOf(
  filters: readonly ActiveFilter[],
  counts: ReadonlyMap<ActiveFilter, number>,
): string {
  return filters
    .filter((active) => counts.has(active))
    .sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0))
    .map((active) => active.filter.describe(counts.get(active) ?? 0))
    .join('; ');
}

function countsOf(counts: ReadonlyMap<ActiveFilter, number>): readonly FilterCount[] {
  return [...counts]
    .map(([{ filter }, nodes]) => ({ filter: filter.name, nodes }))
    .sort((a, b) => b.nodes - a.nodes || compareText(a.filter, b.filter));
}
