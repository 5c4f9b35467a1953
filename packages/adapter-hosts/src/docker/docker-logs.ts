/**
 * What containers printed, from the engine's stream.
 *
 * **Source:** Docker Engine API v1.43, `ContainerAttach`, stream format: eight bytes before each
 * piece, the first is the stream, the last four its length.
 */
import type { LogLine, LogStream } from '../task/log-lines.js';

const HEADER_BYTES = 8;
const STDERR = 2;

/** The lines of an engine's log stream with time stamps; in one piece without headers for a tty. */
export async function* engineLogLines(
  pieces: AsyncIterable<Buffer>,
  hasTty: boolean,
): AsyncGenerator<LogLine> {
  let buffer: Buffer = Buffer.alloc(0);
  const rest: Record<LogStream, string> = { stdout: '', stderr: '' };
  for await (const piece of pieces) {
    buffer = buffer.length === 0 ? piece : Buffer.concat([buffer, piece]);
    if (hasTty) {
      yield* linesOf('stdout', buffer, rest);
      buffer = Buffer.alloc(0);
      continue;
    }
    while (buffer.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + buffer.readUInt32BE(4);
      if (buffer.length < end) break;
      const stream = buffer[0] === STDERR ? 'stderr' : 'stdout';
      yield* linesOf(stream, buffer.subarray(HEADER_BYTES, end), rest);
      buffer = buffer.subarray(end);
    }
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    if (rest[stream] !== '') yield lineOf(stream, rest[stream]);
  }
}

function* linesOf(
  stream: LogStream,
  piece: Buffer,
  rest: Record<LogStream, string>,
): Generator<LogLine> {
  const lines = (rest[stream] + piece.toString('utf8')).split('\n');
  rest[stream] = lines.pop() ?? '';
  for (const line of lines) yield lineOf(stream, line);
}

/** `2026-11-23T12:00:00.123456789Z text` */
function lineOf(stream: LogStream, line: string): LogLine {
  const at = line.indexOf(' ');
  const time = Date.parse(at < 0 ? line : line.slice(0, at));
  const text = at < 0 ? '' : line.slice(at + 1).replace(/\r$/, '');
  return { time: Number.isNaN(time) ? 0 : time, stream, text };
}
