/**
 * Rolling updates: replaces the tasks of dirty slots, so many at a time.
 *
 * SwarmKit runs `parallelism` workers; each takes a slot, waits until its new task is up, rests for
 * the delay, and takes the next. Here a slot whose new task is on its way or that rests is a busy
 * worker, which can be told from the tasks alone: the window slides, and a crash loses nothing.
 *
 * **Source:** SwarmKit manager/orchestrator/update/updater.go.
 */
import type { Task, UpdateSettings, UpdateStatus } from '@skep/api';
import type { ServicePlan } from './service-plan.js';
import { activeUpdate, settingsFor } from './update-failures.js';
import {
  finishSlot,
  isOfUpdate,
  slotPhase,
  startSlot,
  type UpdatableSlot,
  type UpdateFrame,
} from './update-slot.js';

/**
 * Goes on with the update of the service. `slots` gives those that may be touched, in the order in
 * which they are taken; it is asked again where tasks changed.
 */
export function updateSlots(plan: ServicePlan, slots: () => readonly UpdatableSlot[]): void {
  const settings = settingsFor(plan.service);
  const before = slots();
  const tasks = plan.slots();
  for (const ranked of before) finishSlot(plan, ranked, settings);
  const now = tasks === plan.slots() ? before : slots();
  const update = activeUpdate(plan) ?? beginUpdate(plan, now);
  if (update !== undefined) advance(plan, update, now);
  else moveSlots(plan, now);
}

/** Replaces what was asked to make room; an update that is going on would do so by itself. */
function moveSlots(plan: ServicePlan, slots: readonly UpdatableSlot[]): void {
  const settings = settingsFor(plan.service);
  for (const ranked of slots) {
    const { holders } = ranked;
    const isMoving = holders.length > 0 && holders.every(({ spec }) => spec.isMoving === true);
    if (isMoving) startSlot(plan, ranked, settings, 'node');
  }
}

/**
 * Replaces the dirty slots at once and without a status: nodes that come back after the update is
 * over, from PAUSE for instance, catch up. Only for global services, and not while one is paused or
 * held.
 */
export function catchUp(plan: ServicePlan, slots: () => readonly UpdatableSlot[]): void {
  const { update, observedGeneration } = plan.service.status;
  if (plan.service.spec.update?.isHeld === true) return;
  const isPaused = update?.state === 'paused' || update?.state === 'rollback-paused';
  if (isPaused || activeUpdate(plan) !== undefined) return;
  if (observedGeneration < plan.generation) return;
  const settings = settingsFor(plan.service);
  const isAttempt = ({ spec }: Task): boolean =>
    spec.cause === 'update' && spec.specVersion === plan.generation;
  const frame: UpdateFrame = { settings, isAttempt, failedTasks: [] };
  for (const ranked of slots()) {
    if (slotPhase(plan, ranked, frame).type === 'dirty') startSlot(plan, ranked, settings);
  }
}

/**
 * An update begins once for a generation, when it is first seen and slots are dirty. One that is
 * held is paused from the start; what lets it go is another generation.
 */
function beginUpdate(plan: ServicePlan, slots: readonly UpdatableSlot[]): UpdateStatus | undefined {
  const { status } = plan.service;
  if (status.update?.specVersion === plan.generation) return undefined;
  if (status.observedGeneration >= plan.generation) return undefined;
  const dirtySlots = countDirty(plan, slots);
  if (dirtySlots === 0) return undefined;
  if (plan.service.spec.update?.isHeld === true) {
    holdUpdate(plan, dirtySlots);
    return undefined;
  }
  const update: UpdateStatus = {
    state: 'updating',
    startedAt: plan.now,
    message: 'update in progress',
    specVersion: plan.generation,
    dirtySlots,
    failedTasks: [],
  };
  plan.event({ type: 'normal', reason: 'UpdateStarted', message: update.message });
  return update;
}

function holdUpdate(plan: ServicePlan, dirtySlots: number): void {
  const message = 'update is held';
  const { now: startedAt, generation: specVersion } = plan;
  plan.setStatus({
    update: { state: 'paused', startedAt, message, specVersion, dirtySlots, failedTasks: [] },
  });
  plan.event({ type: 'normal', reason: 'UpdateHeld', message });
}

function countDirty(plan: ServicePlan, slots: readonly UpdatableSlot[]): number {
  return slots.filter(
    ({ holders, isFrozen }) =>
      isFrozen !== true && (holders.length > 1 || holders.some((task) => plan.isDirty(task))),
  ).length;
}

function advance(plan: ServicePlan, begun: UpdateStatus, slots: readonly UpdatableSlot[]): void {
  const settings = settingsFor(plan.service);
  const dirtySlots = begun.dirtySlots === 0 ? countDirty(plan, slots) : begun.dirtySlots;
  const frame: UpdateFrame = {
    settings,
    isAttempt: (task) => isOfUpdate(plan, task, begun.startedAt),
    failedTasks: begun.failedTasks,
  };
  const queue: UpdatableSlot[] = [];
  let busy = 0;
  let blocked: string | undefined;
  for (const ranked of slots) {
    const phase = slotPhase(plan, ranked, frame);
    if (phase.type === 'dirty') queue.push(ranked);
    if (phase.type === 'in-flight' || phase.type === 'resting') busy += 1;
    if (phase.type === 'resting') plan.requeue(phase.until);
    if (phase.type !== 'in-flight') continue;
    const { pending } = phase.task.status;
    if (pending !== undefined) blocked ??= `task ${phase.task.meta.name}: ${pending.message}`;
  }
  const room = settings.parallelism === 0 ? queue.length : settings.parallelism - busy;
  for (const ranked of queue.slice(0, Math.max(room, 0))) startSlot(plan, ranked, settings);
  const { blocked: _, drainedQueueAt, ...rest } = begun;
  const next: UpdateStatus = {
    ...rest,
    dirtySlots,
    ...(blocked === undefined ? {} : { blocked }),
  };
  // Not in a pass that changed tasks: what it did may have left another slot to be looked at.
  if (queue.length > 0 || busy > 0 || !plan.hasSteadyTasks) plan.setStatus({ update: next });
  else conclude(plan, { ...next, drainedQueueAt: drainedQueueAt ?? plan.now }, settings);
}

/** All slots are done: watch the last ones for a while, then the update is complete. */
function conclude(plan: ServicePlan, update: UpdateStatus, settings: UpdateSettings): void {
  const { delayMs, monitorMs } = settings;
  const watchMs = delayMs >= monitorMs ? delayMs + 1_000 : monitorMs;
  const end = (update.drainedQueueAt ?? plan.now) + watchMs;
  // Nothing was replaced (a rollback that found all as it was): nothing has to be watched.
  if (plan.now < end && update.dirtySlots > 0) {
    plan.setStatus({ update });
    plan.requeue(end);
    return;
  }
  const isRollback = update.state === 'rollback-started';
  const state = isRollback ? 'rollback-completed' : 'completed';
  const message = isRollback ? 'rollback completed' : 'update completed';
  plan.setStatus({ update: { ...update, state, message, completedAt: plan.now } });
  const reason = isRollback ? 'RollbackCompleted' : 'UpdateCompleted';
  plan.event({ type: 'normal', reason, message });
}
