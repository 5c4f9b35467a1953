/**
 * Ends processes by who they are: never one that was given the pid of another.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { constants } from 'node:os';
import { isAlive, sendSignal, type ProcessIdentity } from '@skep/adapter-hosts';

const LOOK_MS = 20;
/** Processes that were killed and are still there wait for a device. */
const KILL_WAIT_MS = 5_000;
const { SIGTERM, SIGKILL } = constants.signals;

/** Waits until all have ended; gives those that have not in time. */
export async function waitForEnd<P extends ProcessIdentity>(
  processes: readonly P[],
  timeoutMs: number,
): Promise<readonly P[]> {
  const until = performance.now() + timeoutMs;
  let left = processes.filter(isAlive);
  while (left.length > 0 && performance.now() < until) {
    await pause(LOOK_MS);
    left = left.filter(isAlive);
  }
  return left;
}

/**
 * Asks the processes to end, and kills those that have not after the grace. Gives those that are
 * there even then.
 */
export async function endProcesses<P extends ProcessIdentity>(
  processes: readonly P[],
  graceMs: number,
): Promise<readonly P[]> {
  for (const one of processes) sendSignal(one, SIGTERM);
  return killProcesses(await waitForEnd(processes, graceMs));
}

/** Kills the processes. Gives those that are there even then. */
export async function killProcesses<P extends ProcessIdentity>(
  processes: readonly P[],
): Promise<readonly P[]> {
  for (const one of processes) sendSignal(one, SIGKILL);
  return waitForEnd(processes, KILL_WAIT_MS);
}
