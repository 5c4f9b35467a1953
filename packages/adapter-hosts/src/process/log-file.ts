/**
 * What a task printed, on disk: two files that only grow, and marks that say how long they were at
 * which time. The oldest part is cut out of the files by punching holes, so positions never
 * change, nothing is lost between copy and truncation, and no writer has to be told.
 *
 * Marks are lines `time stdout stderr`; the first one says where the kept text begins.
 */
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
} from 'node:fs';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogStream } from '../task/log-lines.js';
import { runCommand } from '../task/command.js';
import { FILES } from './task-folder.js';

/** How long both files were at a time. */
export interface LogMark {
  readonly time: number;
  readonly stdout: number;
  readonly stderr: number;
}

/** More marks than this are thinned out: times of old lines become less exact. */
const MARKS_MAX = 8_192;

/** The marks of a task, oldest first; one for the beginning when there are none. */
export function readMarks(folder: string): readonly LogMark[] {
  const path = join(folder, FILES.marks);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const marks = text
    .split('\n')
    .map((line) => line.split(' ').map(Number))
    // A line that was cut short by a crash or a full disk is no mark.
    .filter((words) => words.length === 3 && words.every((word) => Number.isSafeInteger(word)))
    .map(([time = 0, stdout = 0, stderr = 0]) => ({ time, stdout, stderr }));
  return marks.length === 0 ? [{ time: 0, stdout: 0, stderr: 0 }] : marks;
}

/** Adds a mark if anything was printed since the last one; returns the present sizes. */
export function markNow(folder: string, last: LogMark, now: number): LogMark {
  const mark: LogMark = {
    time: now,
    stdout: size(folder, 'stdout'),
    stderr: size(folder, 'stderr'),
  };
  if (mark.stdout === last.stdout && mark.stderr === last.stderr) return last;
  appendFileSync(join(folder, FILES.marks), `${now} ${mark.stdout} ${mark.stderr}\n`, {
    mode: 0o600,
  });
  return mark;
}

/**
 * Which marks stay when more than `bytesMax` is kept: those after which at most half of it was
 * printed. Undefined: nothing has to go. Pure.
 */
export function planCut(
  marks: readonly LogMark[],
  bytesMax: number,
): readonly LogMark[] | undefined {
  const [first] = marks;
  const last = marks.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const after = (mark: LogMark): number => last.stdout - mark.stdout + (last.stderr - mark.stderr);
  if (after(first) <= bytesMax) {
    return marks.length <= MARKS_MAX
      ? undefined
      : marks.filter((_, index) => index % 2 === 0 || index === marks.length - 1);
  }
  const from = marks.findIndex((mark) => after(mark) <= bytesMax / 2);
  if (from < marks.length - 1) return marks.slice(from);
  // All of it was printed since the last mark but one: cut within.
  const keep = (stream: LogStream): number =>
    Math.max(first[stream], last[stream] - Math.floor(bytesMax / 4));
  return [{ time: last.time, stdout: keep('stdout'), stderr: keep('stderr') }, last];
}

/** Cuts the logs of a task if they are too long. Resolves to whether they were cut. */
export async function cutLog(folder: string, bytesMax: number): Promise<boolean> {
  const kept = planCut(readMarks(folder), bytesMax);
  const [first] = kept ?? [];
  if (kept === undefined || first === undefined) return false;
  const lines = kept.map(({ time, stdout, stderr }) => `${time} ${stdout} ${stderr}\n`);
  // In one go: a mark that is set meanwhile would be lost.
  const path = join(folder, FILES.marks);
  writeFileSync(`${path}.new`, lines.join(''), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  for (const stream of ['stdout', 'stderr'] as const) {
    if (first[stream] === 0) continue;
    const range = ['--offset', '0', '--length', String(first[stream])];
    await runCommand('fallocate', ['--punch-hole', ...range, join(folder, stream)]);
  }
  return true;
}

/** Bytes of a stream from one position to another. */
export function readRange(
  folder: string,
  stream: LogStream,
  { from, to }: { readonly from: number; readonly to: number },
): Buffer {
  const buffer = Buffer.alloc(Math.max(0, to - from));
  const file = openSync(join(folder, FILES[stream]), 'r');
  try {
    let at = 0;
    while (at < buffer.length) {
      const read = readSync(file, buffer, at, buffer.length - at, from + at);
      if (read === 0) break;
      at += read;
    }
    return buffer.subarray(0, at);
  } finally {
    closeSync(file);
  }
}

/** How long a stream is, cut parts included. */
export function size(folder: string, stream: LogStream): number {
  try {
    return statSync(join(folder, FILES[stream])).size;
  } catch {
    return 0;
  }
}
