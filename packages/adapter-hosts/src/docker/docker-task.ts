/**
 * One task as a container: the steps that the agent drives. Nothing that matters is kept in memory:
 * the engine knows what there is, so the next agent goes on where this one ends.
 *
 * **Source:** moby daemon/cluster/executor/container/controller.go for what each step does.
 */
import type Dockerode from 'dockerode';
import { SkepError, stopGracePeriodMs } from '@skep/api';
import type { AllocatedPort, AssignedTask, TaskId } from '@skep/api';
import type { TaskContext, TaskExit, TaskHandle, TaskStarted } from '@skep/adapter';
import { expandFields } from '../task/template-fields.js';
import { orAborted, throwIfAborted } from '../task/abort.js';
import { hostsText, resolvText } from '../task/name-texts.js';
import { taskFiles } from '../task/task-files.js';
import {
  containerConfig,
  hostModePorts,
  LABELS,
  portKey,
  stopSeconds,
  type ContainerPlace,
  type PlacedFile,
} from './container-config.js';
import type { DockerRuntimeOptions } from './docker-runtime.js';
import { engineError, statusOf } from './engine-errors.js';
import type { EngineEvents } from './engine-events.js';
import type { ImagePulls } from './image-pulls.js';
import { removeTaskFiles, writeNameFiles, writeTaskFiles } from './task-files-folder.js';

const NEVER_STARTED = '0001-01-01T00:00:00Z';
const KILLED = 137;
/** Of its id, a container has so many as its hostname. */
const ID_DIGITS = 12;

/** What a task needs of its runtime. */
export interface DockerTaskHost extends Pick<DockerRuntimeOptions, 'attach' | 'hostPorts'> {
  readonly docker: Dockerode;
  readonly events: EngineEvents;
  readonly images: ImagePulls;
  /** Labels of every container of this node. */
  readonly labels: readonly string[];
  readonly filesFolder: (taskId: TaskId) => string;
  readonly placeOf: (task: AssignedTask) => Omit<ContainerPlace, 'files' | 'nameFiles'>;
}

type Inspected = Dockerode.ContainerInspectInfo;

/** A task of this node, prepared or not. */
export class DockerTask implements TaskHandle {
  readonly #task: AssignedTask;
  readonly #context: TaskContext;
  readonly #host: DockerTaskHost;
  /** Of the container that was created or found here. */
  #containerId: string | undefined;
  /** It was created here and not started yet: the engine does not have to be asked. */
  #isNew = false;
  #isAttached = false;

  constructor(task: AssignedTask, context: TaskContext, host: DockerTaskHost) {
    this.#task = task;
    this.#context = context;
    this.#host = host;
  }

  async prepare(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    const task = this.#task;
    const place = this.#host.placeOf(task);
    const { image = '', pullOptions } = task.template.container ?? {};
    // Said before anything is pulled, should the engine have no word for it.
    containerConfig(task, this.#context, { ...place, files: [] });
    const given = taskFiles(task, this.#context);
    await orAborted(this.#host.images.ensure(image, pullOptions?.registryAuth), signal);
    throwIfAborted(signal);
    const files = await writeTaskFiles(this.#host.filesFolder(task.id), given);
    const nameFiles = await this.#nameFiles('');
    const named = { ...place, files, ...(nameFiles === undefined ? {} : { nameFiles }) };
    const config = containerConfig(task, this.#context, named);
    try {
      const { id } = await this.#host.docker.createContainer(config);
      this.#containerId = id;
      this.#isNew = true;
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
    const isNew = this.#isNew;
    this.#isNew = false;
    let info = isNew ? undefined : await this.#inspect(container);
    if (info === undefined || info.State.StartedAt === NEVER_STARTED) {
      await this.#nameFiles(container.id);
      await this.#call('start', () => container.start());
      info = await this.#inspect(container);
    }
    throwIfAborted(signal);
    if (info.State.Running) await this.#attach(info);
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
      if (info.State.Running && !this.#isAttached) await this.#attachAgain(info);
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

  /** Gives a container that runs its networks. */
  async #attach({ Id, State, NetworkSettings }: Inspected): Promise<void> {
    const { attach } = this.#host;
    if (attach === undefined) return;
    const ownNamespace = `/proc/${State.Pid}/ns/net`;
    const networkNamespace = this.#hasOurNetwork() ? ownNamespace : NetworkSettings.SandboxKey;
    await attach(this.#task, { containerId: Id, pid: State.Pid, networkNamespace });
    this.#isAttached = true;
  }

  /** One that an earlier agent started has its networks; who makes them is told of it anyway. */
  async #attachAgain(info: Inspected): Promise<void> {
    this.#isAttached = true;
    if (!this.#hasOurNetwork()) return;
    // The tables may not be there yet: they then find what was said here.
    await this.#attach(info).catch(() => undefined);
  }

  /** Whether the engine has nothing to do with the task's network. */
  #hasOurNetwork(): boolean {
    const { networkMode, nameserver } = this.#host.placeOf(this.#task);
    return nameserver !== undefined && networkMode === 'none';
  }

  /**
   * The files for names, where the engine does not write them. `id`: the container's, once it has
   * one; its first digits are its hostname when the task asks for none.
   */
  async #nameFiles(id: string): Promise<readonly PlacedFile[] | undefined> {
    if (!this.#hasOurNetwork()) return undefined;
    const task = this.#task;
    const { hosts, dns, hostname } = task.template.container ?? {};
    const { nameserver } = this.#host.placeOf(task);
    const own = expandFields(hostname ?? '', task, this.#context.node) || id.slice(0, ID_DIGITS);
    const addresses = own === '' ? [] : task.networks.flatMap((network) => network.addresses);
    return writeNameFiles(this.#host.filesFolder(task.id), {
      hosts: hostsText({ hostname: own, addresses, hosts }),
      resolv: resolvText(dns, nameserver),
    });
  }

  /** The container of the task, by its labels: whoever made it. */
  async #find(): Promise<Dockerode.Container | undefined> {
    if (this.#containerId !== undefined) {
      return this.#host.docker.getContainer(this.#containerId);
    }
    const label = [...this.#host.labels, `${LABELS.task}=${this.#task.id}`];
    const { docker } = this.#host;
    const listed = await this.#call('list', () =>
      docker.listContainers({ all: true, filters: { label } }),
    );
    this.#containerId = listed[0]?.Id;
    return this.#containerId === undefined ? undefined : docker.getContainer(this.#containerId);
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
