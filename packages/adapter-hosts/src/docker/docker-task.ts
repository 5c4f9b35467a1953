/**
 * One task as a container: the steps that the agent drives. Nothing is kept in memory: the engine
 * knows what there is, so the next agent goes on where this one ends.
 *
 * **Source:** moby daemon/cluster/executor/container/controller.go for what each step does.
 */
import type Dockerode from 'dockerode';
import { SkepError, stopGracePeriodMs } from '@skep/api';
import type { AllocatedPort, AssignedTask, TaskId } from '@skep/api';
import type { TaskContext, TaskExit, TaskHandle, TaskStarted } from '@skep/adapter';
import { orAborted, throwIfAborted } from '../task/abort.js';
import { taskFiles } from '../task/task-files.js';
import {
  containerConfig,
  hostModePorts,
  LABELS,
  portKey,
  stopSeconds,
  type ContainerPlace,
} from './container-config.js';
import type { DockerRuntimeOptions } from './docker-runtime.js';
import { engineError, statusOf } from './engine-errors.js';
import type { EngineEvents } from './engine-events.js';
import type { ImagePulls } from './image-pulls.js';
import { removeTaskFiles, writeTaskFiles } from './task-files-folder.js';

const NEVER_STARTED = '0001-01-01T00:00:00Z';
const KILLED = 137;

/** What a task needs of its runtime. */
export interface DockerTaskHost extends Pick<DockerRuntimeOptions, 'attach' | 'hostPorts'> {
  readonly docker: Dockerode;
  readonly events: EngineEvents;
  readonly images: ImagePulls;
  /** Labels of every container of this node. */
  readonly labels: readonly string[];
  readonly filesFolder: (taskId: TaskId) => string;
  readonly placeOf: (task: AssignedTask) => Omit<ContainerPlace, 'files'>;
}

type Inspected = Dockerode.ContainerInspectInfo;

/** A task of this node, prepared or not. */
export class DockerTask implements TaskHandle {
  readonly #task: AssignedTask;
  readonly #context: TaskContext;
  readonly #host: DockerTaskHost;

  constructor(task: AssignedTask, context: TaskContext, host: DockerTaskHost) {
    this.#task = task;
    this.#context = context;
    this.#host = host;
  }

  async prepare(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    if ((await this.#find()) !== undefined) return;
    const task = this.#task;
    const place = this.#host.placeOf(task);
    const { image = '', pullOptions } = task.template.container ?? {};
    // Said before anything is pulled, should the engine have no word for it.
    containerConfig(task, this.#context, { ...place, files: [] });
    const given = taskFiles(task, this.#context);
    await orAborted(this.#host.images.ensure(image, pullOptions?.registryAuth), signal);
    throwIfAborted(signal);
    const files = await writeTaskFiles(this.#host.filesFolder(task.id), given);
    const config = containerConfig(task, this.#context, { ...place, files });
    try {
      await this.#host.docker.createContainer(config);
    } catch (thrown) {
      // Created by an earlier call that was given up.
      if (statusOf(thrown) === 409 && (await this.#find()) !== undefined) return;
      throw engineError(thrown, `container of task ${task.name}`);
    }
  }

  async start(signal: AbortSignal): Promise<TaskStarted> {
    throwIfAborted(signal);
    const container = await this.#find();
    if (container === undefined) {
      throw new SkepError('not-found', `task ${this.#task.name} was not prepared here`);
    }
    let info = await this.#inspect(container);
    if (info.State.StartedAt === NEVER_STARTED) {
      await this.#call('start', () => container.start());
      info = await this.#inspect(container);
    }
    throwIfAborted(signal);
    if (info.State.Running) {
      await this.#host.attach?.(this.#task, {
        containerId: info.Id,
        pid: info.State.Pid,
        networkNamespace: info.NetworkSettings.SandboxKey,
      });
    }
    if (info.State.Health !== undefined) await this.#becomeHealthy(container, signal);
    return {
      container: { containerId: info.Id, pid: info.State.Pid },
      ...this.#hostPorts(info),
    };
  }

  async wait(signal: AbortSignal): Promise<TaskExit> {
    throwIfAborted(signal);
    const container = await this.#find();
    if (container === undefined) return { exitCode: KILLED, error: 'the container is gone' };
    return this.#until(signal, async () => {
      const info = await this.#inspectIfThere(container);
      if (info === undefined) return { exitCode: KILLED, error: 'the container was removed' };
      const isUnhealthy = info.State.Health?.Status === 'unhealthy';
      if (info.State.Running && !isUnhealthy) return undefined;
      if (info.State.Running) await this.#stop(container, signal);
      const ended = info.State.Running ? await this.#inspectIfThere(container) : info;
      const exit = ended === undefined ? { exitCode: KILLED } : exitOf(ended);
      return isUnhealthy ? { ...exit, error: 'unhealthy container' } : exit;
    });
  }

  async shutdown(signal: AbortSignal): Promise<void> {
    const container = await this.#find();
    if (container !== undefined) await this.#stop(container, signal);
  }

  async remove(): Promise<void> {
    const container = await this.#find();
    if (container !== undefined) {
      await this.#stop(container, undefined);
      try {
        await container.remove({ v: true, force: true });
      } catch (thrown) {
        // 409: its removal is under way; it is asked for again until it is gone.
        if (statusOf(thrown) === 409) {
          throw new SkepError('unavailable', `${this.#task.name} is still being removed`);
        }
        if (statusOf(thrown) !== 404) throw engineError(thrown, `removal of ${this.#task.name}`);
      }
    }
    await removeTaskFiles(this.#host.filesFolder(this.#task.id));
  }

  /** The container of the task, by its labels: whoever made it. */
  async #find(): Promise<Dockerode.Container | undefined> {
    const label = [...this.#host.labels, `${LABELS.task}=${this.#task.id}`];
    const { docker } = this.#host;
    const listed = await this.#call('list', () =>
      docker.listContainers({ all: true, filters: { label } }),
    );
    const [found] = listed;
    return found === undefined ? undefined : docker.getContainer(found.Id);
  }

  async #becomeHealthy(container: Dockerode.Container, signal: AbortSignal): Promise<void> {
    const last = await this.#until(signal, async () => {
      const info = await this.#inspect(container);
      const isDecided = !info.State.Running || info.State.Health?.Status !== 'starting';
      return isDecided ? info : undefined;
    });
    if (!last.State.Running) {
      const { exitCode, error } = exitOf(last);
      if (exitCode === 0) return;
      const text = error ?? `task: non-zero exit (${exitCode})`;
      throw new SkepError('failed-precondition', text, { details: { exitCode } });
    }
    if (last.State.Health?.Status !== 'unhealthy') return;
    await this.#stop(container, signal);
    throw new SkepError('failed-precondition', 'unhealthy container');
  }

  async #until<T>(signal: AbortSignal, look: () => Promise<T | undefined>): Promise<T> {
    return orAborted(this.#host.events.until(this.#task.id, look, signal), signal);
  }

  async #stop(container: Dockerode.Container, signal: AbortSignal | undefined): Promise<void> {
    // What a task has to say about its end was given to the engine when it was created.
    const isKnown = this.#task.template.container !== undefined;
    const seconds = stopSeconds(stopGracePeriodMs(this.#task.template));
    const stopping = container.stop(isKnown ? { t: seconds } : {}).catch((thrown: unknown) => {
      // 304: it does not run; 404: it is gone.
      if (statusOf(thrown) !== 304 && statusOf(thrown) !== 404) {
        throw engineError(thrown, `stop of ${this.#task.name}`);
      }
    });
    await orAborted(stopping, signal);
  }

  async #inspect(container: Dockerode.Container): Promise<Inspected> {
    return this.#call('inspect', () => container.inspect());
  }

  async #inspectIfThere(container: Dockerode.Container): Promise<Inspected | undefined> {
    try {
      return await container.inspect();
    } catch (thrown) {
      if (statusOf(thrown) === 404) return undefined;
      throw engineError(thrown, 'inspect');
    }
  }

  #hostPorts(info: Inspected): { hostPorts?: readonly AllocatedPort[] } {
    const ports = hostModePorts(this.#task);
    if (ports.length === 0) return {};
    const { hostPorts } = this.#host;
    if (hostPorts !== undefined) return { hostPorts: hostPorts(this.#task) };
    return {
      hostPorts: ports.map((port) => {
        const bound = info.NetworkSettings.Ports[portKey(port)]?.[0]?.HostPort;
        return bound === undefined ? port : { ...port, publishedPort: Number(bound) };
      }),
    };
  }

  async #call<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (thrown) {
      throw engineError(thrown, `${what} of task ${this.#task.name}`);
    }
  }
}

function exitOf({ State }: Inspected): TaskExit {
  const error = State.OOMKilled ? 'out of memory' : State.Error;
  return { exitCode: State.ExitCode, ...(error === '' ? {} : { error }) };
}
