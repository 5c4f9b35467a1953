/**
 * Rejects tasks on nodes that changed and do not suit them any more.
 *
 * **Source:** SwarmKit manager/orchestrator/constraintenforcer/constraint_enforcer.go, without its
 * defect 13: the victims are the newest tasks, and all tasks are looked at.
 */
import {
  ACTORS,
  Node,
  Service,
  Task,
  byNode,
  constraintFacts,
  isEqual,
  matchesConstraints,
  parseConstraints,
  type ConstraintFacts,
  type NodeId,
  type Placement,
  type Timestamp,
} from '@skep/api';
import type { Plan, PlanController } from '@skep/controller';
import type { ObjectEvent, View } from '@skep/store';
import { compareSeniority, isEnforceable, rejectTask } from './rejection.js';
import { nodeBudget, type NodeBudget } from './node-budget.js';

const MESSAGE = 'task rejected by constraint enforcer';
const ERROR = 'assigned node no longer meets constraints';

/**
 * The controller. Keys are node ids. Woken by nodes, and by tasks that come to a node: a scheduler
 * may have decided on an older picture of it.
 */
export function constraintEnforcer(): PlanController {
  return {
    name: ACTORS.constraintEnforcer,
    rule: 'enforce-constraints',
    for: Node,
    predicate: isRelevantNode,
    watches: [{ kind: Task, keys: nodesOfTask, predicate: isPlacement }],
    plan: enforceConstraints,
  };
}

/**
 * Rejects the tasks of a node that its labels, its properties or its resources do not suit. Only on
 * ACTIVE nodes: PAUSE leaves tasks alone, and drained nodes are the orchestrator's business.
 * Pure. Cost: O(tasks on the node log tasks).
 */
export function enforceConstraints(view: View, nodeId: NodeId, now: Timestamp): Plan {
  const node = view.get(Node, nodeId);
  if (node === undefined || node.spec.availability !== 'active') return { changes: [] };
  const facts = constraintFacts(node);
  const budget = nodeBudget(node);
  const tasks = view.list(Task, byNode(nodeId)).filter(isEnforceable).sort(compareSeniority);
  const victims = tasks.filter((task) => !maySettle(view, task, { facts, budget }));
  return {
    changes: victims.map((task) => rejectTask(task, { message: MESSAGE, error: ERROR, now })),
  };
}

/** What the enforcer asks: constraints first, then whether there is room beside older tasks. */
function maySettle(
  view: View,
  task: Task,
  node: { readonly facts: ConstraintFacts; readonly budget: NodeBudget | undefined },
): boolean {
  if (!constraintsHold(view, task, node.facts)) return false;
  return node.budget?.take(task) ?? true;
}

/**
 * The service's present constraints count: a task's own copy may be stale when only placement was
 * changed. While the service has not been acted on yet, a task that still suits its own copy is
 * left to the updater, which replaces tasks one after another.
 */
function constraintsHold(view: View, task: Task, facts: ConstraintFacts): boolean {
  const { serviceId, template } = task.spec;
  const service = serviceId === undefined ? undefined : view.get(Service, serviceId);
  if (service === undefined) return holds(template.placement, facts);
  if (holds(service.spec.task.placement, facts)) return true;
  const isInWork = service.status.observedGeneration < service.meta.generation;
  return isInWork && holds(template.placement, facts);
}

/** Constraints that do not parse constrain nothing here, as in the scheduler. */
function holds(placement: Placement | undefined, facts: ConstraintFacts): boolean {
  try {
    return matchesConstraints(parseConstraints(placement?.constraints ?? []), facts);
  } catch {
    return true;
  }
}

function isRelevantNode({ type, object, previous }: ObjectEvent): boolean {
  if (type !== 'updated' || previous === undefined) return type !== 'deleted';
  const [before, after] = [previous as Node, object as Node];
  return (
    before.spec !== after.spec ||
    before.status.address !== after.status.address ||
    !isEqual(before.status.description, after.status.description) ||
    !isEqual(before.meta.labels, after.meta.labels)
  );
}

function isPlacement({ object, previous }: ObjectEvent): boolean {
  const { nodeId } = (object as Task).status;
  return nodeId !== undefined && nodeId !== (previous as Task | undefined)?.status.nodeId;
}

function nodesOfTask({ object }: ObjectEvent): readonly NodeId[] {
  const { nodeId } = (object as Task).status;
  return nodeId === undefined ? [] : [nodeId];
}
