/**
 * Removing a service: its tasks first, then the orchestrator's finalizer.
 *
 * **Source:** SwarmKit removes the service at once, while its tasks still run (defect 2); the
 * finalizer is the "flagged for removal" of SwarmKit's TLA+ model.
 */
import {
  Cluster,
  Task,
  byService,
  clusterSettings,
  compareBy,
  compareText,
  type ServiceId,
  type Timestamp,
} from '@skep/api';
import type { Plan } from '@skep/controller';
import type { Change, View } from '@skep/store';
import { withDesired } from './desired-state.js';
import type { ServicePlan } from './service-plan.js';

/** The orchestrator's finalizer on services. */
export const ORCHESTRATOR_FINALIZER = 'orchestrator';

/** Asks all tasks to be removed; lets the service go when none is left. */
export function removeTasks(plan: ServicePlan): void {
  const tasks = plan.tasks();
  for (const task of tasks) plan.setDesired(task, 'remove');
  if (tasks.length === 0) plan.dropFinalizer(ORCHESTRATOR_FINALIZER);
}

/** Asks tasks whose service is gone all the same to be removed: nothing may keep them. */
export function removeOrphans(view: View, serviceId: ServiceId, now: Timestamp): Plan {
  const { drainTimeoutMs } = clusterSettings(view.getByName(Cluster, 'default')?.spec);
  const tasks = [...view.list(Task, byService(serviceId))].sort(
    compareBy((a, b) => compareText(a.meta.id, b.meta.id)),
  );
  const changes: Change[] = [];
  for (const task of tasks) {
    const object = withDesired(task, 'remove', { now, drainTimeoutMs });
    if (object !== task) changes.push({ type: 'update', object });
  }
  return { changes };
}
