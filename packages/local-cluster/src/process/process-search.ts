/**
 * Finds the processes of a cluster on this machine by how they were started: their last two words
 * are the role and a file in the cluster's folder. So they are found also when everything that was
 * written down about them is lost.
 *
 * **Source:** proc(5), /proc/PID/cmdline.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { identityOf, type ProcessIdentity } from '@skep/adapter-hosts';
import { SETTINGS_FILE } from '../place.js';

/** What a process of a cluster does. */
export type ProcessRole = 'supervisor' | 'manager' | 'agent';
/** All roles. */
export const PROCESS_ROLES = ['supervisor', 'manager', 'agent'] as const;

/** A process of a cluster that runs. */
export interface FoundProcess extends ProcessIdentity {
  readonly role: ProcessRole;
  /** The file that it was started with. */
  readonly file: string;
  /** All its words. */
  readonly command: readonly string[];
}

/** Processes of skep on this machine, oldest first. Cost: a look at every process there is. */
export function findProcesses(): readonly FoundProcess[] {
  const found: FoundProcess[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const command = wordsOf(Number(name));
    const role = PROCESS_ROLES.find((one) => one === command.at(-2));
    const file = command.at(-1);
    if (role === undefined || file?.endsWith('.json') !== true) continue;
    const identity = identityOf(Number(name));
    if (identity !== undefined) found.push({ ...identity, role, file, command });
  }
  const files = new Map(found.map(({ pid, file }) => [pid, file]));
  return found.filter(({ pid, file }) => files.get(parentOf(pid)) !== file).sort(byAge);
}

/** Those of the cluster in this folder. */
export function processesIn(
  folder: string,
  processes: readonly FoundProcess[] = findProcesses(),
): readonly FoundProcess[] {
  return processes.filter(({ file }) => file.startsWith(`${folder}/`));
}

/** Folders of clusters of this name in which a supervisor runs. */
export function foldersOf(
  cluster: string,
  processes: readonly FoundProcess[] = findProcesses(),
): readonly string[] {
  const files = processes.flatMap(({ role, file }) => (role === 'supervisor' ? [file] : []));
  const folders = files
    .filter((file) => basename(file) === SETTINGS_FILE)
    .map((file) => dirname(file))
    .filter((folder) => basename(folder) === cluster);
  return [...new Set(folders)].sort();
}

function wordsOf(pid: number): readonly string[] {
  try {
    // A process that has ended, or one of the kernel, has no words.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

/** A child has the words of its parent until it becomes another program. */
function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return 0;
  }
}

function byAge(a: ProcessIdentity, b: ProcessIdentity): number {
  return Number(a.startTime) - Number(b.startTime) || a.pid - b.pid;
}
