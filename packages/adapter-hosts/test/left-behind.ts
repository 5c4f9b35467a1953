/**
 * What a test could leave on this machine, to be compared before and after.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Everything that runtimes create, by kind. */
export interface Traces {
  /** Pids of processes that mention the mark, in their command or by an open file. */
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly files: readonly string[];
}

/** What a test that uses the folder `folder`, and no other, has left. */
export function tracesOf(folder: string): Traces {
  return {
    processes: pids().filter((pid) => mentions(pid, folder)),
    mounts: read('/proc/self/mountinfo')
      .split('\n')
      .filter((line) => line.includes(folder)),
    cgroups: ['memory', 'cpu', 'pids', ''].flatMap((name) => groupsOf(name, folder)),
    files: existsSync(folder) ? readdirSync(folder) : [],
  };
}

/** Pids of the processes that have this file open. */
export function holdersOf(path: string): readonly number[] {
  return pids()
    .filter((pid) => openFiles(pid).includes(path))
    .map(Number);
}

function pids(): readonly string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

function openFiles(pid: string): readonly string[] {
  return entries(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
}

function mentions(pid: string, folder: string): boolean {
  if (read(`/proc/${pid}/cmdline`).includes(folder)) return true;
  return openFiles(pid).some((path) => path.includes(folder));
}

/** The runtime names its groups by a hash of its folder. */
function groupsOf(controller: string, folder: string): readonly string[] {
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  const group = join('/sys/fs/cgroup', controller, 'skep', hash);
  return existsSync(group) ? [group] : [];
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
