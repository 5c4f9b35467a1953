/**
 * The task runtime on Docker Engine: a container for each task, found again by its labels.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import Dockerode from 'dockerode';
import {
  normalArchitecture,
  SkepError,
  type AllocatedPort,
  type AssignedTask,
  type NodeDescription,
  type TaskId,
} from '@skep/api';
import type { TaskContext, TaskHandle, TaskRuntime } from '@skep/adapter';
import type { LogLine, LogQuery, TaskLogs } from '../task/log-lines.js';
import { LABELS } from './container-config.js';
import { DockerTask, type DockerTaskHost } from './docker-task.js';
import { engineLogLines } from './docker-logs.js';
import { engineError } from './engine-errors.js';
import { EngineEvents } from './engine-events.js';
import { ImagePulls, type PullPolicy } from './image-pulls.js';

/** What happened to a container that has just been started. */
export interface StartedContainer {
  readonly containerId: string;
  readonly pid: number;
  /** Path of its network namespace; empty when it shares that of the host. */
  readonly networkNamespace: string;
}

/** What a Docker runtime needs. */
export interface DockerRuntimeOptions {
  /** Containers carry it as a label; those of another cluster, or of nobody, are never touched. */
  readonly cluster: string;
  /** Name of the node: several nodes may share an engine. */
  readonly node: string;
  /** For files of secrets and configs, on a tmpfs. Absolute; made when missing. */
  readonly stateFolder: string;
  /** Default: /var/run/docker.sock. */
  readonly socketPath?: string;
  /** Network of a task's container. Default: `none` with `attach`, or else `bridge`. */
  readonly networkModeOf?: (task: AssignedTask) => string | undefined;
  /** Puts a container that has just been started into the networks of its task. Idempotent. */
  readonly attach?: (task: AssignedTask, container: StartedContainer) => Promise<void>;
  /** Name server of containers that are attached. Default: 127.0.0.11. */
  readonly nameserver?: string;
  /** Default: `missing`. `always` finds newer images of the same name, and costs a request each. */
  readonly pullPolicy?: PullPolicy;
  /** Host-mode ports of a task as they are reached. Default: as the engine bound them. */
  readonly hostPorts?: (task: AssignedTask) => readonly AllocatedPort[];
  /** Replaces what the node says about itself, field by field. */
  readonly description?: Partial<NodeDescription>;
}

const NAMESERVER = '127.0.0.11';

/** Opens a runtime on an engine. Nothing is asked of it before the first call. */
export function dockerRuntime(options: DockerRuntimeOptions): DockerRuntime {
  return new DockerRuntime(options);
}

/** Runs tasks as containers. See {@link dockerRuntime}. */
export class DockerRuntime implements TaskRuntime, TaskLogs {
  readonly #options: DockerRuntimeOptions;
  readonly #docker: Dockerode;
  readonly #events: EngineEvents;
  readonly #host: DockerTaskHost;

  constructor(options: DockerRuntimeOptions) {
    if (!isAbsolute(options.stateFolder)) {
      const text = `stateFolder '${options.stateFolder}' must be an absolute path`;
      throw new SkepError('invalid-argument', text);
    }
    this.#options = options;
    this.#docker = new Dockerode({ socketPath: options.socketPath ?? '/var/run/docker.sock' });
    const labels = [`${LABELS.cluster}=${options.cluster}`, `${LABELS.node}=${options.node}`];
    this.#events = new EngineEvents(this.#docker, labels);
    mkdirSync(this.#filesFolder(), { recursive: true, mode: 0o700 });
    this.#host = {
      docker: this.#docker,
      events: this.#events,
      images: new ImagePulls(this.#docker, options.pullPolicy ?? 'missing'),
      labels,
      filesFolder: (taskId) => join(this.#filesFolder(), taskId),
      placeOf: (task) => ({
        cluster: options.cluster,
        node: options.node,
        networkMode: this.#networkMode(task),
        nameserver:
          options.attach === undefined || task.networks.length === 0
            ? undefined
            : (options.nameserver ?? NAMESERVER),
        environment: process.env,
      }),
      ...(options.attach === undefined ? {} : { attach: options.attach }),
      ...(options.hostPorts === undefined ? {} : { hostPorts: options.hostPorts }),
    };
  }

  async describe(): Promise<NodeDescription> {
    const { node, description } = this.#options;
    const info = (await this.#ask('info', () => this.#docker.info())) as EngineInfo;
    const plugins = Object.entries(info.Plugins ?? {}).flatMap(([type, names]) =>
      (names ?? []).map((name) => ({ type, name })),
    );
    return {
      hostname: node,
      platform: { os: info.OSType, architecture: normalArchitecture(info.Architecture) },
      ...description,
      resources: {
        cpuNanos: info.NCPU * 1e9,
        memoryBytes: info.MemTotal,
        ...description?.resources,
      },
      engine: {
        version: info.ServerVersion,
        labels: labelsOf(info.Labels ?? []),
        plugins,
        ...description?.engine,
      },
    };
  }

  task(task: AssignedTask, context: TaskContext): TaskHandle {
    return new DockerTask(task, context, this.#host);
  }

  async known(): Promise<readonly TaskId[]> {
    const containers = await this.#ask('list', () =>
      this.#docker.listContainers({ all: true, filters: { label: [...this.#host.labels] } }),
    );
    const folder = this.#filesFolder();
    const prepared = existsSync(folder) ? readdirSync(folder) : [];
    const ids = containers.flatMap(({ Labels }) => Labels[LABELS.task] ?? []);
    return [...new Set([...ids, ...prepared])].sort();
  }

  async *logs(taskId: TaskId, query: LogQuery = {}): AsyncGenerator<LogLine> {
    const found = await this.#ask('list', () =>
      this.#docker.listContainers({
        all: true,
        filters: { label: [...this.#host.labels, `${LABELS.task}=${taskId}`] },
      }),
    );
    const [listed] = found;
    if (listed === undefined) {
      throw new SkepError('not-found', `there is no task '${taskId}' on this node`);
    }
    const container = this.#docker.getContainer(listed.Id);
    const info = await this.#ask('inspect', () => container.inspect());
    const { streams = ['stdout', 'stderr'], since, tail, follow = false, signal } = query;
    const wanted = {
      stdout: streams.includes('stdout'),
      stderr: streams.includes('stderr'),
      timestamps: true,
      ...(since === undefined ? {} : { since: since / 1_000 }),
      ...(tail === undefined ? {} : { tail }),
    };
    if (!follow) {
      const text = await this.#ask('logs', () => container.logs({ ...wanted, follow: false }));
      yield* engineLogLines(once(text), info.Config.Tty);
      return;
    }
    const stream = await this.#ask('logs', () => container.logs({ ...wanted, follow: true }));
    const stop = (): void => (stream as unknown as { destroy(): void }).destroy();
    signal?.addEventListener('abort', stop);
    try {
      yield* engineLogLines(untilDestroyed(stream), info.Config.Tty);
    } finally {
      signal?.removeEventListener('abort', stop);
      stop();
    }
  }

  /** Ends the runtime, not the containers. */
  close(): Promise<void> {
    this.#events.close();
    return Promise.resolve();
  }

  #networkMode(task: AssignedTask): string {
    const { networkModeOf, attach } = this.#options;
    const isOurs = attach !== undefined && task.networks.length > 0;
    return networkModeOf?.(task) ?? (isOurs ? 'none' : 'bridge');
  }

  #filesFolder(): string {
    return join(this.#options.stateFolder, 'files');
  }

  async #ask<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (thrown) {
      throw engineError(thrown, what);
    }
  }
}

/** What `GET /info` answers, as far as it is of interest. */
interface EngineInfo {
  readonly OSType: string;
  readonly Architecture: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly ServerVersion: string;
  readonly Labels?: readonly string[] | null;
  readonly Plugins?: Readonly<Record<string, readonly string[] | null>>;
}

/** `key=value` pairs. */
function labelsOf(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

async function* once(piece: Buffer): AsyncGenerator<Buffer> {
  await Promise.resolve();
  yield piece;
}

/** A stream that was destroyed on purpose has just ended. */
async function* untilDestroyed(stream: NodeJS.ReadableStream): AsyncGenerator<Buffer> {
  try {
    for await (const piece of stream) yield piece as Buffer;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw thrown;
  }
}
