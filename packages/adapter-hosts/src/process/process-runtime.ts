/**
 * The task runtime for hosts without a container engine: the command of a task as a process in
 * namespaces of its own.
 *
 * It tells tasks apart and limits them; it is no wall against a task that means harm: the command
 * sees the host's files. Untrusted tasks belong into a container engine.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import {
  SkepError,
  silentLogger,
  type AllocatedPort,
  type AssignedTask,
  type Logger,
  type NodeDescription,
  type TaskId,
} from '@skep/api';
import type { TaskContext, TaskHandle, TaskRuntime } from '@skep/adapter';
import type { LogLine, LogQuery, TaskLogs } from '../task/log-lines.js';
import { readCgroupLayout, type CgroupLayout } from './cgroup.js';
import { describeMachine } from './describe-machine.js';
import { planLaunch, type LaunchPlan, type ProcessImage } from './launch-plan.js';
import { LogKeeper } from './log-keeper.js';
import { readLog } from './log-reader.js';
import { bootId } from './proc.js';
import { ProcessTask, type ProcessTaskHost } from './process-task.js';
import { readRecord, taskFolder } from './task-folder.js';

/** What a process runtime needs; every field but the first has a default. */
export interface ProcessRuntimeOptions {
  /** Everything that has to outlive the agent is kept here. Absolute; made when missing. */
  readonly stateFolder: string;
  /** Host name that the node reports. Default: the machine's. */
  readonly nodeName?: string;
  /** What images stand for: defaults of commands, by the name that services use. */
  readonly images?: ReadonlyMap<string, ProcessImage>;
  /**
   * Path of the network namespace of a task: `/run/netns/NAME`. Default: that of the agent. It has
   * to be there when the task is prepared.
   */
  readonly networkNamespaceOf?: (task: AssignedTask) => string | undefined;
  /** Name server of tasks with a network namespace. Default: 127.0.0.11. */
  readonly nameserver?: string;
  /** Host-mode ports of a task as they are reached. Default: as allocated. */
  readonly hostPorts?: (task: AssignedTask) => readonly AllocatedPort[];
  /** Replaces what the node says about itself, field by field. */
  readonly description?: Partial<NodeDescription>;
  /** Bytes that are kept of what a task prints. Default: 20 MiB. */
  readonly logBytesMax?: number;
  readonly logger?: Logger;
}

const LOG_BYTES_MAX = 20 * 2 ** 20;
const NAMESERVER = '127.0.0.11';

/**
 * Opens a runtime on a state folder; takes over what runs there.
 * @throws permission-denied when it is not run by root: namespaces and mounts need it
 */
export function processRuntime(options: ProcessRuntimeOptions): ProcessRuntime {
  return new ProcessRuntime(options);
}

/** Runs tasks as processes. See {@link processRuntime}. */
export class ProcessRuntime implements TaskRuntime, TaskLogs {
  readonly #options: ProcessRuntimeOptions;
  readonly #stateFolder: string;
  readonly #cgroups: CgroupLayout;
  readonly #logs: LogKeeper;
  readonly #host: ProcessTaskHost;
  readonly #tasks = new Map<TaskId, ProcessTask>();

  constructor(options: ProcessRuntimeOptions) {
    if (process.getuid?.() !== 0) {
      throw new SkepError('permission-denied', 'tasks as processes need root: run the agent by it');
    }
    if (!isAbsolute(options.stateFolder)) {
      const text = `stateFolder '${options.stateFolder}' must be an absolute path`;
      throw new SkepError('invalid-argument', text);
    }
    this.#options = options;
    mkdirSync(join(options.stateFolder, 'tasks'), { recursive: true, mode: 0o700 });
    this.#stateFolder = realpathSync(options.stateFolder);
    this.#cgroups = readCgroupLayout();
    const { logger = silentLogger } = options;
    this.#logs = new LogKeeper(logger);
    const hash = createHash('sha256').update(this.#stateFolder).digest('hex').slice(0, 12);
    this.#host = {
      bootId: bootId(),
      cgroups: this.#cgroups,
      cgroupParent: join('skep', hash),
      logger,
      logs: this.#logs,
      logBytesMax: options.logBytesMax ?? LOG_BYTES_MAX,
      plan: (task, context) => this.#plan(task, context),
      hostPorts: (task) => this.#hostPorts(task),
    };
    for (const id of this.#ids()) this.#task(id).adopt();
  }

  describe(): Promise<NodeDescription> {
    const { nodeName, description } = this.#options;
    return Promise.resolve(
      describeMachine({
        ...description,
        ...(nodeName === undefined ? {} : { hostname: nodeName }),
      }),
    );
  }

  task(task: AssignedTask, context: TaskContext): TaskHandle {
    const own = this.#task(task.id);
    return {
      prepare: (signal) => own.prepare(task, context, signal),
      start: (signal) => own.start(task, context, signal),
      wait: (signal) => own.wait(task, context, signal),
      shutdown: (signal) => own.shutdown(signal),
      remove: async () => {
        await own.remove();
        this.#tasks.delete(task.id);
      },
    };
  }

  known(): Promise<readonly TaskId[]> {
    return Promise.resolve(this.#ids());
  }

  async *logs(taskId: TaskId, query: LogQuery = {}): AsyncGenerator<LogLine> {
    const folder = taskFolder(this.#stateFolder, taskId);
    if (readRecord(folder) === undefined) {
      throw new SkepError('not-found', `there is no task '${taskId}' on this node`);
    }
    yield* readLog(folder, query, () => this.#task(taskId).hasEnded());
  }

  /** Ends the runtime, not the tasks. */
  close(): Promise<void> {
    for (const task of this.#tasks.values()) task.close();
    this.#tasks.clear();
    this.#logs.close();
    return Promise.resolve();
  }

  #ids(): readonly TaskId[] {
    return readdirSync(join(this.#stateFolder, 'tasks')).sort();
  }

  #task(id: TaskId): ProcessTask {
    const known = this.#tasks.get(id);
    if (known !== undefined) return known;
    const task = new ProcessTask(id, taskFolder(this.#stateFolder, id), this.#host);
    this.#tasks.set(id, task);
    return task;
  }

  #plan(task: AssignedTask, context: TaskContext): LaunchPlan {
    const { images, networkNamespaceOf, nameserver } = this.#options;
    return planLaunch(task, context, {
      image: images?.get(task.template.container?.image ?? ''),
      userFiles: { passwd: readText('/etc/passwd'), group: readText('/etc/group') },
      networkNamespace: networkNamespaceOf?.(task),
      nameserver: nameserver ?? NAMESERVER,
      environment: process.env,
      volumeFolder: (name) => join(this.#stateFolder, 'volumes', volumeName(name)),
      anonymousFolder: (index) =>
        join(taskFolder(this.#stateFolder, task.id), 'volumes', String(index)),
    });
  }

  #hostPorts(task: AssignedTask): { hostPorts?: readonly AllocatedPort[] } {
    const ports = task.ports.filter(({ publishMode }) => publishMode === 'host');
    if (ports.length === 0) return {};
    return { hostPorts: this.#options.hostPorts?.(task) ?? ports };
  }
}

function volumeName(name: string): string {
  if (/^[a-zA-Z0-9][\w.-]*$/.test(name)) return name;
  const text = `volume name '${name}': letters, digits, '_', '.' and '-' only`;
  throw new SkepError('invalid-argument', text);
}

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}
