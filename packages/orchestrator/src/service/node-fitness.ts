/**
 * What the orchestrator asks about nodes.
 *
 * **Source:** SwarmKit manager/orchestrator/task.go (InvalidNode) and manager/constraint; the table
 * of node availability in SwarmKit design/orchestrators.md.
 */
import {
  compareBy,
  compareText,
  constraintFacts,
  hostnameOf,
  matchesConstraints,
  parseConstraints,
  type Constraint,
  type Node,
  type ServiceSpec,
} from '@skep/api';

/** Whether tasks may not stay there: the node is gone, DOWN or drained. */
export function isUnfit(node: Node | undefined): boolean {
  return node === undefined || node.status.state === 'down' || node.spec.availability === 'drain';
}

/** Whether nothing can be learned of tasks there: the node is gone or DOWN. */
export function isUnreachable(node: Node | undefined): boolean {
  return node === undefined || node.status.state === 'down';
}

/** Nodes by host name, then id: the order in which global services visit them. */
export const compareNodes: (a: Node, b: Node) => number = compareBy(
  (a, b) => compareText(hostnameOf(a), hostnameOf(b)),
  (a, b) => compareText(a.meta.id, b.meta.id),
);

/** The service's constraints; undefined when one of them does not parse: no node matches then. */
export function serviceConstraints(spec: ServiceSpec): readonly Constraint[] | undefined {
  try {
    return parseConstraints(spec.task.placement?.constraints ?? []);
  } catch {
    // Admission refuses such a spec; one that came in otherwise must not stop the loop.
    return undefined;
  }
}

/** Whether the node satisfies the constraints of {@link serviceConstraints}. */
export function meets(constraints: readonly Constraint[] | undefined, node: Node): boolean {
  return constraints !== undefined && matchesConstraints(constraints, constraintFacts(node));
}
