/**
 * What is on disk about a task. It outlives the agent: the next one reads here what runs.
 *
 * | file | written by | holds |
 * |---|---|---|
 * | `record.json` | runtime, atomically | what the runtime has to know to stop and to remove it |
 * | `alive` | – | a pipe that its supervisor holds open as long as it lives |
 * | `out.*`, `err.*` | – | pipes for what it prints |
 * | `process` | the task's first process, exclusively | pids and start times |
 * | `code` | the task's first process | exit code of the command |
 * | `exit` | supervisor, atomically | exit code, also of what was killed |
 * | `stdout`, `stderr`, `marks` | supervisor; runtime | what it printed, and when |
 * | `setup` | supervisor | what went wrong before the command ran |
 */
import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { SkepError, type TaskId } from '@skep/api';
import { isAlive, type ProcessIdentity } from './proc.js';

/** What the runtime keeps of a task. */
export interface TaskRecord {
  readonly version: 1;
  readonly taskId: TaskId;
  readonly name: string;
  readonly containerId: string;
  readonly bootId: string;
  readonly createdAt: number;
  readonly stopSignal: number;
  readonly stopGraceMs: number;
  readonly logBytesMax: number;
  readonly cgroupFolders: readonly string[];
  /** It passed its health check once, or has none: it counts as started. */
  readonly isHealthy?: boolean;
  /** It was stopped as it became unhealthy. */
  readonly isUnhealthy?: boolean;
}

/** The processes of a task that runs. */
export interface TaskProcesses {
  /** Process 1 of the task's namespace: when it is killed, all others are. */
  readonly first: ProcessIdentity;
  /** The command. */
  readonly command: ProcessIdentity;
}

/** Names in a task's folder. */
export const FILES = Object.freeze({
  record: 'record.json',
  alive: 'alive',
  out: 'out',
  err: 'err',
  process: 'process',
  exit: 'exit',
  code: 'code',
  stdout: 'stdout',
  stderr: 'stderr',
  marks: 'marks',
  setup: 'setup',
  root: 'root',
  fstab: 'fstab',
} as const);

/** The folder of a task. A task id is taken literally, so it must not lead out of the folder. */
export function taskFolder(stateFolder: string, taskId: TaskId): string {
  if (!/^[\w-][\w.-]*$/.test(taskId)) {
    throw new SkepError('invalid-argument', `task id '${taskId}' cannot be the name of a folder`);
  }
  return join(stateFolder, 'tasks', taskId);
}

/**
 * Writes a file so that it is either as before or whole, whatever happens meanwhile.
 * @throws unavailable when the disk does not take it
 */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.write(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (thrown) {
    const text = `${path} cannot be written: ${String(thrown)}`;
    throw new SkepError('unavailable', text, { details: { path }, cause: thrown });
  }
}

/** The record of a task; undefined when it was not prepared, or not to the end. */
export function readRecord(folder: string): TaskRecord | undefined {
  const text = readIfThere(join(folder, FILES.record));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as TaskRecord;
  } catch (thrown) {
    const path = join(folder, FILES.record);
    throw new SkepError('internal', `${path} is damaged: ${String(thrown)}; remove the folder`, {
      cause: thrown,
    });
  }
}

/** Replaces the record of a task. */
export async function writeRecord(folder: string, record: TaskRecord): Promise<void> {
  await writeAtomically(join(folder, FILES.record), `${JSON.stringify(record)}\n`);
}

/** The processes of a task, dead or alive; undefined when it was never started. */
export function readProcesses(folder: string): TaskProcesses | undefined {
  const words = (readIfThere(join(folder, FILES.process)) ?? '').trim().split(' ');
  const [first, firstStart, command, commandStart] = words;
  if (first === undefined || firstStart === undefined) return undefined;
  if (command === undefined || commandStart === undefined) return undefined;
  return {
    first: { pid: Number(first), startTime: firstStart },
    command: { pid: Number(command), startTime: commandStart },
  };
}

/** Whether anything of the task runs. After a restart of the machine nothing of it does. */
export function isRunning(record: TaskRecord, processes: TaskProcesses, bootId: string): boolean {
  return record.bootId === bootId && isAlive(processes.first);
}

/** The exit code that the supervisor wrote; undefined when the task runs, or ended without one. */
export function readExitCode(folder: string): number | undefined {
  const text = readIfThere(join(folder, FILES.exit))?.trim();
  return text === undefined || text === '' ? undefined : Number(text);
}

/** The text of a file; undefined when it is not there. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}
