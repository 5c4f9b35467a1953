/**
 * Keeps logs of processes small. They are written by the processes themselves, which outlive who
 * started them, to files that are opened for appending: so a file is copied and emptied, and what
 * is written in between is lost, a line or two of a megabyte.
 */
import { copyFileSync, renameSync, statSync, truncateSync } from 'node:fs';

/** When a log is put aside, and how many are kept of it. */
export interface LogLimits {
  /** Default: 10 MiB. */
  readonly bytesMax?: number;
  /** Older files beside the newest: `NAME.1`, `NAME.2`. Default: 3; at least 1. */
  readonly filesMax?: number;
}

const BYTES_MAX = 10 * 2 ** 20;
const FILES_MAX = 3;

/** Puts a log aside when it is too large; false when it is not, or not there. */
export function rotateLog(path: string, limits: LogLimits = {}): boolean {
  const { bytesMax = BYTES_MAX, filesMax = FILES_MAX } = limits;
  if (sizeOf(path) <= bytesMax) return false;
  for (let number = filesMax - 1; number >= 1; number -= 1) {
    if (sizeOf(`${path}.${number}`) >= 0) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
  }
  try {
    copyFileSync(path, `${path}.1`);
  } finally {
    // A full disk costs what was written, never the disk.
    truncateSync(path);
  }
  return true;
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return -1;
  }
}
