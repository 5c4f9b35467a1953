/**
 * A plan in the making: what was decided about each task so far.
 */
import { taskName, type NodeId, type PendingReason, type Task, type TaskId } from '@skep/api';
import type { ClusterState } from '../cluster-state.js';
import type { GroupPlacement, Placement, PlacementOptions } from '../place.js';
import { renderPlacementReason } from '../render-explanation.js';
import type { PlannedChange, PlannedPending, WhatIfPlan } from './plan.js';

interface Decision {
  readonly task: Task;
  /** Where the task was before the plan. */
  readonly from: NodeId | undefined;
  /** Why it had to leave. */
  cause?: string;
  placement?: Placement;
  explanation?: PendingReason;
}

/** Collects decisions and turns them into changes; the last decision about a task counts. */
export class PlanDraft {
  readonly #state: ClusterState;
  readonly #options: PlacementOptions;
  readonly #decisions = new Map<TaskId, Decision>();

  /** @param tasks - those that the plan is about; the state still counts them where they are. */
  constructor(state: ClusterState, tasks: readonly Task[], options: PlacementOptions) {
    this.#state = state;
    this.#options = options;
    for (const task of tasks) this.#decide(task);
  }

  /** A task has to leave its node. */
  evict(task: Task, cause: string): void {
    const decision = this.#decide(task);
    decision.cause = cause;
    delete decision.placement;
  }

  /** Tasks were placed, or were not. */
  note({ placements, unplaced }: GroupPlacement): void {
    for (const placement of placements) {
      const decision = this.#decide(placement.task);
      decision.placement = placement;
      delete decision.explanation;
    }
    for (const { task, explanation } of unplaced) {
      const decision = this.#decide(task);
      decision.explanation = explanation;
      delete decision.placement;
    }
  }

  /** What changes, in the order in which tasks were first spoken of. */
  plan(): WhatIfPlan {
    const changes: PlannedChange[] = [];
    const pending: PlannedPending[] = [];
    for (const decision of this.#decisions.values()) {
      const change = this.#changeOf(decision);
      if (change !== undefined) changes.push(change);
      const { task, explanation } = decision;
      if (explanation === undefined) continue;
      pending.push({ task, taskId: task.meta.id, taskName: taskName(task), explanation });
    }
    return { changes, pending };
  }

  #decide(task: Task): Decision {
    let decision = this.#decisions.get(task.meta.id);
    if (decision === undefined) {
      decision = { task, from: this.#state.placedTask(task.meta.id)?.node.id };
      this.#decisions.set(task.meta.id, decision);
    }
    return decision;
  }

  #changeOf(decision: Decision): PlannedChange | undefined {
    const { task, from, cause, placement, explanation } = decision;
    const base = { taskId: task.meta.id, taskName: taskName(task) };
    const causes = cause === undefined ? [] : [cause];
    if (placement === undefined) {
      if (from === undefined) return undefined;
      const reasons = explanation === undefined ? causes : [...causes, explanation.message];
      return { ...base, type: 'stop', from, reason: reasons.join('; ') };
    }
    const to = placement.nodeId;
    if (to === from) return undefined;
    const why = renderPlacementReason(placement.reason, {
      policy: this.#options.policy,
      nodeName: (id) => this.#state.node(id)?.name ?? id,
    });
    const reason = [...causes, why].join('; ');
    return from === undefined
      ? { ...base, type: 'place', to, reason, placement }
      : { ...base, type: 'move', from, to, reason, placement };
  }
}
