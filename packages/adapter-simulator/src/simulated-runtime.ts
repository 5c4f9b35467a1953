/**
 * The task runtime of a simulated host: containers that take their time on a virtual clock.
 */
import {
  SkepError,
  stopGracePeriodMs,
  type AllocatedPort,
  type AssignedTask,
  type Clock,
  type LogLine,
  type NodeDescription,
  type Random,
  type TaskId,
} from '@skep/api';
import type {
  LogQuery,
  TaskContext,
  TaskExit,
  TaskHandle,
  TaskLogs,
  TaskRuntime,
  TaskStarted,
} from '@skep/adapter';
import { drawTimes, timeToHealthy, timeToUnhealthy, type BehaviourOf } from './behaviour.js';
import { SimulatedContainer } from './container.js';
import { containerFiles } from './container-files.js';
import { delay, untilAborted } from './delay.js';

/** Exit code of a process that was killed: 128 + SIGKILL. */
const KILLED = 137;
/** What a simulated runtime needs. */
export interface SimulatedRuntimeOptions {
  readonly nodeName: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly description: () => NodeDescription;
  readonly behaviour: BehaviourOf;
  /** Host-mode ports of a task as the node bound them. Default: as the task names them. */
  readonly hostPorts?: (task: AssignedTask) => readonly AllocatedPort[];
}

/** Containers and images of one host. They outlive the agent, and end with the host. */
export class SimulatedRuntime implements TaskRuntime, TaskLogs {
  readonly #options: SimulatedRuntimeOptions;
  readonly #containers = new Map<TaskId, SimulatedContainer>();
  readonly #images = new Set<string>();
  readonly #pulls = new Map<string, Promise<void>>();
  /** What ends the pulls under way when the host loses its power: one each, as signals that many
   *  listen to make Node warn of a leak. */
  readonly #pulling = new Set<AbortController>();
  #pids = 1000;

  constructor(options: SimulatedRuntimeOptions) {
    this.#options = options;
  }

  describe(): Promise<NodeDescription> {
    return Promise.resolve(this.#options.description());
  }

  known(): Promise<readonly TaskId[]> {
    return Promise.resolve([...this.#containers.keys()].sort());
  }

  async *logs(taskId: TaskId, query: LogQuery = {}): AsyncGenerator<LogLine, undefined> {
    const container = this.#containers.get(taskId);
    if (container === undefined) {
      const { nodeName } = this.#options;
      throw new SkepError('not-found', `there is no container of task ${taskId} on ${nodeName}`);
    }
    yield* container.log.read(query);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The container of a task, if it was created. */
  container(taskId: TaskId): SimulatedContainer | undefined {
    return this.#containers.get(taskId);
  }

  /** All containers, in the order of their creation. */
  containers(): readonly SimulatedContainer[] {
    return [...this.#containers.values()];
  }

  /** The host loses its power: everything ends, and nothing is left but the images. */
  powerOff(): void {
    for (const container of this.#containers.values()) container.end({ exitCode: KILLED });
    this.#containers.clear();
    this.#pulls.clear();
    for (const pulling of this.#pulling) pulling.abort();
    this.#pulling.clear();
  }

  task(task: AssignedTask, context: TaskContext): TaskHandle {
    return {
      prepare: (signal) => this.#prepare(task, context, signal),
      start: (signal) => this.#start(task, signal),
      wait: (signal) => this.#wait(task, signal),
      shutdown: (signal) => this.#shutdown(task, signal),
      remove: () => this.#remove(task),
    };
  }

  async #prepare(task: AssignedTask, context: TaskContext, signal: AbortSignal): Promise<void> {
    if (this.#containers.has(task.id)) return;
    const files = containerFiles(task.template, context);
    const { clock, random, behaviour: behaviourOf, nodeName } = this.#options;
    const behaviour = behaviourOf(task, nodeName);
    const times = drawTimes(behaviour, random.fork(task.id));
    await Promise.race([
      this.#pull(task.template.container?.image ?? '', times.pullMs, behaviour.pullError),
      untilAborted(signal),
    ]);
    await delay(clock, times.createMs, signal);
    if (this.#containers.has(task.id)) return;
    this.#pids += 1;
    this.#containers.set(
      task.id,
      new SimulatedContainer({ task, pid: this.#pids, behaviour, times, files, clock }),
    );
  }

  /** Pulls an image once, however many tasks wait for it; goes on when the tasks give up. */
  #pull(image: string, pullMs: number, error: string | undefined): Promise<void> {
    const takesTime = (): Promise<void> => this.#transfer(pullMs);
    if (error !== undefined) {
      return takesTime().then(() => {
        throw new SkepError('not-found', error);
      });
    }
    if (this.#images.has(image)) return Promise.resolve();
    const running = this.#pulls.get(image);
    if (running !== undefined) return running;
    const pull = takesTime().then(() => {
      this.#images.add(image);
      this.#pulls.delete(image);
    });
    this.#pulls.set(image, pull);
    return pull;
  }

  /** The time that a pull takes. @throws aborted when the power goes */
  async #transfer(ms: number): Promise<void> {
    const pulling = new AbortController();
    this.#pulling.add(pulling);
    try {
      await delay(this.#options.clock, ms, pulling.signal);
    } finally {
      this.#pulling.delete(pulling);
    }
  }

  async #start(task: AssignedTask, signal: AbortSignal): Promise<TaskStarted> {
    const { clock } = this.#options;
    const container = this.#require(task);
    if (container.state === 'created') {
      await delay(clock, container.times.startMs, signal);
      if (container.behaviour.startError !== undefined) {
        throw new SkepError('failed-precondition', container.behaviour.startError);
      }
      container.run();
    }
    await this.#healthy(task, container, signal);
    return {
      container: { containerId: container.id, pid: container.pid },
      ...this.#hostPorts(task),
    };
  }

  async #healthy(
    task: AssignedTask,
    container: SimulatedContainer,
    signal: AbortSignal,
  ): Promise<void> {
    const wait = timeToHealthy(task, container.behaviour);
    if (wait !== 0 && !container.isHealthy) {
      const isUnhealthy = wait === 'never';
      // The container's own timers end with it, so that nothing is left to wait for.
      await Promise.race([
        new Promise<void>((resolve) => {
          container.onExit(() => resolve());
          container.after(isUnhealthy ? timeToUnhealthy(task) : wait, resolve);
        }),
        untilAborted(signal),
      ]);
      if (container.exit === undefined && isUnhealthy) {
        await this.#stop(container);
        throw new SkepError('failed-precondition', 'unhealthy container');
      }
    }
    if (container.exit !== undefined && container.exit.exitCode !== 0) {
      throw new SkepError('failed-precondition', exitText(container.exit), {
        details: { exitCode: container.exit.exitCode },
      });
    }
    container.markHealthy();
  }

  #wait(task: AssignedTask, signal: AbortSignal): Promise<TaskExit> {
    const container = this.#containers.get(task.id);
    // After a reboot of the host the container is gone: it ended without anybody watching.
    if (container === undefined) {
      return Promise.resolve({ exitCode: KILLED, error: 'container was lost with its host' });
    }
    return Promise.race([
      new Promise<TaskExit>((resolve) => container.onExit(resolve)),
      untilAborted(signal),
    ]);
  }

  async #shutdown(task: AssignedTask, signal: AbortSignal): Promise<void> {
    const container = this.#containers.get(task.id);
    if (container === undefined) return;
    await Promise.race([this.#stop(container), untilAborted(signal)]);
  }

  async #stop(container: SimulatedContainer): Promise<void> {
    if (container.state === 'running') {
      const { ignoresStopSignal = false } = container.behaviour;
      const graceMs = stopGracePeriodMs(container.task.template);
      const isKilled = ignoresStopSignal || container.times.stopMs > graceMs;
      const stopMs = isKilled ? graceMs : container.times.stopMs;
      container.after(stopMs, () => container.end({ exitCode: isKilled ? KILLED : 0 }));
      await new Promise<TaskExit>((resolve) => container.onExit(resolve));
    } else {
      container.end({ exitCode: 0 });
    }
  }

  async #remove(task: AssignedTask): Promise<void> {
    const container = this.#containers.get(task.id);
    if (container === undefined) return;
    await this.#stop(container);
    this.#containers.delete(task.id);
  }

  #hostPorts(task: AssignedTask): { hostPorts?: readonly AllocatedPort[] } {
    const ports = task.ports.filter((port) => port.publishMode === 'host');
    return ports.length === 0 ? {} : { hostPorts: this.#options.hostPorts?.(task) ?? ports };
  }

  #require(task: AssignedTask): SimulatedContainer {
    const container = this.#containers.get(task.id);
    if (container === undefined) {
      throw new SkepError(
        'not-found',
        `no container for task ${task.name}: its host was restarted`,
      );
    }
    return container;
  }
}

function exitText(exit: TaskExit): string {
  return exit.error ?? `task: non-zero exit (${exit.exitCode})`;
}
