/**
 * Nodes between which neither ranks nor scores nor the spread decide.
 */
import type { Explanation, NodeExplanation } from '@skep/scheduler';

/** Whether another node was as good as the chosen one, so that names decided, or a tie-break. */
export function isTie({ chosen, nodes }: Explanation): boolean {
  const best = nodes.find(({ nodeId }) => nodeId === chosen?.nodeId);
  if (best === undefined) return false;
  return nodes.some(
    (node) =>
      node !== best && node.isCandidate && areInLevel(node, best) && areRankedEqual(node, best),
  );
}

/**
 * Whether both nodes are in branches of the spread that are equally full. Which of them gets what
 * is left over depends on how full they were before the group, which a task of its own cannot know.
 */
export function areEquallyFull(explanation: Explanation, one: string, other: string): boolean {
  const [a, b] = [one, other].map((id) => explanation.nodes.find(({ nodeId }) => nodeId === id));
  if (a === undefined || b === undefined || !a.isCandidate || !b.isCandidate) return false;
  return a.branches.some(({ value }, at) => b.branches[at]?.value !== value) && areInLevel(a, b);
}

/** Whether the branches in which their ways part have equally many tasks. */
function areInLevel(a: NodeExplanation, b: NodeExplanation): boolean {
  for (const [at, mine] of a.branches.entries()) {
    const other = b.branches[at];
    if (mine.value !== other?.value) return mine.tasks === other?.tasks;
  }
  return true;
}

function areRankedEqual(a: NodeExplanation, b: NodeExplanation): boolean {
  return a.ranks.every(({ value }, at) => value === b.ranks[at]?.value) && a.total === b.total;
}
