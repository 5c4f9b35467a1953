/**
 * Slots: the places that the tasks of a service take one after another.
 *
 * A slot is no object; it exists while a task carries its number, or its node in global modes.
 *
 * **Source:** SwarmKit manager/orchestrator/replicated/slot.go and restart.go
 * (UpdatableTasksInSlot).
 */
import { compareBy, compareText, type NodeId, type Service, type Task } from '@skep/api';
import { shouldRestart } from './restart-policy.js';
import { compareAge, isWanted, newestTask } from './task-facts.js';

/** All tasks of one slot, oldest first. */
export interface Slot {
  readonly slot: number;
  readonly nodeId?: NodeId;
  readonly tasks: readonly Task[];
}

/** Groups the tasks of one service by slot: by number, then node id. Cost: O(tasks log tasks). */
export function groupSlots(tasks: readonly Task[]): readonly Slot[] {
  const groups = new Map<string | number, Task[]>();
  for (const task of tasks) {
    const key = task.spec.nodeId ?? task.spec.slot;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [task]);
    else group.push(task);
  }
  const slots: Slot[] = [];
  for (const group of groups.values()) {
    const first = group[0];
    if (first === undefined) continue;
    const { slot, nodeId } = first.spec;
    if (group.length > 1) group.sort(compareAge);
    slots.push(nodeId === undefined ? { slot, tasks: group } : { slot, nodeId, tasks: group });
  }
  return slots.sort(
    compareBy(
      (a, b) => a.slot - b.slot,
      (a, b) => compareText(a.nodeId ?? '', b.nodeId ?? ''),
    ),
  );
}

/** Number of the first slot that is not taken, counting from `first`. */
export function lowestFreeSlot(taken: ReadonlySet<number>, first: number): number {
  let slot = first;
  while (taken.has(slot)) slot += 1;
  return slot;
}

/**
 * The tasks that hold the slot: those that are wanted; else the newest, if it ended and its policy
 * says that nothing follows (a finished task of `condition: none` still has its slot). None: the
 * slot is dead. A rollback takes the slots of ended tasks again.
 */
export function holders(slot: Slot, service: Service, now: number): readonly Task[] {
  const wanted = slot.tasks.filter(isWanted);
  if (wanted.length > 0) return wanted;
  if (service.status.update?.state === 'rollback-started') return [];
  const newest = newestTask(slot.tasks.filter((task) => task.spec.desiredState !== 'remove'));
  if (newest === undefined || shouldRestart(newest, { isJob: false, now })) return [];
  return [newest];
}
