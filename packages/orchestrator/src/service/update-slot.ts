/**
 * One slot during an update: where it stands, and the steps it takes.
 *
 * **Source:** SwarmKit manager/orchestrator/update/updater.go (worker, updateTask,
 * useExistingTask). A worker there waits in a goroutine; here its place can be told from the tasks.
 */
import {
  compareBy,
  compareTaskStates,
  isAtLeast,
  isTerminal,
  type Task,
  type TaskCause,
  type Timestamp,
  type UpdateSettings,
} from '@skep/api';
import { releaseAfter } from './release.js';
import type { RankedSlot } from './scale-down.js';
import type { ServicePlan } from './service-plan.js';
import { compareAge, isOver, isWanted, newestTask } from './task-facts.js';

/**
 * Where a slot stands. Settled: nothing to do for the updater. Dirty: no task of it is as declared,
 * and none was tried. In flight: the new task does not run yet. Resting: it came up (or ended), and
 * the delay after it lasts until `until`.
 */
export type SlotPhase =
  | { readonly type: 'settled' }
  | { readonly type: 'dirty' }
  | { readonly type: 'in-flight'; readonly task: Task }
  | { readonly type: 'resting'; readonly until: Timestamp };

/** A slot as the updater takes it. Nothing is begun in a frozen one: its node is paused. */
export interface UpdatableSlot extends RankedSlot {
  readonly isFrozen?: boolean;
}

/** What the phase of a slot depends on beside its tasks. */
export interface UpdateFrame {
  readonly settings: UpdateSettings;
  /** Whether a task is an attempt of this update. */
  readonly isAttempt: (task: Task) => boolean;
  /** Tasks that count as failed: nobody waits for them. */
  readonly failedTasks: readonly string[];
}

/**
 * Whether the update that began then made the task. Not told by its spec version: an update goes on
 * when the number of replicas changes in between.
 */
export function isOfUpdate(plan: ServicePlan, task: Task, startedAt: Timestamp): boolean {
  return task.spec.cause === 'update' && task.meta.createdAt >= startedAt && !plan.isDirty(task);
}

/** Where the slot stands. */
export function slotPhase(plan: ServicePlan, ranked: UpdatableSlot, frame: UpdateFrame): SlotPhase {
  const attempt = newestTask(
    ranked.slot.tasks.filter(
      (task) => task.spec.desiredState !== 'remove' && frame.isAttempt(task),
    ),
  );
  if (attempt === undefined) {
    const isDirty = !ranked.isFrozen && ranked.holders.every((task) => plan.isDirty(task));
    return { type: isDirty ? 'dirty' : 'settled' };
  }
  const { runningAt, state, appliedAt } = attempt.status;
  const endedAt = isTerminal(state) ? appliedAt : undefined;
  const cameUpAt = runningAt ?? (state === 'running' ? appliedAt : endedAt);
  if (cameUpAt !== undefined) {
    const until = cameUpAt + frame.settings.delayMs;
    return plan.now < until ? { type: 'resting', until } : { type: 'settled' };
  }
  const isWaitedFor = isWanted(attempt) && !frame.failedTasks.includes(attempt.meta.id);
  return isWaitedFor ? { type: 'in-flight', task: attempt } : { type: 'settled' };
}

/**
 * Begins with a slot: a new task, and the end of the old ones; with start-first, the one that
 * serves best lives on until the new one runs.
 */
export function startSlot(
  plan: ServicePlan,
  ranked: RankedSlot,
  settings: UpdateSettings,
  cause: TaskCause = 'update',
): void {
  const base = newestTask(ranked.holders);
  if (base === undefined) return;
  const isStopFirst = settings.order === 'stop-first';
  const { slot, nodeId } = base.spec;
  const running = isStopFirst ? lastToStop(ranked.holders) : undefined;
  plan.create({
    slot,
    ...(nodeId === undefined ? {} : { nodeId }),
    cause,
    desiredState: 'ready',
    replaces: base.meta.id,
    release: releaseAfter(plan, 0, running),
  });
  const survivor = isStopFirst ? undefined : bestPlaced(ranked.holders);
  for (const task of ranked.holders) if (task !== survivor) plan.setDesired(task, 'shutdown');
}

/**
 * Ends the surplus tasks of a slot. Where one is as declared the old ones end: at once, or with
 * start-first when that one is RUNNING. Of several old ones the best lives on. Done whatever the
 * update's state: a slot that was begun is finished.
 */
export function finishSlot(plan: ServicePlan, ranked: RankedSlot, settings: UpdateSettings): void {
  if (ranked.holders.length < 2) return;
  const keeper = best(ranked.holders.filter((task) => !plan.isDirty(task)));
  const waits = settings.order === 'start-first' && keeper?.status.state !== 'running';
  const old = ranked.holders.filter((task) => plan.isDirty(task));
  const waiting = waits ? bestPlaced(old) : undefined;
  const survivor = keeper === undefined ? best(old) : waiting;
  const retired = ranked.holders.filter((task) => task !== keeper && task !== survivor);
  for (const task of retired) plan.setDesired(task, 'shutdown');
  if (keeper === undefined) return;
  const last = lastToStop(retired);
  const { release } = keeper.spec;
  const hasToWait = keeper.spec.desiredState === 'ready' && release?.afterTask === undefined;
  if (last === undefined || !hasToWait) return;
  const wait = releaseAfter(plan, 0, last);
  const notBefore = Math.max(wait.notBefore, release?.notBefore ?? 0);
  plan.setRelease(keeper, { ...wait, notBefore });
}

/** What serves best first: the furthest in its life, then the one that may run, then the oldest. */
const compareKeepers = compareBy<Task>(
  (a, b) => Number(isTerminal(a.status.state)) - Number(isTerminal(b.status.state)),
  (a, b) => compareTaskStates(b.status.state, a.status.state),
  (a, b) => compareTaskStates(b.spec.desiredState, a.spec.desiredState),
  compareAge,
);

function best(tasks: readonly Task[]): Task | undefined {
  return [...tasks].sort(compareKeepers)[0];
}

/** What is not on a node serves nobody, and would only wait beside its replacement for ever. */
function bestPlaced(tasks: readonly Task[]): Task | undefined {
  return best(tasks.filter(({ status }) => isAtLeast(status.state, 'assigned')));
}

function lastToStop(tasks: readonly Task[]): Task | undefined {
  return newestTask(tasks.filter((task) => !isOver(task)));
}
