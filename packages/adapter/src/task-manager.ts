/**
 * Drives one task on a node: at most one operation at a time, aborted when what is wanted changes.
 *
 * A stop that fails for good ends the task as `failed`, with the error: nothing else could end it.
 * The manager then takes it out of the assignment, and whoever drives the agent removes what is
 * left of it, however often that takes.
 *
 * **Source:** SwarmKit agent/task.go, agent/exec/controller.go.
 */
import {
  isSkepError,
  laterState,
  messageOf,
  TASK_STATE_RANK,
  type AssignedTask,
  type Clock,
  type ContainerStatus,
  type TaskReport,
  type TaskState,
  type Timer,
  type Timestamp,
} from '@skep/api';
import type { TaskExit, TaskHandle, TaskStarted } from './contract.js';
import { isSameStep, nextTaskStep, type TaskStep } from './task-step.js';

/** A failed step that may succeed later is tried again after this time. */
const RETRY_MS = 1_000;

/** What a task manager needs. */
export interface TaskManagerOptions {
  readonly task: AssignedTask;
  readonly handle: TaskHandle;
  readonly clock: Clock;
  /** Called with every change of the observed state, and with the error of a step to be retried. */
  readonly report: (report: TaskReport) => void;
}

/** What has been observed of the task. */
interface Observed {
  readonly state: TaskState;
  readonly container?: ContainerStatus;
  readonly hostPorts?: TaskStarted['hostPorts'];
}

/** An operation under way. */
interface Operation {
  readonly step: TaskStep;
  readonly abort: AbortController;
  /** Resolves when it has ended, by itself or by its abort; never rejects. */
  ended: Promise<void>;
}

/** The manager of one task. Its own observed state is canonical over what the manager knows. */
export class TaskManager {
  readonly #options: TaskManagerOptions;
  #task: AssignedTask;
  #observed: Observed;
  #lastReport: TaskReport | undefined;
  #current: Operation | undefined;
  /** A step that failed, and is not tried again before its time. */
  #resting: { readonly step: TaskStep; readonly until: Timestamp } | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: TaskManagerOptions) {
    this.#options = options;
    this.#task = options.task;
    this.#observed = { state: laterState(options.task.knownState, 'assigned') };
  }

  /** The newest report, to be sent again on a new session. */
  get lastReport(): TaskReport | undefined {
    return this.#lastReport;
  }

  /** The task as it was assigned last. */
  get task(): AssignedTask {
    return this.#task;
  }

  /** Begins, or goes on where an earlier agent stopped. */
  start(): void {
    this.#drive();
  }

  /** Takes a new assignment; a lower desired state than the present one is ignored. */
  update(task: AssignedTask): void {
    const isLower = TASK_STATE_RANK[task.desiredState] < TASK_STATE_RANK[this.#task.desiredState];
    this.#task = isLower ? { ...task, desiredState: this.#task.desiredState } : task;
    this.#drive();
  }

  /** Stops driving, without touching what runs: the agent itself ends. */
  close(): void {
    this.#isClosed = true;
    this.#current?.abort.abort();
    this.#timer?.cancel();
  }

  /**
   * The task is not assigned any more: stops it and removes all traces, once the operation under
   * way has ended. May be called again when it failed.
   */
  async remove(): Promise<void> {
    this.close();
    await this.#current?.ended;
    await this.#options.handle.remove();
  }

  #drive(): void {
    if (this.#isClosed) return;
    const step = this.#nextStep();
    if (this.#current !== undefined) {
      if (isSameStep(this.#current.step, step)) {
        this.#armTimer(step);
        return;
      }
      // The operation in flight ends by its abort; `#execute` drives again when it has.
      this.#current.abort.abort();
      return;
    }
    this.#timer?.cancel();
    if (step.type === 'idle') return;
    if (step.type === 'advance') {
      this.#advance(step.to, step.to);
      this.#drive();
      return;
    }
    if (this.#isResting(step)) return;
    this.#armTimer(step);
    const abort = new AbortController();
    const operation: Operation = { step, abort, ended: Promise.resolve() };
    this.#current = operation;
    operation.ended = this.#execute(step, abort.signal);
  }

  /** A failed step waits for its time, whatever is heard meanwhile. */
  #isResting(step: TaskStep): boolean {
    const { clock } = this.#options;
    const resting = this.#resting;
    this.#resting = undefined;
    if (resting === undefined || !isSameStep(resting.step, step)) return false;
    if (clock.now() >= resting.until) return false;
    this.#resting = resting;
    this.#timer = clock.schedule(resting.until, () => this.#drive(), {
      label: `retry of task ${this.#task.name}`,
    });
    return true;
  }

  #nextStep(): TaskStep {
    return nextTaskStep({
      observed: this.#observed.state,
      desired: this.#task.desiredState,
      isDrained: this.#task.isDrained,
      ...(this.#task.stopBy === undefined ? {} : { stopBy: this.#task.stopBy }),
      now: this.#options.clock.now(),
    });
  }

  #armTimer(step: TaskStep): void {
    this.#timer?.cancel();
    if (step.type !== 'wait' || step.until === undefined) return;
    this.#timer = this.#options.clock.schedule(step.until, () => this.#drive(), {
      label: `stop of task ${this.#task.name}`,
    });
  }

  async #execute(step: TaskStep, signal: AbortSignal): Promise<void> {
    try {
      await this.#perform(step, signal);
    } catch (thrown) {
      // What an aborted operation says does not matter: something else is wanted by now.
      if (!signal.aborted && this.#failed(thrown)) {
        this.#resting = { step, until: this.#options.clock.now() + RETRY_MS };
      }
    }
    this.#current = undefined;
    this.#drive();
  }

  async #perform(step: TaskStep, signal: AbortSignal): Promise<void> {
    const { handle } = this.#options;
    switch (step.type) {
      case 'prepare':
        await handle.prepare(signal);
        if (!signal.aborted) this.#advance('ready', 'prepared');
        return;
      case 'start': {
        const started = await handle.start(signal);
        if (signal.aborted) return;
        this.#observed = { ...this.#observed, ...started };
        this.#advance('running', 'started');
        return;
      }
      case 'wait': {
        const exit = await handle.wait(signal);
        if (!signal.aborted) this.#exited(exit);
        return;
      }
      case 'shutdown':
        await handle.shutdown(signal);
        if (!signal.aborted) this.#advance('shutdown', 'shutdown');
        return;
      default:
        return;
    }
  }

  #exited(exit: TaskExit): void {
    const container = { ...this.#observed.container, exitCode: exit.exitCode };
    this.#observed = { ...this.#observed, container };
    if (exit.exitCode === 0 && exit.error === undefined) {
      this.#advance('complete', 'finished');
      return;
    }
    this.#advance('failed', 'failed', exit.error ?? `task: non-zero exit (${exit.exitCode})`);
  }

  /** Decides about an error; true when the step is to be tried again. */
  #failed(thrown: unknown): boolean {
    const error = messageOf(thrown);
    if (isSkepError(thrown, 'unavailable') || isSkepError(thrown, 'aborted')) {
      this.#send({ state: this.#observed.state, message: 'waiting to try again', error });
      return true;
    }
    const exitCode = isSkepError(thrown) ? thrown.details['exitCode'] : undefined;
    if (typeof exitCode === 'number') {
      this.#observed = {
        ...this.#observed,
        container: { ...this.#observed.container, exitCode },
      };
    }
    const hasStarted = TASK_STATE_RANK[this.#observed.state] >= TASK_STATE_RANK.starting;
    this.#advance(hasStarted ? 'failed' : 'rejected', hasStarted ? 'failed' : 'rejected', error);
    return false;
  }

  #advance(state: TaskState, message: string, error?: string): void {
    this.#observed = { ...this.#observed, state };
    this.#send({ state, message, ...(error === undefined ? {} : { error }) });
  }

  #send(change: Pick<TaskReport, 'state' | 'message' | 'error'>): void {
    const { container, hostPorts } = this.#observed;
    const report: TaskReport = {
      taskId: this.#task.id,
      timestamp: this.#options.clock.now(),
      ...change,
      ...(container === undefined ? {} : { container }),
      ...(hostPorts === undefined ? {} : { hostPorts }),
    };
    this.#lastReport = report;
    this.#options.report(report);
  }
}
