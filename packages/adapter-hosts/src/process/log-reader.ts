/**
 * Reads what a task printed, line by line, with the time of each line.
 */
import type { LogLine, LogQuery, LogStream } from '../task/log-lines.js';
import { pause } from '../task/abort.js';
import { readMarks, readRange, size, type LogMark } from './log-file.js';

/** A reader that follows looks this often. */
const FOLLOW_MS = 200;
/** At most so much is held in memory at a time. */
const CHUNK_BYTES = 1 << 20;
/** A longer line is handed out in pieces, as the engine does with 16 KiB. */
const LINE_BYTES_MAX = 1 << 16;

const STREAMS: readonly LogStream[] = ['stdout', 'stderr'];

/** A stream that is being read. */
interface Cursor {
  readonly stream: LogStream;
  at: number;
  /** The beginning of a line that has not ended yet. */
  rest: Buffer;
  /** The text begins in the middle of a line, as older parts were cut off. */
  skipsFirst: boolean;
}

/** The lines of a query; `hasEnded` says whether the task prints nothing any more. */
export async function* readLog(
  folder: string,
  query: LogQuery,
  hasEnded: () => boolean,
): AsyncGenerator<LogLine> {
  const cursors = startOf(folder, query);
  const since = query.since ?? 0;
  for await (const line of lastOf(query.tail, readAll(folder, cursors, !isFollowing(query)))) {
    if (line.time >= since) yield line;
  }
  while (isFollowing(query)) {
    // Asked first: what was printed before the end is read after it.
    const isLast = hasEnded();
    yield* readAll(folder, cursors, isLast);
    if (isLast) return;
    await pause(FOLLOW_MS);
  }
}

function isFollowing({ follow = false, signal }: LogQuery): boolean {
  return follow && signal?.aborted !== true;
}

/** Where to begin: at the last mark before `since`, so that little is read in vain. */
function startOf(folder: string, { since, streams = STREAMS }: LogQuery): readonly Cursor[] {
  const marks = readMarks(folder);
  const first = marks[0];
  const from = since === undefined ? first : (marks.findLast(({ time }) => time < since) ?? first);
  return STREAMS.filter((stream) => streams.includes(stream)).map((stream) => ({
    stream,
    at: from?.[stream] ?? 0,
    rest: Buffer.alloc(0),
    skipsFirst: from === first && (first?.[stream] ?? 0) > 0,
  }));
}

/** Everything up to now, in the order of the marks: at the same mark, stdout comes first. */
async function* readAll(
  folder: string,
  cursors: readonly Cursor[],
  isLast: boolean,
): AsyncGenerator<LogLine> {
  const now = Date.now();
  const end: LogMark = {
    time: now,
    stdout: size(folder, 'stdout'),
    stderr: size(folder, 'stderr'),
  };
  const marks = [...readMarks(folder), end];
  for (const [index, mark] of marks.entries()) {
    const isEnd = index === marks.length - 1;
    for (const cursor of cursors) {
      yield* readTo(folder, cursor, {
        to: Math.min(mark[cursor.stream], end[cursor.stream]),
        time: mark.time,
      });
      if (isEnd && isLast && cursor.rest.length > 0) {
        yield { time: mark.time, stream: cursor.stream, text: cursor.rest.toString('utf8') };
        cursor.rest = Buffer.alloc(0);
      }
    }
    if (index % 64 === 63) await Promise.resolve();
  }
}

function* readTo(
  folder: string,
  cursor: Cursor,
  { to, time }: { readonly to: number; readonly time: number },
): Generator<LogLine> {
  while (cursor.at < to) {
    const upTo = Math.min(to, cursor.at + CHUNK_BYTES);
    const read = readRange(folder, cursor.stream, { from: cursor.at, to: upTo });
    if (read.length === 0) return;
    cursor.at += read.length;
    let text = cursor.rest.length === 0 ? read : Buffer.concat([cursor.rest, read]);
    for (let at = text.indexOf(10); at >= 0; at = text.indexOf(10)) {
      if (!cursor.skipsFirst) {
        yield { time, stream: cursor.stream, text: text.subarray(0, at).toString('utf8') };
      }
      cursor.skipsFirst = false;
      text = text.subarray(at + 1);
    }
    if (text.length > LINE_BYTES_MAX) {
      yield { time, stream: cursor.stream, text: text.toString('utf8') };
      text = Buffer.alloc(0);
    }
    cursor.rest = text;
  }
}

/** The last lines, so many; all without a number. */
async function* lastOf(
  count: number | undefined,
  lines: AsyncIterable<LogLine>,
): AsyncGenerator<LogLine> {
  if (count === undefined) {
    yield* lines;
    return;
  }
  const last: LogLine[] = [];
  for await (const line of lines) {
    last.push(line);
    if (last.length > count) last.shift();
  }
  yield* last;
}
