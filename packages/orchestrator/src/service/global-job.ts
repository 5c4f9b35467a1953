/**
 * Global jobs: one completion on every node that is ready, active and fits.
 *
 * **Source:** SwarmKit manager/orchestrator/jobs/global/reconciler.go. Nodes wake the service, so a
 * node that joins late gets its task (defect 8); attempts are counted by the task (defect 9).
 */
import { Node } from '@skep/api';
import { mayReplaceOnNode, slotsByNode, stopOnUnfitNodes } from './global.js';
import { currentSlots, jobSlotState, reportCompletions, retireIterations } from './job-status.js';
import { compareNodes } from './node-fitness.js';
import type { ServicePlan } from './service-plan.js';

/** Retires earlier iterations, leaves unfit nodes, and starts the task of each node without one. */
export function runGlobalJob(plan: ServicePlan): void {
  retireIterations(plan);
  stopOnUnfitNodes(plan, slotsByNode(plan).values());
  const slots = new Map(currentSlots(plan).map((slot) => [slot.nodeId ?? '', slot]));
  let completed = 0;
  for (const node of [...plan.view.list(Node)].sort(compareNodes)) {
    const slot = slots.get(node.meta.id);
    const state = slot === undefined ? 'free' : jobSlotState(plan, slot);
    if (state === 'complete') completed += 1;
    if (state !== 'free' || node.status.state !== 'ready') continue;
    if (!mayReplaceOnNode(plan, node)) continue;
    plan.create({ slot: 0, nodeId: node.meta.id, cause: 'node', desiredState: plan.runState });
  }
  reportCompletions(plan, completed);
}
