/**
 * Requests of a client: sent, timed, understood.
 */
import { isSkepError, SkepError, type Clock } from '@skep/api';
import { errorOf } from '../wire-error.js';
import { readEvents } from './event-reader.js';
import type { ControlAnswer, ControlRequest, Transport } from './transport.js';

/** What a connection is made with. */
export interface ConnectionParts {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Longest wait for an answer that is one. */
  readonly timeoutMs: number;
  /** Longest silence of a stream: the server says something every 15 s. */
  readonly silenceMs: number;
}

/** A request without its signal. */
export type Question = Omit<ControlRequest, 'signal'>;

/** Asks a manager. */
export class Connection {
  readonly #parts: ConnectionParts;
  readonly #closed = new AbortController();

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  /** Asks for an answer that is JSON. */
  async json<Answer>(question: Question): Promise<Answer> {
    const text = await this.text(question);
    try {
      return JSON.parse(text) as Answer;
    } catch (cause) {
      const message = `the manager's answer to ${question.path} is no JSON`;
      throw new SkepError('internal', message, { cause });
    }
  }

  /** Asks for an answer that is text. */
  async text(question: Question): Promise<string> {
    const { transport, timeoutMs } = this.#parts;
    const abort = new AbortController();
    const watch = this.#deadline(abort, timeoutMs);
    try {
      const signal = AbortSignal.any([abort.signal, this.#closed.signal]);
      const answer = await transport({ ...question, signal });
      const text = await textOf(answer);
      if (answer.status < 300) return text;
      throw refusal(answer.status, text);
    } catch (thrown) {
      throw this.#meant(thrown, abort, `it did not answer ${question.path} within ${timeoutMs} ms`);
    } finally {
      watch.cancel();
    }
  }

  /**
   * Asks for a stream of events, and reads it until the server says that it is over, or the signal
   * fires. @throws what the server says; unavailable when it goes away, or is silent too long.
   */
  async *events(
    question: Question,
    leave: AbortSignal = new AbortController().signal,
  ): AsyncGenerator<unknown, void, undefined> {
    const { transport, silenceMs } = this.#parts;
    const abort = new AbortController();
    let watch = this.#deadline(abort, silenceMs);
    const heard = (): void => {
      watch.cancel();
      watch = this.#deadline(abort, silenceMs);
    };
    try {
      const signal = AbortSignal.any([abort.signal, this.#closed.signal, leave]);
      if (leave.aborted) return;
      const answer = await transport({ ...question, signal });
      if (answer.status >= 300) throw refusal(answer.status, await textOf(answer));
      for await (const { event, data } of readEvents(noted(answer.body, heard))) {
        if (event === 'end') return;
        const value = JSON.parse(data) as unknown;
        if (event === 'error') throw errorOf(value) ?? new SkepError('internal', data);
        // Whoever reads slowly does not have to answer for it.
        watch.cancel();
        yield value;
        heard();
      }
      throw new SkepError('unavailable', 'the manager went away in the middle of a stream');
    } catch (thrown) {
      if (leave.aborted) return;
      throw this.#meant(thrown, abort, `it says nothing for ${silenceMs} ms`);
    } finally {
      watch.cancel();
      abort.abort();
    }
  }

  /** Ends everything that is under way, and whatever is asked later. */
  close(): void {
    this.#closed.abort();
  }

  #deadline(abort: AbortController, afterMs: number): { cancel(): void } {
    const { clock } = this.#parts;
    const label = 'a manager that does not answer';
    const run = (): void => abort.abort(LATE);
    return clock.schedule(clock.now() + afterMs, run, { isPeriodic: true, label });
  }

  #meant(thrown: unknown, abort: AbortController, late: string): SkepError {
    if (this.#closed.signal.aborted) return new SkepError('aborted', 'the client was closed');
    if (abort.signal.reason === LATE) {
      return new SkepError('unavailable', `the manager hangs: ${late}`, { cause: thrown });
    }
    if (isSkepError(thrown)) return thrown;
    return new SkepError('unavailable', `the manager cannot be reached: ${String(thrown)}`, {
      cause: thrown,
    });
  }
}

const LATE = new Error('too late');

async function textOf({ body }: ControlAnswer): Promise<string> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  for await (const chunk of body) parts.push(decoder.decode(chunk, { stream: true }));
  return parts.join('');
}

function refusal(status: number, text: string): SkepError {
  try {
    const error = errorOf(JSON.parse(text));
    if (error !== undefined) return error;
  } catch {
    // No manager of ours says that; it is shown as it is.
  }
  return new SkepError('internal', `the manager answered ${status}: ${text.slice(0, 200)}`);
}

async function* noted(
  body: AsyncIterable<Uint8Array>,
  heard: () => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    heard();
    yield chunk;
  }
}
