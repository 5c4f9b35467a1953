/**
 * Replicated services: as many slots as replicas.
 *
 * **Source:** SwarmKit manager/orchestrator/replicated/services.go.
 */
import { wantedReplicas } from '@skep/api';
import { isLost } from './restart.js';
import { nodeIdOf } from './task-facts.js';
import { rankForKeeping, type RankedSlot } from './scale-down.js';
import type { ServicePlan } from './service-plan.js';
import { holders, lowestFreeSlot, type Slot } from './slots.js';

/**
 * Creates what is missing in the lowest free slots, asks surplus slots to be removed, and clears
 * slots that nobody holds any more.
 */
export function scaleReplicated(plan: ServicePlan): void {
  const wanted = wantedReplicas(plan.service.spec) ?? 0;
  const held: RankedSlot[] = [];
  const dead = new Map<number, Slot>();
  for (const slot of plan.slots()) {
    const tasks = holders(slot, plan.service, plan.now);
    if (tasks.length > 0) held.push({ slot, holders: tasks });
    else dead.set(slot.slot, slot);
  }
  if (held.length < wanted) {
    // A dead slot that is taken again keeps its old tasks: they are its history.
    for (const slot of fill(plan, held, wanted)) dead.delete(slot);
  } else if (held.length > wanted) {
    const ranked = rankForKeeping(held, (task) => {
      // What is about to be replaced has no place any more.
      return isLost(plan, task) ? undefined : nodeIdOf(task);
    });
    for (const { slot } of ranked.slice(wanted)) clear(plan, slot);
  }
  for (const slot of dead.values()) clear(plan, slot);
}

/** The held slots as the updater takes them, by number. */
export function replicatedSlots(plan: ServicePlan): readonly RankedSlot[] {
  return plan
    .slots()
    .map((slot) => ({ slot, holders: holders(slot, plan.service, plan.now) }))
    .filter((ranked) => ranked.holders.length > 0);
}

function fill(plan: ServicePlan, held: readonly RankedSlot[], wanted: number): readonly number[] {
  const taken = new Set(held.map(({ slot }) => slot.slot));
  const filled: number[] = [];
  let next = 1;
  for (let have = held.length; have < wanted; have += 1) {
    next = lowestFreeSlot(taken, next);
    taken.add(next);
    filled.push(next);
    plan.create({ slot: next, cause: 'scale', desiredState: 'running' });
  }
  return filled;
}

function clear(plan: ServicePlan, slot: Slot): void {
  for (const task of slot.tasks) plan.setDesired(task, 'remove');
}
