/**
 * What /proc says about processes. A process is known by its pid and the time of its start, so that
 * another one that was given the same pid is never taken for it.
 *
 * **Source:** proc(5), /proc/PID/stat.
 */
import { readFileSync } from 'node:fs';

/** A process, as it is told apart from all that had, and will have, its pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to its start. */
  readonly startTime: string;
}

const START_TIME_FIELD = 22;
const STATE_FIELD = 3;

/** State and start of a process from its stat line; undefined when the text is no such line. */
export function parseStat(text: string): { state: string; startTime: string } | undefined {
  // The name of the program is in parentheses, and may hold anything, also parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields[STATE_FIELD - 3];
  const startTime = fields[START_TIME_FIELD - 3];
  return state === undefined || startTime === undefined ? undefined : { state, startTime };
}

/** The process that has this pid now; undefined when there is none, or only its exit code. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  if (stat === undefined || !isAlive({ pid, startTime: stat.startTime })) return undefined;
  return { pid, startTime: stat.startTime };
}

/** Whether it runs: it is there, it is the same one, and more than its exit code is left of it. */
export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  const stat = readStat(pid);
  return stat?.startTime === startTime && stat.state !== 'Z' && stat.state !== 'X';
}

/** Sends a signal to exactly this process; false when it is gone. */
export function sendSignal(identity: ProcessIdentity, signal: number): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Changes with every start of the machine. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function readStat(pid: number): ReturnType<typeof parseStat> {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}
