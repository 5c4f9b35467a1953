/**
 * What a plan says: changes with reasons, and the tasks that would be left without a node.
 */
import type { NodeId, PendingReason, Task, TaskId } from '@skep/api';
import type { ClusterObjects } from '../cluster-state.js';
import type { Placement } from '../place.js';
import { listsOf, type ObjectLists } from './object-lists.js';
import { taskOf, waitingTask } from './trial.js';

/** What all changes have. */
interface ChangeBase {
  readonly taskId: TaskId;
  readonly taskName: string;
  /** For people: why this task, why there. */
  readonly reason: string;
}

/** A waiting task gets a node. */
export interface PlaceChange extends ChangeBase {
  readonly type: 'place';
  readonly to: NodeId;
  readonly placement: Placement;
}

/**
 * A task ends on one node and its replacement starts on another. A task itself never moves; the
 * plan keeps its id to say which one it speaks of.
 */
export interface MoveChange extends ChangeBase {
  readonly type: 'move';
  readonly from: NodeId;
  readonly to: NodeId;
  readonly placement: Placement;
}

/** A task ends, and nothing takes its place for now. */
export interface StopChange extends ChangeBase {
  readonly type: 'stop';
  /** Absent for a task that has no node. */
  readonly from?: NodeId;
}

/** One step of a plan. */
export type PlannedChange = PlaceChange | MoveChange | StopChange;

/** A task that would be left without a node. */
export interface PlannedPending {
  readonly task: Task;
  readonly taskId: TaskId;
  readonly taskName: string;
  readonly explanation: PendingReason;
}

/** What would happen. Nothing was changed. */
export interface WhatIfPlan {
  /** In the order in which they were decided. */
  readonly changes: readonly PlannedChange[];
  readonly pending: readonly PlannedPending[];
}

/**
 * The objects as they would be after the plan: placed and moved tasks are `assigned` to their node
 * with what they were given there, stopped ones are gone, and those that the plan leaves pending
 * wait. Nothing of the input is modified. Cost: O(objects).
 */
export function applyPlan(objects: ClusterObjects, plan: WhatIfPlan): ObjectLists {
  const lists = listsOf(objects);
  const after = new Map<TaskId, Task>(lists.tasks.map((task) => [task.meta.id, task]));
  for (const change of plan.changes) {
    if (change.type === 'stop') after.delete(change.taskId);
    else after.set(change.taskId, taskOf(change.placement));
  }
  for (const { task } of plan.pending) after.set(task.meta.id, waitingTask(task));
  return { ...lists, tasks: [...after.values()] };
}
