/**
 * The orchestrator: one controller that decides about one service at a time.
 *
 * Scaling, restarts, updates, releases, jobs and removal are rules of one plan and one commit, so
 * that no supervisor ever acts on what another one is about to change.
 *
 * **Source:** SwarmKit manager/orchestrator/{replicated,global,jobs,restart,update}; there these
 * are loops of their own.
 */
import {
  ACTORS,
  Node,
  Service,
  Task,
  byIndex,
  byNode,
  compareText,
  isDeleting,
  isEqual,
  serviceMode,
  type ServiceId,
  type Timestamp,
} from '@skep/api';
import type { Plan, PlanController } from '@skep/controller';
import type { ObjectEvent, View } from '@skep/store';
import { globalSlots, mayReplaceOnNode, placeGlobal } from './global.js';
import { runGlobalJob } from './global-job.js';
import { confirmGeneration, observeGeneration } from './observation.js';
import { specOf } from './reasons.js';
import { releaseTasks } from './release.js';
import { removeOrphans, removeTasks } from './removal.js';
import { replicatedSlots, scaleReplicated } from './replicated.js';
import { runReplicatedJob } from './replicated-job.js';
import { restartTasks } from './restart.js';
import { ServicePlan } from './service-plan.js';
import { catchUp, updateSlots } from './update.js';
import { judgeUpdate } from './update-failures.js';

/**
 * The controller of services. Keys are service ids.
 *
 * Woken by its service, by its tasks, and by nodes: those that carry tasks of the service, and all
 * nodes for global modes.
 */
export function orchestratorController(): PlanController {
  return {
    name: ACTORS.orchestrator,
    for: Service,
    predicate: isRelevantService,
    watches: [
      { kind: Task, keys: servicesOfTask, predicate: isRelevantTask },
      { kind: Node, keys: servicesOfNode, predicate: isRelevantNode },
    ],
    plan: planService,
  };
}

/**
 * Decides about one service. Pure. The changes may be committed in pieces, in their order; a crash
 * after any of them leaves a state that the next pass continues from.
 * Cost: O(tasks of the service log tasks), and O(nodes) for global modes.
 */
export function planService(view: View, serviceId: ServiceId, now: Timestamp): Plan {
  const service = view.get(Service, serviceId);
  if (service === undefined) return removeOrphans(view, serviceId, now);
  const plan = new ServicePlan(view, service, now);
  if (isDeleting(service)) {
    plan.follow('remove-service', { ...specOf(service), field: 'meta.deletionRequestedAt' });
    removeTasks(plan);
  } else {
    supervise(plan);
  }
  return plan.finish();
}

function supervise(plan: ServicePlan): void {
  observeGeneration(plan);
  // Before restarts: what replaces a failed task of a failed update is made from the old spec.
  judgeUpdate(plan);
  runMode(plan);
  plan.follow('release');
  releaseTasks(plan);
  confirmGeneration(plan);
}

function runMode(plan: ServicePlan): void {
  const wanted = specOf(plan.service);
  switch (serviceMode(plan.service.spec).type) {
    case 'replicated':
      plan.follow('scale-down', wanted);
      scaleReplicated(plan);
      plan.follow('restart');
      restartTasks(plan);
      plan.follow('update', wanted);
      updateSlots(plan, () => replicatedSlots(plan));
      return;
    case 'global':
      plan.follow('follow-nodes');
      placeGlobal(plan);
      plan.follow('restart');
      restartTasks(plan, (_task, node) => mayReplaceOnNode(plan, node));
      plan.follow('update', wanted);
      updateSlots(plan, () => globalSlots(plan));
      catchUp(plan, () => globalSlots(plan));
      return;
    case 'replicated-job':
      plan.follow('run-job', wanted);
      runReplicatedJob(plan);
      plan.follow('restart');
      restartTasks(plan);
      return;
    case 'global-job':
      plan.follow('run-job', wanted);
      runGlobalJob(plan);
      plan.follow('restart');
      restartTasks(plan, (_task, node) => mayReplaceOnNode(plan, node));
      return;
  }
}

function isRelevantService({ object, previous }: ObjectEvent): boolean {
  if (previous === undefined) return true;
  const [before, after] = [previous as Service, object as Service];
  return (
    before.spec !== after.spec ||
    before.meta.generation !== after.meta.generation ||
    before.meta.deletionRequestedAt !== after.meta.deletionRequestedAt ||
    before.status.update !== after.status.update ||
    before.status.observedGeneration !== after.status.observedGeneration
  );
}

/** Not: allocations, drains, containers and ports, which no rule looks at. */
function isRelevantTask({ type, object, previous }: ObjectEvent): boolean {
  if (type !== 'updated' || previous === undefined) return true;
  const [before, after] = [previous as Task, object as Task];
  return (
    before.spec !== after.spec ||
    before.status.state !== after.status.state ||
    before.status.nodeId !== after.status.nodeId ||
    before.status.runningAt !== after.status.runningAt ||
    before.status.pending !== after.status.pending
  );
}

/** Not: acknowledgements, addresses and heartbeats. */
function isRelevantNode({ type, object, previous }: ObjectEvent): boolean {
  if (type !== 'updated' || previous === undefined) return true;
  const [before, after] = [previous as Node, object as Node];
  return (
    before.spec !== after.spec ||
    before.status.state !== after.status.state ||
    before.status.address !== after.status.address ||
    !isEqual(before.status.description, after.status.description) ||
    !isEqual(before.meta.labels, after.meta.labels)
  );
}

function servicesOfTask({ object, previous }: ObjectEvent): readonly ServiceId[] {
  const ids = [object, previous].map((task) => (task as Task | undefined)?.spec.serviceId);
  return sorted(ids.filter((id) => id !== undefined));
}

function servicesOfNode({ object }: ObjectEvent, view: View): readonly ServiceId[] {
  const ids: ServiceId[] = [];
  for (const task of view.list(Task, byNode(object.meta.id))) {
    if (task.spec.serviceId !== undefined) ids.push(task.spec.serviceId);
  }
  for (const mode of ['global', 'global-job']) {
    for (const service of view.list(Service, byIndex(Service, 'mode', mode))) {
      ids.push(service.meta.id);
    }
  }
  return sorted(ids);
}

function sorted(ids: readonly ServiceId[]): readonly ServiceId[] {
  return [...new Set(ids)].sort(compareText);
}
