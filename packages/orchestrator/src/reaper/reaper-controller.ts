/**
 * The controller of the reaper: what wakes it.
 *
 * **Source:** SwarmKit manager/orchestrator/taskreaper/task_reaper.go.
 */
import { ACTORS, Cluster, Service, Task, compareText } from '@skep/api';
import type { PlanController } from '@skep/controller';
import type { ObjectEvent, View } from '@skep/store';
import { isDeletable, reapTasks, reaperKey } from './reaper.js';

/**
 * The controller. Keys are service ids, and `Task/ID` for tasks without a service. Woken by tasks
 * that became deletable or got company in their slot, by services, and by the history limit.
 */
export function taskReaper(): PlanController {
  return {
    name: ACTORS.reaper,
    rule: 'reap',
    watches: [
      { kind: Task, keys: keyOfTask, predicate: mayConcern },
      { kind: Service, keys: ({ object }) => [object.meta.id], predicate: isRelevantService },
      { kind: Cluster, keys: allServices, predicate: hasOtherLimit },
    ],
    plan: reapTasks,
  };
}

function keyOfTask({ object }: ObjectEvent): readonly string[] {
  return [reaperKey(object as Task)];
}

function mayConcern({ type, object, previous }: ObjectEvent): boolean {
  if (type !== 'updated' || previous === undefined) return type === 'created';
  const [before, after] = [previous as Task, object as Task];
  if (!isDeletable(after)) return false;
  return !isDeletable(before) || before.spec !== after.spec || before.status !== after.status;
}

function isRelevantService({ object, previous }: ObjectEvent): boolean {
  if (previous === undefined) return true;
  const [before, after] = [previous as Service, object as Service];
  return before.spec !== after.spec || before.status.update !== after.status.update;
}

function allServices(_event: ObjectEvent, view: View): readonly string[] {
  return view
    .list(Service)
    .map((service) => service.meta.id)
    .sort(compareText);
}

function hasOtherLimit({ object, previous }: ObjectEvent): boolean {
  if (previous === undefined) return true;
  const [before, after] = [previous as Cluster, object as Cluster];
  return before.spec.taskHistoryLimit !== after.spec.taskHistoryLimit;
}
