/**
 * What a supervisor does next, as a pure decision: start what is wanted and does not run, with a
 * pause that grows while it keeps ending; stop what runs and is not wanted, or not like this.
 */

/** A process that is to run. */
export interface WantedProcess {
  /** `manager`, `agent-node1`: one process at a time has it. */
  readonly key: string;
  /** Its settings; another file means that it is to be started anew. */
  readonly file: string;
}

/** What the supervisor knows of a process. Times in ms. */
export interface ProcessHistory {
  /** The file that it runs with; undefined when it does not run. */
  readonly runningFile?: string;
  /** When it was started, or first seen. */
  readonly since?: number;
  /** When it was asked to end. */
  readonly stopSince?: number;
  /** Ends in a row, each soon after its start. */
  readonly failures: number;
  /** Not to be started before. */
  readonly notBefore: number;
  readonly restarts: number;
  /** How it last ended by itself. */
  readonly lastExit?: string;
}

/** What a process that was never seen is like. */
export const NO_HISTORY: ProcessHistory = Object.freeze({ failures: 0, notBefore: 0, restarts: 0 });

/** What is to be done with a process. */
export interface SupervisionStep {
  readonly type: 'start' | 'stop' | 'kill';
  readonly key: string;
  /** For `start`. */
  readonly file?: string;
}

/** Who ran so long is taken to have been well. */
const STABLE_MS = 30_000;
/** Pause before the second start; each further one is twice as long. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** Who was asked to end and is still there after this is killed. */
export const STOP_GRACE_MS = 10_000;

/**
 * What to do now, in the order in which processes are wanted. `wakeAt` is when the next step is due
 * without any event; undefined: never.
 */
export function planSupervision(
  wanted: readonly WantedProcess[],
  histories: ReadonlyMap<string, ProcessHistory>,
  now: number,
): { readonly steps: readonly SupervisionStep[]; readonly wakeAt: number | undefined } {
  const files = new Map(wanted.map(({ key, file }) => [key, file]));
  const keys = [...new Set([...files.keys(), ...[...histories.keys()].sort()])];
  const steps: SupervisionStep[] = [];
  const times: number[] = [];
  for (const key of keys) {
    const file = files.get(key);
    const { runningFile, stopSince, notBefore } = histories.get(key) ?? NO_HISTORY;
    if (runningFile === undefined) {
      if (file === undefined) continue;
      if (notBefore <= now) steps.push({ type: 'start', key, file });
      else times.push(notBefore);
    } else if (stopSince !== undefined) {
      if (stopSince + STOP_GRACE_MS <= now) steps.push({ type: 'kill', key });
      else times.push(stopSince + STOP_GRACE_MS);
    } else if (runningFile !== file) {
      steps.push({ type: 'stop', key });
    }
  }
  return { steps, wakeAt: times.length === 0 ? undefined : Math.min(...times) };
}

/** It was started, or found running. */
export function afterStart(history: ProcessHistory, file: string, now: number): ProcessHistory {
  const { stopSince: _, ...rest } = history;
  return { ...rest, runningFile: file, since: now };
}

/** It was asked to end. */
export function afterStop(history: ProcessHistory, now: number): ProcessHistory {
  return { ...history, stopSince: now };
}

/** It has ended; `exit` says how, for people. */
export function afterExit(history: ProcessHistory, exit: string, now: number): ProcessHistory {
  const { runningFile: _, since = now, stopSince, ...rest } = history;
  // Who was asked to end did what it was told.
  if (stopSince !== undefined) return { ...rest, failures: 0, notBefore: now };
  const failures = now - since >= STABLE_MS ? 1 : history.failures + 1;
  const notBefore = now + pauseMs(failures);
  return { ...rest, failures, notBefore, restarts: history.restarts + 1, lastExit: exit };
}

/** Pause before a start after so many failures in a row: none after the first. */
export function pauseMs(failures: number): number {
  if (failures <= 1) return 0;
  return Math.min(FIRST_PAUSE_MS * 2 ** (failures - 2), LONGEST_PAUSE_MS);
}
