/**
 * What to do next for a task: one pure decision, the heart of the agent.
 *
 * **Source:** SwarmKit agent/exec/controller.go, `Do`; the wait for the drain is ours.
 */
import { TASK_STATE_RANK, type DesiredTaskState, type TaskState, type Timestamp } from '@skep/api';

/** What the decision depends on. */
export interface TaskStepInput {
  readonly observed: TaskState;
  readonly desired: DesiredTaskState;
  /** No table routes to the task any more. */
  readonly isDrained: boolean;
  /** It is stopped at this time even if it is not drained. */
  readonly stopBy?: Timestamp;
  readonly now: Timestamp;
}

/**
 * The next step: an operation of the runtime, a state to move to at once, or nothing to do.
 * `until` on `wait` is when to ask again though nothing happened.
 */
export type TaskStep =
  | { readonly type: 'advance'; readonly to: 'accepted' | 'preparing' | 'starting' }
  | { readonly type: 'prepare' }
  | { readonly type: 'start' }
  | { readonly type: 'wait'; readonly until?: Timestamp }
  | { readonly type: 'shutdown' }
  | { readonly type: 'idle' };

const IDLE: TaskStep = Object.freeze({ type: 'idle' });
const WAIT: TaskStep = Object.freeze({ type: 'wait' });

/** Decides the next step of a task. */
export function nextTaskStep(input: TaskStepInput): TaskStep {
  const { observed, desired } = input;
  const rank = TASK_STATE_RANK[observed];
  const wanted = TASK_STATE_RANK[desired];
  if (wanted >= TASK_STATE_RANK.shutdown) return stepToShutdown(input);
  if (rank > wanted) return IDLE;
  if (observed === 'preparing') return { type: 'prepare' };
  if (observed === 'starting') return { type: 'start' };
  if (observed === 'running') return WAIT;
  if (rank >= wanted) return IDLE;
  switch (observed) {
    case 'accepted':
      return { type: 'advance', to: 'preparing' };
    case 'ready':
      return { type: 'advance', to: 'starting' };
    default:
      return { type: 'advance', to: 'accepted' };
  }
}

function stepToShutdown(input: TaskStepInput): TaskStep {
  if (TASK_STATE_RANK[input.observed] >= TASK_STATE_RANK.complete) return IDLE;
  // Only a running task can be behind a VIP; the others have no connections to lose.
  const mayServe = input.observed === 'running' && !input.isDrained;
  if (!mayServe || input.stopBy === undefined || input.now >= input.stopBy) {
    return { type: 'shutdown' };
  }
  return { type: 'wait', until: input.stopBy };
}

/** Whether two steps are the same work, so that one in progress may go on. */
export function isSameStep(a: TaskStep, b: TaskStep): boolean {
  return a.type === b.type && (a.type !== 'advance' || b.type !== 'advance' || a.to === b.to);
}
