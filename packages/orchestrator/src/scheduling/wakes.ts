/**
 * Which events can change a decision of the scheduler.
 *
 * **Source:** SwarmKit manager/scheduler/scheduler.go, the events that set its tick; node removal
 * counts here too, because the reason that a pending task shows names the nodes.
 */
import { Node, Task, Volume, isEqual } from '@skep/api';
import type { Watch } from '@skep/controller';
import { isActiveTask, isCounted } from '@skep/scheduler';
import type { ObjectEvent } from '@skep/store';
import { isWaiting, type WaitingTasks } from './waiting-tasks.js';

/** Events that may help tasks other than the one they are about. */
export function schedulerWatches(waiting: () => WaitingTasks): readonly Watch[] {
  return [
    {
      kind: Node,
      predicate: isNodeChange,
      keys: ({ object }) => waiting().wakeForNode(object.meta.id),
    },
    {
      kind: Task,
      predicate: freesCapacity,
      keys: ({ object, previous }) => {
        const before = (previous ?? object) as Task;
        return waiting().wakeForNode(before.status.nodeId ?? '');
      },
    },
    { kind: Volume, keys: () => waiting().wakeAll() },
  ];
}

/**
 * Whether the event makes its own task one to look at. What the scheduler itself wrote about a task
 * that still waits is no news.
 */
export function isTaskNews({ type, object, previous }: ObjectEvent): boolean {
  const task = object as Task;
  if (type === 'deleted' || !isWaiting(task)) return false;
  const before = previous as Task | undefined;
  return (
    before === undefined ||
    !isWaiting(before) ||
    before.spec !== task.spec ||
    before.status.state !== task.status.state ||
    before.status.networks !== task.status.networks
  );
}

/** Whether the node came, went, or changed in something that placement looks at. */
export function isNodeChange({ type, object, previous }: ObjectEvent): boolean {
  const after = object as Node;
  const before = previous as Node | undefined;
  if (type !== 'updated' || before === undefined) return true;
  return (
    before.status.state !== after.status.state ||
    before.status.address !== after.status.address ||
    before.meta.name !== after.meta.name ||
    !isEqual(before.spec, after.spec) ||
    !isEqual(before.meta.labels, after.meta.labels) ||
    !isEqual(before.status.description, after.status.description)
  );
}

/** Whether a task lets go of its node, or stops counting for its service there. */
export function freesCapacity({ type, object, previous }: ObjectEvent): boolean {
  const before = (previous ?? (type === 'deleted' ? object : undefined)) as Task | undefined;
  if (before === undefined || !isCounted(before)) return false;
  if (type === 'deleted') return true;
  const after = object as Task;
  return !isCounted(after) || (isActiveTask(before) && !isActiveTask(after));
}
