/**
 * Global services: one task on every node that fits.
 *
 * **Source:** SwarmKit manager/orchestrator/global/global.go, without its defect 6: tasks are
 * always judged by their own service. Nodes are visited by host name, then id.
 */
import { Node, type NodeId, type Task } from '@skep/api';
import { compareNodes, isUnfit } from './node-fitness.js';
import type { ServicePlan } from './service-plan.js';
import type { UpdatableSlot } from './update-slot.js';
import { holders, type Slot } from './slots.js';
import { isWanted } from './task-facts.js';

/**
 * Creates the task of each node that has none, and stops those of nodes that do not fit. PAUSE:
 * what is there stays, nothing is added.
 */
export function placeGlobal(plan: ServicePlan): void {
  const slots = slotsByNode(plan);
  stopOnUnfitNodes(plan, slots.values());
  for (const node of [...plan.view.list(Node)].sort(compareNodes)) {
    if (isUnfit(node) || !plan.isFit(node) || node.spec.availability === 'pause') continue;
    const slot = slots.get(node.meta.id);
    const held = slot === undefined ? [] : holders(slot, plan.service, plan.now);
    if (held.length > 0) continue;
    plan.create({ slot: 0, nodeId: node.meta.id, cause: 'node', desiredState: plan.runState });
  }
}

/**
 * Asks tasks to shut down where the node is DOWN, drained or does not match the constraints any
 * more; those of a node that is gone are removed.
 */
export function stopOnUnfitNodes(plan: ServicePlan, slots: Iterable<Slot>): void {
  for (const slot of slots) {
    const node = slot.nodeId === undefined ? undefined : plan.node(slot.nodeId);
    if (node === undefined) {
      for (const task of slot.tasks) plan.setDesired(task, 'remove');
    } else if (isUnfit(node) || !plan.isFit(node)) {
      for (const task of slot.tasks.filter((held) => isUnfinished(plan, held))) {
        plan.setDesired(task, 'shutdown');
      }
    }
  }
}

function isUnfinished(plan: ServicePlan, task: Task): boolean {
  return isWanted(task) && !(plan.isJob && task.status.state === 'complete');
}

/** Slots of the service by the node that they belong to. */
export function slotsByNode(plan: ServicePlan): ReadonlyMap<NodeId, Slot> {
  return new Map(plan.slots().map((slot) => [slot.nodeId ?? '', slot]));
}

/** A task that ended is replaced on its node, unless the node takes no new tasks of the service. */
export function mayReplaceOnNode(plan: ServicePlan, node: Node | undefined): boolean {
  return (
    node !== undefined && !isUnfit(node) && plan.isFit(node) && node.spec.availability !== 'pause'
  );
}

/** The slots of the service by host name of their node, for the updater. */
export function globalSlots(plan: ServicePlan): readonly UpdatableSlot[] {
  const slots = slotsByNode(plan);
  const found: UpdatableSlot[] = [];
  for (const node of [...plan.view.list(Node)].sort(compareNodes)) {
    const slot = slots.get(node.meta.id);
    if (slot === undefined || isUnfit(node) || !plan.isFit(node)) continue;
    const tasks = holders(slot, plan.service, plan.now);
    const isFrozen = node.spec.availability === 'pause';
    if (tasks.length > 0) found.push({ slot, holders: tasks, isFrozen });
  }
  return found;
}
