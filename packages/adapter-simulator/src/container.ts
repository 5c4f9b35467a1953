/**
 * One simulated container: created, running or exited.
 */
import { deriveHex, type AssignedTask, type Clock, type LogStream, type Timer } from '@skep/api';
import type { TaskExit } from '@skep/adapter';
import type { ContainerFile } from './container-files.js';
import { ContainerLog } from './container-log.js';
import type { ContainerBehaviour, ContainerTimes } from './behaviour.js';

/** A container on a simulated host. Its life does not depend on the agent's. */
export class SimulatedContainer {
  readonly id: string;
  readonly pid: number;
  readonly task: AssignedTask;
  readonly behaviour: ContainerBehaviour;
  readonly times: ContainerTimes;
  /** Secrets and configs. */
  readonly files: readonly ContainerFile[];
  readonly log = new ContainerLog();
  readonly #clock: Clock;
  #state: 'created' | 'running' | 'exited' = 'created';
  #isHealthy = false;
  #exit: TaskExit | undefined;
  readonly #exitListeners: ((exit: TaskExit) => void)[] = [];
  readonly #timers: Timer[] = [];

  constructor(options: {
    readonly task: AssignedTask;
    readonly pid: number;
    readonly behaviour: ContainerBehaviour;
    readonly times: ContainerTimes;
    readonly files?: readonly ContainerFile[];
    readonly clock: Clock;
  }) {
    this.id = deriveHex(options.task.id, 64);
    this.pid = options.pid;
    this.task = options.task;
    this.behaviour = options.behaviour;
    this.times = options.times;
    this.files = options.files ?? [];
    this.#clock = options.clock;
  }

  get state(): 'created' | 'running' | 'exited' {
    return this.#state;
  }

  /** Whether it answers: running, and healthy where it has a health check. */
  get isAnswering(): boolean {
    return this.#state === 'running';
  }

  get isHealthy(): boolean {
    return this.#isHealthy;
  }

  get exit(): TaskExit | undefined {
    return this.#exit;
  }

  /** Runs it. A container with an end of its own ends after its time. */
  run(): void {
    if (this.#state !== 'created') return;
    this.#state = 'running';
    const isJob = this.task.desiredState === 'complete';
    const exit = this.behaviour.exit ?? (isJob ? { afterMs: 1_000, exitCode: 0 } : undefined);
    if (exit !== undefined) {
      this.after(exit.afterMs, () => this.end({ exitCode: exit.exitCode }));
    }
    for (const { afterMs, text, stream } of this.behaviour.prints ?? []) {
      this.after(afterMs, () => this.print(text, stream));
    }
  }

  /** Prints lines; one that does not run prints nothing. */
  print(text: string, stream: LogStream = 'stdout'): void {
    if (this.#state !== 'running') return;
    const time = this.#clock.now();
    for (const line of text.split('\n')) this.log.add({ time, stream, text: line });
  }

  markHealthy(): void {
    this.#isHealthy = true;
  }

  /** Does something later in the container's life; forgotten when it ends. */
  after(ms: number, run: () => void): void {
    if (this.#state === 'exited') return;
    this.#timers.push(
      this.#clock.schedule(this.#clock.now() + ms, run, {
        label: `container of ${this.task.name}`,
      }),
    );
  }

  /** Ends it. Later calls change nothing. */
  end(exit: TaskExit): void {
    if (this.#state === 'exited') return;
    this.#state = 'exited';
    this.#exit = exit;
    this.log.end();
    for (const timer of this.#timers) timer.cancel();
    for (const listener of this.#exitListeners.splice(0)) listener(exit);
  }

  /** Calls back when it ends, at once if it has. */
  onExit(listener: (exit: TaskExit) => void): void {
    if (this.#exit !== undefined) listener(this.#exit);
    else this.#exitListeners.push(listener);
  }
}
