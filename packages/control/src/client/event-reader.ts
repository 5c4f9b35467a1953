/**
 * Reading server-sent events as their bytes come in.
 *
 * **Source:** HTML Living Standard, "Interpreting an event stream".
 */
import { SkepError } from '@skep/api';

/** Longest event, in characters. A commit has at most 200 objects. */
export const EVENT_LENGTH_MAX = 64 * 1024 * 1024;

/** An event as it was sent. */
export interface ReceivedEvent {
  readonly event: string;
  readonly data: string;
}

/**
 * Cuts a stream into events; comments are dropped, and so is an event that the stream's end cuts
 * off. @throws resource-exhausted for an event longer than `lengthMax`.
 */
export async function* readEvents(
  body: AsyncIterable<Uint8Array>,
  lengthMax = EVENT_LENGTH_MAX,
): AsyncGenerator<ReceivedEvent, void, undefined> {
  const decoder = new TextDecoder();
  const lines = new Lines(lengthMax);
  let event = '';
  let data: string[] = [];
  let length = 0;
  for await (const chunk of body) {
    for (const line of lines.take(decoder.decode(chunk, { stream: true }))) {
      length += line.length;
      if (length > lengthMax) throw tooLong(lengthMax);
      if (line === '') {
        if (data.length > 0)
          yield { event: event === '' ? 'message' : event, data: data.join('\n') };
        event = '';
        data = [];
        length = 0;
        continue;
      }
      const [field, value] = fieldOf(line);
      if (field === 'event') event = value;
      else if (field === 'data') data.push(value);
    }
  }
}

function fieldOf(line: string): readonly [string, string] {
  const colon = line.indexOf(':');
  if (colon < 0) return [line, ''];
  const value = line.slice(colon + 1);
  return [line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value];
}

function tooLong(lengthMax: number): SkepError {
  return new SkepError('resource-exhausted', `an event is longer than ${lengthMax} characters`);
}

/** Whole lines of a text that comes in pieces. */
class Lines {
  readonly #lengthMax: number;
  /** Pieces of the line that is not whole yet: joined once, however many there are. */
  #pieces: string[] = [];
  #length = 0;

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  *take(text: string): Generator<string> {
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      const line = this.#pieces.join('') + text.slice(from, end);
      this.#pieces = [];
      this.#length = 0;
      from = end + 1;
      yield line.endsWith('\r') ? line.slice(0, -1) : line;
    }
    const rest = text.slice(from);
    if (rest === '') return;
    this.#pieces.push(rest);
    this.#length += rest.length;
    if (this.#length > this.#lengthMax) throw tooLong(this.#lengthMax);
  }
}
