/**
 * Tasks whose network namespaces somebody else makes: a container engine. Their names are given to
 * what is there, instead of being made; before that, nothing of such a task is programmed.
 *
 * **Source:** ip-netns(8): `add`, `attach`; namespaces(7) for the number of one.
 */
import { stat } from 'node:fs/promises';
import { SkepError, type TaskId } from '@skep/api';
import { taskNamespace, type TableContent } from '@skep/network';
import {
  namespacePath,
  type CommandRunner,
  type NamespaceCommand,
} from '../namespace/command-runner.js';

/** A process and its network namespace; another process of that number has another one. */
interface Adopted {
  readonly pid: number;
  readonly inode: number;
}

/** The line that would make a namespace, in what `ip -batch` reads. */
const ADD = /^netns add (\S+)$/gm;

/** What is known of the namespaces that were not made by us. */
export class AdoptedTasks {
  readonly #prefix: string;
  /** By name of the namespace; undefined: it has its name, and nobody knows of which process. */
  readonly #adopted = new Map<string, Adopted | undefined>();

  /** `prefix`: what the names of the node's namespaces begin with. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /**
   * From now on the namespace of the process is the task's.
   * @throws unavailable when the process is gone; failed-precondition when it is in our namespace.
   */
  async add(taskId: TaskId, pid: number): Promise<void> {
    const inode = await inodeOf(`/proc/${pid}/ns/net`);
    if (inode === undefined) {
      throw new SkepError('unavailable', `process ${pid} of task ${taskId} is gone`);
    }
    if (inode === (await inodeOf('/proc/self/ns/net'))) {
      const text = `process ${pid} of task ${taskId} has no network namespace of its own`;
      throw new SkepError('failed-precondition', text, { details: { taskId, pid } });
    }
    this.#adopted.set(this.#nameOf(taskId), { pid, inode });
  }

  /** Whether the name of the task's namespace stands for the one that was adopted. */
  async isNamed(taskId: TaskId): Promise<boolean> {
    const name = this.#nameOf(taskId);
    const inode = this.#adopted.get(name)?.inode;
    return inode !== undefined && (await inodeOf(namespacePath(name))) === inode;
  }

  /** Takes over what was adopted by an earlier agent: what has its name. */
  takeOver(names: Iterable<string>): void {
    for (const name of names) {
      if (!this.#adopted.has(name)) this.#adopted.set(name, undefined);
    }
  }

  /** The tables without the tasks whose namespaces nobody has made yet. */
  visible<T extends TableContent>(tables: T): T {
    let { tasks } = tables;
    for (const taskId of tables.tasks.keys()) {
      if (!this.#adopted.has(this.#nameOf(taskId))) tasks = tasks.without(taskId);
    }
    return tasks === tables.tasks ? tables : { ...tables, tasks };
  }

  /** Forgets the tasks that these tables do not have. */
  keepOnly(tables: TableContent): void {
    const names = new Set(tables.tasks.keys().map((taskId) => this.#nameOf(taskId)));
    for (const name of this.#adopted.keys()) if (!names.has(name)) this.#adopted.delete(name);
  }

  /** A runner that names a namespace that was adopted where a command would make one. */
  over(run: CommandRunner): CommandRunner {
    return async (commands, options) => {
      const changed = await Promise.all(commands.map((command) => this.#changed(command)));
      return run(changed, options);
    };
  }

  async #changed(command: NamespaceCommand): Promise<NamespaceCommand> {
    const { input } = command;
    if (command.command[0] !== 'ip' || input?.includes('netns add ') !== true) return command;
    const living = new Map<string, number>();
    for (const [, name = ''] of input.matchAll(ADD)) {
      const adopted = this.#adopted.get(name);
      const inode = adopted && (await inodeOf(`/proc/${adopted.pid}/ns/net`));
      // Of a process that is gone the rest of its tables may well be in a new namespace.
      if (adopted !== undefined && inode === adopted.inode) living.set(name, adopted.pid);
    }
    if (living.size === 0) return command;
    const attached = input.replace(ADD, (line, name: string) => {
      const pid = living.get(name);
      return pid === undefined ? line : `netns attach ${name} ${pid}`;
    });
    return { ...command, input: attached };
  }

  #nameOf(taskId: TaskId): string {
    return taskNamespace(this.#prefix, taskId).name;
  }
}

async function inodeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.ino;
}
