/**
 * Frames over any stream of bytes, in both directions, bounded in both.
 */
import type { Duplex } from 'node:stream';
import { messageOf, SkepError, type Clock, type Timer } from '@skep/api';
import { encodeFrame, FrameReader, type Frame } from './frame.js';

/** Bytes that may wait to be read by the other side before nothing more is sent to it. */
export const UNREAD_BYTES_MAX = 16 << 20;
/** The other side has to read something within this time, when there is something to read. */
export const STALL_MS = 30_000;
/** Time for what was sent last to be read, once the connection is to end. */
const LAST_WORD_MS = 2_000;

/** What a frame stream needs. */
export interface FrameStreamOptions {
  readonly stream: Duplex;
  readonly clock: Clock;
  /** Takes a frame. What it throws ends the connection. */
  readonly onFrame: (frame: Frame, bytes: number) => void;
  /**
   * The connection is over: nothing comes or goes any more. Called once, also when this side ended
   * it.
   */
  readonly onClosed: (reason: string) => void;
}

/**
 * A connection that speaks in frames.
 *
 * Sending never waits. What the other side has not read is kept: something to send on top of more
 * than 16 MiB, or 30 s in which nothing is read, end the connection. So at most 16 MiB and what was
 * sent by one more call wait.
 */
export class FrameStream {
  readonly #options: FrameStreamOptions;
  readonly #reader = new FrameReader();
  #isClosed = false;
  /** No frame is taken any more: this side has ended the connection. */
  #isEnding = false;
  #stall: Timer | undefined;
  #lastWord: Timer | undefined;
  #unread = 0;
  /** Bytes that the other side, or the system on its behalf, has taken. */
  #taken = 0;

  constructor(options: FrameStreamOptions) {
    const { stream } = options;
    this.#options = options;
    stream.on('data', (piece: Buffer) => this.#take(piece));
    stream.on('error', (error) => this.#close(messageOf(error)));
    stream.on('end', () => this.#ended());
    stream.on('close', () => this.#close('the connection was closed'));
  }

  /** Whether frames still come and go. */
  get isOpen(): boolean {
    return !this.#isClosed && !this.#isEnding;
  }

  /**
   * Sends frames that belong together; nothing happens when the connection is over.
   * @throws resource-exhausted when one is too long for any connection; none is sent then.
   */
  send(...frames: readonly object[]): void {
    if (!this.isOpen) return;
    const lines = frames.map(encodeFrame);
    if (this.#unread > UNREAD_BYTES_MAX) {
      this.destroy(`the other side does not read: ${this.#unread} bytes wait for it`);
      return;
    }
    const { stream } = this.#options;
    stream.cork();
    for (const line of lines) this.#write(line);
    stream.uncork();
    this.#watch();
  }

  /** Ends the connection when what was sent is read, or after 2 s. */
  end(reason: string): void {
    if (!this.isOpen) return;
    this.#isEnding = true;
    const { stream, clock } = this.#options;
    const late = (): void => this.destroy(reason);
    this.#lastWord = clock.schedule(clock.now() + LAST_WORD_MS, late, { label: 'last word' });
    stream.end(() => this.destroy(reason));
  }

  /** Ends the connection at once. Harmless when it is over. */
  destroy(reason: string): void {
    this.#options.stream.destroy();
    this.#close(reason);
  }

  #write(line: string): void {
    const bytes = Buffer.byteLength(line);
    this.#unread += bytes;
    this.#options.stream.write(line, () => {
      this.#unread -= bytes;
      this.#taken += bytes;
      if (this.#unread === 0) this.#unwatch();
    });
  }

  #take(piece: Buffer): void {
    try {
      for (const { frame, bytes } of this.#reader.read(piece)) {
        if (!this.isOpen) return;
        this.#options.onFrame(frame, bytes);
      }
    } catch (thrown) {
      this.destroy(messageOf(thrown));
    }
  }

  #ended(): void {
    const cut = this.#reader.isInside ? 'the connection was cut within a frame' : undefined;
    this.destroy(cut ?? 'the connection was closed by the other side');
  }

  #watch(): void {
    if (this.#stall !== undefined || this.#unread === 0) return;
    const { clock } = this.#options;
    const before = this.#taken;
    const look = (): void => {
      this.#stall = undefined;
      if (this.#isClosed || this.#unread === 0) return;
      if (this.#taken === before)
        this.destroy(`the other side has read nothing for ${STALL_MS} ms`);
      else this.#watch();
    };
    this.#stall = clock.schedule(clock.now() + STALL_MS, look, {
      label: 'reading of the other side',
      isPeriodic: true,
    });
  }

  #unwatch(): void {
    this.#stall?.cancel();
    this.#stall = undefined;
  }

  #close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unwatch();
    this.#lastWord?.cancel();
    this.#options.onClosed(reason);
  }
}

/** The error of a call that a lost connection leaves without an answer. */
export function connectionLost(reason: string): SkepError {
  return new SkepError('unavailable', `the connection to the manager was lost: ${reason}`);
}
