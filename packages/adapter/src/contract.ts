/**
 * The seams a node stands on: what runs tasks, what programs the tables, what answers names.
 * The agent is written once against them; the simulator and real hosts implement them.
 *
 * Errors: a `SkepError` of code `unavailable` or `aborted` is temporary, and the same step is tried
 * again after a second. Anything else is final: the task is rejected before it started, and failed
 * from then on. `details.exitCode` is passed on when it is there.
 *
 * **Source:** SwarmKit agent/exec (Executor, Controller) for the task side; the data plane with
 * acknowledged revisions is ours.
 */
import type {
  AllocatedPort,
  AssignedFile,
  AssignedNode,
  AssignedTask,
  ContainerStatus,
  LogLine,
  LogSelection,
  NodeDescription,
  TaskId,
} from '@skep/api';
import type { NetworkChange, NodeNetworkState } from '@skep/network';

/** Files that a task is given with it, by their ids, and the node it runs on. */
export interface TaskContext {
  readonly secrets: ReadonlyMap<string, AssignedFile>;
  readonly configs: ReadonlyMap<string, AssignedFile>;
  readonly node: AssignedNode | undefined;
}

/** How a task ended by itself. */
export interface TaskExit {
  readonly exitCode: number;
  /** Why, beyond the exit code: `unhealthy container`, `out of memory`. */
  readonly error?: string;
}

/** What a task that starts turned into. */
export interface TaskStarted {
  readonly container: ContainerStatus;
  readonly hostPorts?: readonly AllocatedPort[];
}

/**
 * One task on a node, driven step by step. Every call may be aborted and made again: each is
 * idempotent, and `prepare` of what was prepared, `start` of what runs, return at once.
 *
 * The agent makes one call at a time for a task: the next when the one before has ended. So an
 * aborted call has to end soon, and to change nothing afterwards.
 */
export interface TaskHandle {
  /** Pulls the image, creates the container, attaches networks and mounts. */
  prepare(signal: AbortSignal): Promise<void>;
  /** Starts it, and waits until it is healthy when it has a health check. */
  start(signal: AbortSignal): Promise<TaskStarted>;
  /** Resolves when the task has ended by itself, or became unhealthy and was stopped for it. */
  wait(signal: AbortSignal): Promise<TaskExit>;
  /**
   * Stop signal, grace period, kill. Resolves when nothing of it runs any more. An error that is
   * final makes the task failed; what is left of it is then removed.
   */
  shutdown(signal: AbortSignal): Promise<void>;
  /**
   * Removes everything that was created for the task, running or not, and the record of it.
   * Whatever the error, it is tried again until it succeeds.
   */
  remove(): Promise<void>;
}

/** Which lines of a task are wanted, and until when. */
export interface LogQuery extends LogSelection {
  /** Ends the reading, as the end of the task does. */
  readonly signal?: AbortSignal;
}

/** Reads what tasks printed. */
export interface TaskLogs {
  /**
   * Lines of a task in the order in which they were printed. Ends with the last one that is there,
   * or with the task when it follows. @throws not-found when the runtime does not know the task
   */
  logs(taskId: TaskId, query?: LogQuery): AsyncIterable<LogLine>;
}

/** Runs tasks on a node. One that keeps no logs has no `logs`. */
export interface TaskRuntime extends Partial<TaskLogs> {
  /** What this node is and has. Polled every 20 s; a change is reported. */
  describe(): Promise<NodeDescription>;
  /** The handle of a task; takes over what already runs of it (after a crash of the agent). */
  task(task: AssignedTask, context: TaskContext): TaskHandle;
  /** Tasks of this node that the runtime knows; those that are not assigned are removed. */
  known(): Promise<readonly TaskId[]>;
  close(): Promise<void>;
}

/** Programs the node's kernel. */
export interface Dataplane {
  /**
   * Makes the kernel hold the tables of this state; resolves once it does, and only then is the
   * revision acknowledged. Calls do not overlap. `change` names what differs from the state of the
   * last call that resolved; undefined means that anything may.
   */
  apply(state: NodeNetworkState, change: NetworkChange | undefined): Promise<void>;
  /** Compares what the kernel holds with what it should, and repairs; returns what was wrong. */
  repair(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Answers names for the tasks of a node. */
export interface Resolver {
  /** As {@link Dataplane.apply}: from then on, names are answered from this state. */
  apply(state: NodeNetworkState, change: NetworkChange | undefined): Promise<void>;
  close(): Promise<void>;
}
