/**
 * CPU time of processes with all that they started, from /proc.
 *
 * **Source:** proc(5), /proc/PID/stat: fields 14 to 17 are the process's own time and that of
 * children that it has waited for.
 */
import { readdirSync, readFileSync } from 'node:fs';

const TICK_MS = 10;

interface Entry {
  readonly parent: number;
  readonly cpuMs: number;
}

/**
 * CPU time so far, user and kernel, of the process and its descendants that live, with the children
 * that they waited for. What left the tree and still runs is counted if `mark` is in its command.
 */
export function treeCpuMs(root: number, mark?: string): number {
  const entries = new Map<number, Entry>();
  for (const name of readdirSync('/proc')) {
    const entry = /^\d+$/.test(name) ? read(name) : undefined;
    if (entry !== undefined) entries.set(Number(name), entry);
  }
  let sum = 0;
  for (const [pid, { cpuMs }] of entries) {
    if (isBelow(pid, root, entries) || (mark !== undefined && isMarked(pid, mark))) sum += cpuMs;
  }
  return sum;
}

function read(pid: string): Entry | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return { parent: Number(fields[1]), cpuMs: ticks * TICK_MS };
  } catch {
    return undefined;
  }
}

function isBelow(pid: number, root: number, entries: ReadonlyMap<number, Entry>): boolean {
  let at: number | undefined = pid;
  while (at !== undefined && at > 1) {
    if (at === root) return true;
    at = entries.get(at)?.parent;
  }
  return false;
}

function isMarked(pid: number, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
  } catch {
    return false;
  }
}
