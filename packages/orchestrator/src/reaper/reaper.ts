/**
 * Deletes the records of tasks that nobody needs any more. Nobody else deletes tasks.
 *
 * **Source:** SwarmKit manager/orchestrator/taskreaper/task_reaper.go. Differences: it looks at
 * states, not at events, so it never deletes what the orchestrator has not looked at, nor the
 * newest task of a slot; it lets go only of tasks whose addresses went back; jobs have a history
 * limit too.
 */
import {
  Cluster,
  Service,
  Task,
  byService,
  clusterSettings,
  compareBy,
  compareText,
  isAtLeast,
  isTerminal,
  restartPolicy,
  slotKey,
  type ServiceId,
  type Timestamp,
} from '@skep/api';
import type { Plan } from '@skep/controller';
import type { Change, View } from '@skep/store';
import { isOver, isWanted, newestTask } from '../service/task-facts.js';

/** Key of a task without a service: `Task/ID`. All other keys are service ids. */
const LONE = 'Task/';

/** The reaper's key of a task. */
export function reaperKey(task: Task): string {
  return task.spec.serviceId ?? `${LONE}${task.meta.id}`;
}

/**
 * Tasks of a service, or a task without one, that may be deleted, oldest first. Pure; it has no
 * timers: what it waits for is written into the tasks. Cost: O(tasks of the service log tasks).
 */
export function reapTasks(view: View, key: string, _now: Timestamp): Plan {
  const doomed = key.startsWith(LONE)
    ? doomedAlone(view.get(Task, key.slice(LONE.length)))
    : doomedOfService(view, key);
  const changes: Change[] = [...doomed].sort(compareHistory).map(({ kind, meta }) => {
    return { type: 'delete', kind, id: meta.id, version: meta.version };
  });
  return { changes };
}

/**
 * Whether the record may go: no node can have anything of the task, and its addresses are nobody's.
 */
export function isDeletable({ status }: Task): boolean {
  const isNowhere = !isAtLeast(status.state, 'assigned') || isAtLeast(status.state, 'complete');
  const isReleased =
    status.releasedAt !== undefined ||
    (status.networks ?? []).every((network) => network.addresses.length === 0);
  return isNowhere && isReleased;
}

/** How many tasks of a slot are kept, the present one included; negative: all. */
export function historyLimit(view: View, service: Service | undefined): number {
  const { taskHistoryLimit } = clusterSettings(view.getByName(Cluster, 'default')?.spec);
  if (taskHistoryLimit < 0 || service === undefined) return taskHistoryLimit;
  const { maxAttempts } = restartPolicy(service.spec.task);
  return maxAttempts > 0 ? maxAttempts + 1 : taskHistoryLimit;
}

/** By the manager's time of the last state, then creation, then id. */
const compareHistory = compareBy<Task>(
  (a, b) => a.status.appliedAt - b.status.appliedAt,
  (a, b) => a.meta.createdAt - b.meta.createdAt,
  (a, b) => compareText(a.meta.id, b.meta.id),
);

function doomedAlone(task: Task | undefined): readonly Task[] {
  if (task === undefined || !isDeletable(task)) return [];
  const isLost = task.status.state === 'orphaned' && task.spec.serviceId === undefined;
  return isLost || task.spec.desiredState === 'remove' ? [task] : [];
}

function doomedOfService(view: View, serviceId: ServiceId): readonly Task[] {
  const service = view.get(Service, serviceId);
  const tasks = view.list(Task, byService(serviceId));
  const removed = tasks.filter((task) => task.spec.desiredState === 'remove' && isDeletable(task));
  const limit = historyLimit(view, service);
  if (limit < 0) return removed;
  const slots = new Map<string, Task[]>();
  for (const task of tasks) {
    if (task.spec.desiredState === 'remove') continue;
    const key = slotKey(task.spec);
    const slot = slots.get(key);
    if (slot === undefined) slots.set(key, [task]);
    else slot.push(task);
  }
  const surplus = [...slots.values()].flatMap((slot) => surplusOf(slot, { service, limit }));
  return [...removed, ...surplus];
}

/** The oldest ended tasks of a slot, as many as are over the limit. */
function surplusOf(
  slot: readonly Task[],
  { service, limit }: { readonly service: Service | undefined; readonly limit: number },
): readonly Task[] {
  const count = slot.length - limit;
  if (count <= 0) return [];
  // The newest says whether its slot is taken, even when it has ended.
  const newest = newestTask(slot);
  const ended = slot.filter(
    (task) => task !== newest && isHistory(task) && isDeletable(task) && !isCounted(service, task),
  );
  return ended.sort(compareHistory).slice(0, count);
}

/** Over, and looked at by the orchestrator. The finished task of a job stays wanted. */
function isHistory(task: Task): boolean {
  const isFinished = task.spec.desiredState === 'complete' && task.status.state === 'complete';
  return isFinished || (isOver(task) && !isWanted(task));
}

/** An update that is going on tells from its tasks how far it is. */
function isCounted(service: Service | undefined, task: Task): boolean {
  const update = service?.status.update;
  if (update === undefined || task.spec.cause !== 'update') return false;
  const isActive = update.state === 'updating' || update.state === 'rollback-started';
  return isActive && isTerminal(task.status.state) && task.meta.createdAt >= update.startedAt;
}
