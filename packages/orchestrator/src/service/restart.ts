/**
 * Replaces tasks that ended, or whose node is gone, DOWN or drained.
 *
 * A task that is wanted although it cannot run any more has not been looked at yet: that is the
 * whole memory of this module. Looking at it means that its replacement is created, if there is to
 * be one, and that it is wanted no longer.
 *
 * **Source:** SwarmKit manager/orchestrator/restart/restart.go (Restart).
 */
import { compareBy, isTerminal, restartPolicy, slotKey, type Node, type Task } from '@skep/api';
import { rememberFaults } from './faults.js';
import { isUnfit } from './node-fitness.js';
import { releaseAfter, releaseVerdict } from './release.js';
import { nextRestarts, shouldRestart } from './restart-policy.js';
import type { ServicePlan } from './service-plan.js';
import { compareAge, isWanted, nodeIdOf } from './task-facts.js';
import { taskTemplate } from './template.js';

/** Whether a task may be replaced where it is; global modes ask more than the others. */
export type RestartPlace = (task: Task, node: Node | undefined) => boolean;

/** Looks at all tasks that ended while they were wanted. */
export function restartTasks(plan: ServicePlan, mayReplace: RestartPlace = () => true): void {
  orphanLost(plan);
  const lost = plan.tasks().filter((task) => isLost(plan, task));
  const handled: Task[] = [];
  for (const task of lost) {
    // One that failed while it waited for its own delay waits on: no tight loops.
    const verdict = task.spec.desiredState === 'ready' ? releaseVerdict(plan, task) : undefined;
    if (verdict?.isDue === false) {
      if (verdict.at < Infinity) plan.requeue(verdict.at);
    } else {
      handled.push(task);
    }
  }
  if (handled.length === 0) return;
  rememberFaults(plan, handled);
  const followed = slotsWithSuccessor(plan);
  // Of several lost tasks of a slot only one is followed: as declared first, then the newest.
  handled.sort(
    compareBy(
      (a, b) => Number(plan.isDirty(a)) - Number(plan.isDirty(b)),
      (a, b) => -compareAge(a, b),
    ),
  );
  for (const task of handled) {
    const key = slotKey(task.spec);
    const isOpen = !followed.has(key) && mayReplace(task, plan.nodeOf(task));
    if (isOpen && replace(plan, task)) followed.add(key);
    plan.setDesired(task, 'shutdown');
  }
}

/** Whether a wanted task cannot run any more: it ended, or its node is unfit. */
export function isLost(plan: ServicePlan, task: Task): boolean {
  if (!isWanted(task)) return false;
  if (plan.isJob && task.status.state === 'complete') return false;
  if (isTerminal(task.status.state)) return true;
  return nodeIdOf(task) !== undefined && isUnfit(plan.nodeOf(task));
}

/** The truth about tasks of a node that does not exist any more will never be known. */
function orphanLost(plan: ServicePlan): void {
  for (const task of plan.tasks()) {
    const { nodeId, state } = task.status;
    if (nodeId === undefined || isTerminal(state) || plan.node(nodeId) !== undefined) continue;
    plan.setObserved(task, { state: 'orphaned', message: 'the node was removed' });
  }
}

/** Slots with a task that is as declared and can run: a lost one beside it needs no successor. */
function slotsWithSuccessor(plan: ServicePlan): Set<string> {
  const slots = new Set<string>();
  for (const task of plan.tasks()) {
    const isGood = isWanted(task) && !isLost(plan, task) && !plan.isDirty(task);
    if (isGood) slots.add(slotKey(task.spec));
  }
  return slots;
}

/** Creates the replacement, if the policy wants one. */
function replace(plan: ServicePlan, old: Task): boolean {
  const { service, now } = plan;
  if (!shouldRestart(old, { isJob: plan.isJob, now })) return false;
  const node = plan.nodeOf(old);
  const isDrained = node?.spec.availability === 'drain';
  const delayMs = isDrained ? 0 : restartPolicy(old.spec.template).delayMs;
  const template = taskTemplate(service.spec, plan.settings);
  const { slot, nodeId } = old.spec;
  plan.create({
    slot,
    ...(nodeId === undefined ? {} : { nodeId }),
    cause: isTerminal(old.status.state) ? 'restart' : 'node',
    desiredState: 'ready',
    replaces: old.meta.id,
    release: releaseAfter(plan, delayMs, old),
    restarts: nextRestarts(old, { specVersion: plan.generation, template, now }),
  });
  return true;
}
