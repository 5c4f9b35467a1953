/**
 * What counts against an update, and what follows from it.
 *
 * **Source:** SwarmKit manager/orchestrator/update/updater.go (failureTriggersAction). The counters
 * are in the service's status, so a change of leader forgets none; a deadline for tasks that never
 * come up is ours (defect 10); a paused rollback stays paused (defect 11).
 */
import {
  compareBy,
  compareText,
  isTerminal,
  updateSettings,
  type Service,
  type Task,
  type UpdateSettings,
  type UpdateStatus,
} from '@skep/api';
import { rollbackTarget } from './history.js';
import type { ServicePlan } from './service-plan.js';
import { isWanted } from './task-facts.js';
import { isOfUpdate } from './update-slot.js';

/** The update of the present generation, if it is still going on. */
export function activeUpdate(plan: ServicePlan): UpdateStatus | undefined {
  const { update } = plan.service.status;
  if (update?.specVersion !== plan.generation) return undefined;
  return update.state === 'updating' || update.state === 'rollback-started' ? update : undefined;
}

/** The settings that apply in a state of the update. */
export function settingsFor({ spec, status }: Service): UpdateSettings {
  const isRollback = status.update?.state.startsWith('rollback') ?? false;
  return updateSettings(isRollback ? spec.rollback : spec.update);
}

/** Counts new failures, and pauses or rolls back when there are more than the ratio allows. */
export function judgeUpdate(plan: ServicePlan): void {
  const update = activeUpdate(plan);
  if (update === undefined || update.dirtySlots === 0) return;
  const settings = settingsFor(plan.service);
  const failures = newFailures(plan, update, settings);
  if (failures.length === 0) return;
  const failedTasks = [...update.failedTasks, ...failures.map((task) => task.meta.id)].slice(
    0,
    update.dirtySlots + 1,
  );
  const counted: UpdateStatus = { ...update, failedTasks };
  plan.setStatus({ update: counted });
  const isTooMany = failedTasks.length / update.dirtySlots > settings.maxFailureRatio;
  if (!isTooMany || settings.failureAction === 'continue') return;
  const cause = `due to failure or early termination of task ${failedTasks.at(-1) ?? ''}`;
  if (update.state === 'rollback-started') {
    stop(plan, counted, { state: 'rollback-paused', message: `rollback paused ${cause}` });
  } else if (settings.failureAction === 'rollback') {
    rollBack(plan, counted, cause);
  } else {
    stop(plan, counted, { state: 'paused', message: `update paused ${cause}` });
  }
}

/**
 * Tasks of this update that ended by themselves before or soon after they ran, and those that did
 * not come up in time. In the order of their ends, then by id.
 */
function newFailures(
  plan: ServicePlan,
  update: UpdateStatus,
  settings: UpdateSettings,
): readonly Task[] {
  const failures = plan.tasks().filter((task) => {
    // One that is wanted no longer was counted when it was looked at, or was asked to end.
    if (!isWanted(task) || update.failedTasks.includes(task.meta.id)) return false;
    if (!isOfUpdate(plan, task, update.startedAt)) return false;
    const { runningAt, appliedAt, state } = task.status;
    if (isTerminal(state)) {
      return runningAt === undefined || appliedAt - runningAt <= settings.monitorMs;
    }
    return runningAt === undefined && state !== 'running' && isLate(plan, task, settings);
  });
  return failures.sort(
    compareBy(
      (a, b) => a.status.appliedAt - b.status.appliedAt,
      (a, b) => compareText(a.meta.id, b.meta.id),
    ),
  );
}

/** Whether the deadline has passed for a task that was let go; asks for a pass when it will. */
function isLate(plan: ServicePlan, task: Task, { progressDeadlineMs }: UpdateSettings): boolean {
  if (progressDeadlineMs === undefined || task.spec.desiredState === 'ready') return false;
  const deadline = (task.spec.release?.notBefore ?? task.meta.createdAt) + progressDeadlineMs;
  if (plan.now >= deadline) return true;
  plan.requeue(deadline);
  return false;
}

function rollBack(plan: ServicePlan, update: UpdateStatus, cause: string): void {
  const target = rollbackTarget(plan.service);
  if (target === undefined) {
    const message = `update paused ${cause}; there is no earlier specification to roll back to`;
    stop(plan, update, { state: 'paused', message });
    return;
  }
  plan.setSpec(target.spec, target.managers);
  const message = `update rolled back ${cause}`;
  plan.setStatus({
    update: rollbackStatus({ specVersion: plan.generation, now: plan.now, message }),
  });
  plan.event({ type: 'warning', reason: 'RollbackStarted', message });
}

/** Status of a rollback that begins: its dirty slots are counted by the next pass. */
export function rollbackStatus(input: {
  readonly specVersion: number;
  readonly now: number;
  readonly message: string;
}): UpdateStatus {
  const { specVersion, now, message } = input;
  const counts = { dirtySlots: 0, failedTasks: [] };
  return { state: 'rollback-started', startedAt: now, message, specVersion, ...counts };
}

function stop(
  plan: ServicePlan,
  update: UpdateStatus,
  to: Pick<UpdateStatus, 'state' | 'message'>,
): void {
  const { blocked: _, drainedQueueAt: __, ...rest } = update;
  plan.setStatus({ update: { ...rest, ...to } });
  const reason = to.state === 'paused' ? 'UpdatePaused' : 'RollbackPaused';
  plan.event({ type: 'warning', reason, message: to.message });
}
