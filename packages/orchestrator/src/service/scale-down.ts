/**
 * Which slots go first when a service shrinks.
 *
 * **Source:** SwarmKit manager/orchestrator/replicated/{replicated,slot}.go. There the last sort is
 * not stable, so that its outcome depends on luck above twelve slots (defect 5); here it is total.
 */
import { compareBy, type Task } from '@skep/api';
import type { Slot } from './slots.js';

/** A slot with the tasks that hold it. */
export interface RankedSlot {
  readonly slot: Slot;
  readonly holders: readonly Task[];
}

/**
 * The slots, those to keep first.
 *
 * 1. Slots with a RUNNING task come before the others, then lower numbers before higher ones.
 * 2. In that order a slot with exactly one task on a node is numbered per node.
 * 3. They are kept by rising number; slots with several tasks, or a task without a node, go first.
 *
 * So nodes with the most tasks lose tasks. `placeOf` says where a task counts as being. Cost:
 * O(slots log slots).
 */
export function rankForKeeping(
  slots: readonly RankedSlot[],
  placeOf: (task: Task) => string | undefined,
): readonly RankedSlot[] {
  const ordered = [...slots].sort(
    compareBy(
      (a, b) => Number(isRunning(b)) - Number(isRunning(a)),
      (a, b) => a.slot.slot - b.slot.slot,
    ),
  );
  const seen = new Map<string, number>();
  const numbered = ordered.map((ranked, order) => {
    const [task, another] = ranked.holders;
    const place = task === undefined || another !== undefined ? undefined : placeOf(task);
    if (place === undefined) return { ranked, order, number: Infinity };
    const number = (seen.get(place) ?? 0) + 1;
    seen.set(place, number);
    return { ranked, order, number };
  });
  numbered.sort((a, b) => (a.number === b.number ? a.order - b.order : a.number - b.number));
  return numbered.map(({ ranked }) => ranked);
}

function isRunning({ holders }: RankedSlot): boolean {
  return holders.some((task) => task.status.state === 'running');
}
