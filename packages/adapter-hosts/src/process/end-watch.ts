/**
 * Notices the end of a task without asking again and again: its supervisor holds the pipe `alive`
 * open, and the kernel says so when it does not any more, however it ended.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { pause } from '../task/abort.js';
import { isAlive } from './proc.js';
import { FILES, readExitCode, type TaskProcesses } from './task-folder.js';

/** Should a notice be lost, the process is looked at this often. */
const LOOK_AGAIN_MS = 5_000;
const POLL_FIRST_MS = 5;
const POLL_LAST_MS = 500;
/** The supervisor has this long to write what was printed last, and the exit code. */
const EXIT_CODE_MS = 3_000;
const POLL_MS = 10;

/** A watch over one task. */
export interface EndWatch {
  /** Resolves when nothing of the task runs, and its exit code is written if it ever will be. */
  readonly ended: Promise<void>;
  /** Gives the watch up; `ended` then never resolves. */
  close(): void;
}

/** Watches a task that was started. */
export function watchEnd(folder: string, { first }: TaskProcesses): EndWatch {
  let isClosed = false;
  let socket: Socket | undefined;
  let timer: NodeJS.Timeout | undefined;
  const noticed = new Promise<void>((resolve) => {
    if (!isAlive(first)) {
      resolve();
      return;
    }
    socket = openPipe(join(folder, FILES.alive));
    socket?.once('close', () => resolve());
    timer = setInterval(() => {
      if (!isAlive(first)) resolve();
    }, LOOK_AGAIN_MS);
    timer.unref();
  });
  const release = (): void => {
    clearInterval(timer);
    socket?.destroy();
  };
  const ended = noticed.then(async () => {
    release();
    // The supervisor itself may have been killed: the task runs on, and is looked at in turns.
    for (let ms = POLL_FIRST_MS; isAlive(first) && !isClosed; ms = Math.min(ms * 2, POLL_LAST_MS)) {
      await pause(ms);
    }
    for (let left = EXIT_CODE_MS; left > 0 && !isClosed; left -= POLL_MS) {
      if (readExitCode(folder) !== undefined && !hasSupervisor(folder)) break;
      await pause(POLL_MS);
    }
    if (isClosed) await new Promise<never>(() => undefined);
  });
  return {
    ended,
    close: () => {
      isClosed = true;
      release();
    },
  };
}

function openPipe(path: string): Socket | undefined {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const socket = new Socket({ fd, readable: true, writable: false });
    socket.on('error', () => undefined);
    socket.resume();
    return socket;
  } catch {
    // Without the pipe, the timer notices.
    return undefined;
  }
}

/**
 * Whether a supervisor of the task is still there, also one that has nothing to watch over yet, or
 * any more: a pipe that nobody reads cannot be opened for writing.
 */
export function hasSupervisor(folder: string): boolean {
  try {
    closeSync(openSync(join(folder, FILES.alive), constants.O_WRONLY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}
