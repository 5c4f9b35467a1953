/**
 * What would happen if these tasks were placed now.
 */
import type { Task } from '@skep/api';
import type { ClusterState } from '../cluster-state.js';
import { confirm, placeGroup, type Placement, type Unplaced } from '../place.js';
import { planPreemption, type PreemptionOptions } from '../preemption/preemption.js';
import { priorityOf } from '../preemption/priority.js';
import { compareTasks, groupOf, groupTasks, type TaskGroup } from '../task-group.js';
import { PlanDraft } from './plan-draft.js';
import type { WhatIfPlan } from './plan.js';
import { waitingTask } from './trial.js';

/** What {@link planPlacement} is asked with. */
export interface PlanPlacementOptions extends PreemptionOptions {
  /**
   * Whether tasks of lower priority may be evicted where there is no room; they then look for
   * another place themselves. Default: false.
   */
  readonly isPreempting?: boolean;
}

/**
 * Plans the placement of tasks, as the scheduler would place them: preassigned ones are confirmed
 * first, then groups come in the order of their oldest tasks; when preempting, higher priorities
 * come first. Tasks that count on a node already are placed anew.
 * Cost: that of the placements, and of a {@link planPreemption} for each task that does not fit.
 */
export function planPlacement(
  state: ClusterState,
  tasks: Iterable<Task>,
  options: PlanPlacementOptions,
): WhatIfPlan {
  const given = [...tasks];
  return state.attempt(() => {
    const draft = new PlanDraft(state, given, options);
    const waiting = given.map(waitingTask);
    for (const task of waiting) state.release(task.meta.id);
    if (options.isPreempting === true) placePreempting(state, { waiting, draft, options });
    else placeInOrder(state, { waiting, draft, options });
    return draft.plan();
  });
}

interface Run {
  readonly waiting: readonly Task[];
  readonly draft: PlanDraft;
  readonly options: PlanPlacementOptions;
}

function placeInOrder(state: ClusterState, { waiting, draft, options }: Run): void {
  for (const unit of unitsOf(waiting)) draft.note(placeUnit(state, unit, options));
}

function placePreempting(state: ClusterState, { waiting, draft, options }: Run): void {
  const importance = options.priorityOf ?? priorityOf;
  const byPriority = (a: TaskGroup, b: TaskGroup): number =>
    importance(b.tasks[0] as Task) - importance(a.tasks[0] as Task);
  // The sort is stable: equal priorities keep the scheduler's order.
  const queue = [...unitsOf(waiting)].sort(byPriority);
  for (let unit = queue.shift(); unit !== undefined; unit = queue.shift()) {
    const { placements, unplaced } = placeUnit(state, unit, options);
    draft.note({ placements, unplaced: [] });
    const evicted: Task[] = [];
    for (const one of unplaced) {
      const preemption = planPreemption(state, one.task, options);
      if (!preemption.ok) {
        draft.note({ placements: [], unplaced: [one] });
        continue;
      }
      for (const { task, reason } of preemption.victims) {
        draft.evict(task, `preempted by ${one.task.spec.serviceName || one.taskId}: ${reason}`);
        state.release(task.meta.id);
        evicted.push(waitingTask(task));
      }
      draft.note(placeUnit(state, groupOf([one.task]), options));
    }
    queue.push(...unitsOf(evicted));
    queue.sort(byPriority);
  }
}

/** Preassigned tasks one by one, then groups. */
function unitsOf(tasks: readonly Task[]): readonly TaskGroup[] {
  const preassigned = tasks.filter(({ spec }) => spec.nodeId !== undefined).sort(compareTasks);
  const others = tasks.filter(({ spec }) => spec.nodeId === undefined);
  return [...preassigned.map((task) => groupOf([task])), ...groupTasks(others)];
}

interface Outcome {
  readonly placements: readonly Placement[];
  readonly unplaced: readonly Unplaced[];
}

function placeUnit(state: ClusterState, group: TaskGroup, options: PlanPlacementOptions): Outcome {
  const task = group.tasks[0] as Task;
  if (task.spec.nodeId === undefined) return placeGroup(state, group, options);
  const confirmed = confirm(state, task, options);
  return confirmed.ok
    ? { placements: [confirmed.placement], unplaced: [] }
    : {
        placements: [],
        unplaced: [{ task, taskId: task.meta.id, explanation: confirmed.explanation }],
      };
}
