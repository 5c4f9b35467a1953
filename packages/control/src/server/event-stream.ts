/**
 * Server-sent events: what goes on for a while, at the pace of who reads it.
 *
 * **Source:** HTML Living Standard, "Server-sent events", for the format.
 */
import type { Clock, Timer } from '@skep/api';
import { errorBody } from '../wire-error.js';

/** One event. */
export interface ServerEvent {
  readonly event: string;
  readonly data: unknown;
  readonly id?: number;
}

/** What a stream is made from. */
export interface EventStreamOptions {
  /** What is told; it ends when the signal fires. It is asked for as it is read. */
  readonly events: (signal: AbortSignal) => AsyncIterable<ServerEvent>;
  /** Fires when the server stops, with the error that the reader is told then. */
  readonly stopping: AbortSignal;
  readonly clock: Clock;
  /** A comment is sent after so long without an event, so that a reader knows that all is well. */
  readonly keepAliveMs: number;
  /** Told what ended a stream but its own end. */
  readonly failed: (thrown: unknown) => void;
}

/** Characters that are read ahead for one reader; at least one event, however long. */
export const READ_AHEAD = 64 * 1024;

const encoder = new TextEncoder();

/**
 * The body of a response. Its last event is `end` when all was told, `error` with a code otherwise;
 * a body that ends without either was cut off. Reads {@link READ_AHEAD} ahead of its reader, so
 * that many small events travel together.
 */
export function eventStream(options: EventStreamOptions): ReadableStream<Uint8Array> {
  const { stopping, clock, keepAliveMs } = options;
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  const events = options.events(abort.signal)[Symbol.asyncIterator]();
  const frames = new Frames();
  let timer: Timer | undefined;
  const over = (): void => {
    timer?.cancel();
    stopping.removeEventListener('abort', stop);
    abort.abort();
    frames.stop();
  };
  if (stopping.aborted) stop();
  else stopping.addEventListener('abort', stop, { once: true });
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        const keepAlive = (): void => {
          // A reader that does not read needs no sign of life.
          if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(': alive\n\n'));
          timer = clock.schedule(clock.now() + keepAliveMs, keepAlive, { isPeriodic: true });
        };
        timer = clock.schedule(clock.now() + keepAliveMs, keepAlive, { isPeriodic: true });
        void fill(frames, events, options);
      },
      pull: async (controller) => {
        const { text, isLast } = await frames.take();
        if (isLast) over();
        if (text !== '') controller.enqueue(encoder.encode(text));
        if (isLast) controller.close();
      },
      cancel: async () => {
        over();
        await events.return?.();
      },
    },
    { highWaterMark: 1 },
  );
}

/** Reads events as long as there is room for them. */
async function fill(
  frames: Frames,
  events: AsyncIterator<ServerEvent>,
  options: EventStreamOptions,
): Promise<void> {
  for (;;) {
    const { frame, isLast } = await nextFrame(events, options);
    if (!(await frames.put(frame, isLast)) || isLast) return;
  }
}

/** Frames that wait for their reader. */
class Frames {
  #texts: string[] = [];
  #length = 0;
  #isLast = false;
  #isStopped = false;
  #reader: (() => void) | undefined;
  #writer: (() => void) | undefined;

  /** Resolves when there is room for another; with false when nobody reads any more. */
  async put(frame: string, isLast: boolean): Promise<boolean> {
    if (this.#isStopped) return false;
    this.#texts.push(frame);
    this.#length += frame.length;
    this.#isLast = isLast;
    this.#reader?.();
    if (this.#length >= READ_AHEAD) await new Promise<void>((resume) => (this.#writer = resume));
    return !this.#isStopped;
  }

  /** Everything that waits; waits itself for the first. */
  async take(): Promise<{ readonly text: string; readonly isLast: boolean }> {
    if (this.#length === 0 && !this.#isStopped) {
      await new Promise<void>((resume) => (this.#reader = resume));
    }
    const text = this.#texts.join('');
    this.#texts = [];
    this.#length = 0;
    this.#reader = undefined;
    this.#writer?.();
    this.#writer = undefined;
    return { text, isLast: this.#isLast };
  }

  /** Nobody reads any more. */
  stop(): void {
    this.#isStopped = true;
    this.#reader?.();
    this.#writer?.();
  }
}

async function nextFrame(
  events: AsyncIterator<ServerEvent>,
  { stopping, failed }: EventStreamOptions,
): Promise<{ readonly frame: string; readonly isLast: boolean }> {
  try {
    const result = await events.next();
    if (result.done !== true) return { frame: frameOf(result.value), isLast: false };
    if (!stopping.aborted) return { frame: frameOf({ event: 'end', data: {} }), isLast: true };
    return { frame: frameOf(errorEvent(stopping.reason)), isLast: true };
  } catch (thrown) {
    failed(thrown);
    return { frame: frameOf(errorEvent(thrown)), isLast: true };
  }
}

function errorEvent(thrown: unknown): ServerEvent {
  return { event: 'error', data: errorBody(thrown) };
}

/** JSON has no line breaks of its own, so the data is one line. */
function frameOf({ event, data, id }: ServerEvent): string {
  const number = id === undefined ? '' : `id: ${id}\n`;
  return `event: ${event}\n${number}data: ${JSON.stringify(data)}\n\n`;
}
