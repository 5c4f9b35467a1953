/**
 * Frames: JSON objects, one a line. What a connection between node and manager is cut into.
 */
import { messageOf, SkepError } from '@skep/api';

/** Longest frame, in bytes without its line break. Assignments are split far below it. */
export const FRAME_BYTES_MAX = 4 << 20;

const LINE_BREAK = 10;
/** Pieces of one frame that are kept apart. */
const PIECES_MAX = 1_024;

/** A frame as JSON gives it. */
export type Frame = Readonly<Record<string, unknown>>;

/**
 * The line of a frame.
 * @throws resource-exhausted when it is longer than {@link FRAME_BYTES_MAX}.
 */
export function encodeFrame(frame: object): string {
  const text = JSON.stringify(frame);
  // A UTF-16 unit takes at most three bytes: few texts have to be counted.
  const bytes = text.length * 3 > FRAME_BYTES_MAX ? Buffer.byteLength(text) : text.length;
  if (bytes <= FRAME_BYTES_MAX) return `${text}\n`;
  throw new SkepError(
    'resource-exhausted',
    `a message of ${bytes} bytes is too long for the link: at most ${FRAME_BYTES_MAX}`,
    { details: { bytes, bytesMax: FRAME_BYTES_MAX } },
  );
}

/** Cuts a stream of bytes into frames. Holds at most one frame and one piece. */
export class FrameReader {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #begun: Buffer[] = [];
  #begunBytes = 0;

  /** Whether a frame has begun that did not end. */
  get isInside(): boolean {
    return this.#begunBytes > 0;
  }

  /**
   * The frames that a piece completes, as they are asked for.
   * @throws invalid-argument for what is no JSON object in UTF-8, and for a frame that is too long;
   * nothing can be read after that.
   */
  *read(piece: Buffer): Generator<{ readonly frame: Frame; readonly bytes: number }> {
    let from = 0;
    for (let end = piece.indexOf(LINE_BREAK); end >= 0; end = piece.indexOf(LINE_BREAK, from)) {
      const line = this.#line(piece.subarray(from, end));
      from = end + 1;
      yield { frame: this.#parse(line), bytes: line.length };
    }
    const rest = piece.subarray(from);
    if (rest.length === 0) return;
    this.#bound(rest.length);
    this.#begun.push(rest);
    this.#begunBytes += rest.length;
    // A frame that trickles in byte by byte must not cost an object for each.
    if (this.#begun.length >= PIECES_MAX) this.#begun = [Buffer.concat(this.#begun)];
  }

  #line(end: Buffer): Buffer {
    this.#bound(end.length);
    const line = this.#begun.length === 0 ? end : Buffer.concat([...this.#begun, end]);
    this.#begun = [];
    this.#begunBytes = 0;
    return line;
  }

  #bound(more: number): void {
    if (this.#begunBytes + more <= FRAME_BYTES_MAX) return;
    const text = `a frame is longer than ${FRAME_BYTES_MAX} bytes`;
    throw new SkepError('invalid-argument', text);
  }

  #parse(line: Buffer): Frame {
    let value: unknown;
    try {
      value = JSON.parse(this.#decoder.decode(line));
    } catch (thrown) {
      throw new SkepError('invalid-argument', `a frame is not JSON: ${messageOf(thrown)}`);
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Frame;
    throw new SkepError('invalid-argument', 'a frame has to be a JSON object');
  }
}
