/**
 * What several tasks printed, as one answer to a question.
 */
import {
  isSkepError,
  LOG_TEXT_MAX,
  messageOf,
  type LogAnswer,
  type LogFault,
  type LogLine,
  type LogQuestion,
  type TaskId,
} from '@skep/api';
import type { TaskLogs } from './contract.js';

/** Why a reader ended, or the line that it stands at. */
type Head =
  | { readonly type: 'line'; readonly line: LogLine }
  | { readonly type: 'fault'; readonly error: unknown }
  | { readonly type: 'end' };

/** The lines of one task; it is never read further than one line ahead. */
interface Reader {
  readonly taskId: TaskId;
  readonly lines: AsyncIterator<LogLine>;
  readonly abort: AbortController;
}

/**
 * The lines of the tasks of a question: in the order of their times, and of the tasks as they were
 * named at the same time; while it follows, in the order in which they come. A task that cannot be
 * read is a fault, and the others go on. It ends with the last task, or when `signal` fires.
 *
 * Memory: a line for each task.
 */
export async function* taskLines(
  source: TaskLogs,
  { taskIds, tail, since, follow = false, streams }: LogQuestion,
  signal: AbortSignal,
): AsyncGenerator<LogAnswer | LogFault, undefined> {
  const query = {
    follow,
    ...(tail === undefined ? {} : { tail }),
    ...(since === undefined ? {} : { since }),
    ...(streams === undefined ? {} : { streams }),
  };
  // A signal for each, as one that many listen to makes Node warn of a leak.
  const readers = [...new Set(taskIds)].map((taskId): Reader => {
    const abort = new AbortController();
    const lines = source.logs(taskId, { ...query, signal: abort.signal });
    return { taskId, lines: lines[Symbol.asyncIterator](), abort };
  });
  const leave = (): void => {
    for (const { abort } of readers) abort.abort();
  };
  signal.addEventListener('abort', leave, { once: true });
  try {
    if (!signal.aborted) yield* follow ? asTheyCome(readers, signal) : byTime(readers, signal);
  } finally {
    signal.removeEventListener('abort', leave);
    leave();
    // Nobody waits for a source that does not let go.
    for (const { lines } of readers) lines.return?.().catch(() => undefined);
  }
}

async function* byTime(
  readers: readonly Reader[],
  signal: AbortSignal,
): AsyncGenerator<LogAnswer | LogFault, undefined> {
  const heads = new Map<Reader, LogLine>();
  const faults: (readonly [Reader, unknown])[] = [];
  const advance = async (reader: Reader): Promise<void> => {
    const head = await read(reader);
    heads.delete(reader);
    if (head.type === 'line') heads.set(reader, head.line);
    else if (head.type === 'fault') faults.push([reader, head.error]);
  };
  await Promise.all(readers.map(advance));
  while (!signal.aborted) {
    for (const [reader, error] of faults.splice(0)) yield faultOf(reader, error);
    // In the order of the question, so that the first of equal times wins.
    const first = readers.reduce<Reader | undefined>((best, reader) => {
      const time = heads.get(reader)?.time;
      if (time === undefined) return best;
      return best === undefined || time < (heads.get(best)?.time ?? 0) ? reader : best;
    }, undefined);
    const line = first && heads.get(first);
    if (first === undefined || line === undefined) return;
    yield* answersOf(first, line);
    await advance(first);
  }
}

async function* asTheyCome(
  readers: readonly Reader[],
  signal: AbortSignal,
): AsyncGenerator<LogAnswer | LogFault, undefined> {
  const come: (readonly [Reader, Head])[] = [];
  let wake: () => void = () => undefined;
  const advance = (reader: Reader): void => {
    void read(reader).then((head) => {
      come.push([reader, head]);
      wake();
    });
  };
  for (const reader of readers) advance(reader);
  const left = (): void => wake();
  signal.addEventListener('abort', left, { once: true });
  let open = readers.length;
  try {
    while (open > 0 && !signal.aborted) {
      const next = come.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      const [reader, head] = next;
      if (head.type !== 'line') open -= 1;
      if (head.type === 'fault') yield faultOf(reader, head.error);
      if (head.type !== 'line') continue;
      yield* answersOf(reader, head.line);
      advance(reader);
    }
  } finally {
    signal.removeEventListener('abort', left);
  }
}

/** Never rejects. */
async function read({ lines }: Reader): Promise<Head> {
  try {
    const next = await lines.next();
    return next.done === true ? { type: 'end' } : { type: 'line', line: next.value };
  } catch (error) {
    return { type: 'fault', error };
  }
}

/** A long line in pieces. */
function* answersOf({ taskId }: Reader, line: LogLine): Generator<LogAnswer> {
  const { time, stream, text } = line;
  let from = 0;
  do {
    const piece = text.slice(from, from + LOG_TEXT_MAX);
    from += LOG_TEXT_MAX;
    yield { type: 'line', taskId, time, stream, text: piece };
  } while (from < text.length);
}

function faultOf({ taskId }: Reader, error: unknown): LogFault {
  const code = isSkepError(error) ? error.code : 'internal';
  return { type: 'fault', taskId, code, message: messageOf(error) };
}
