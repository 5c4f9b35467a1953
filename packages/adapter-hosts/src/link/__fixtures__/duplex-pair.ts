/**
 * Two streams that are the ends of one connection, in memory: what is written to one is read from
 * the other.
 */
import { Duplex } from 'node:stream';

/** An end. What it may write ahead of a reader is bounded, as by a kernel's buffer. */
class End extends Duplex {
  other: End | undefined;
  /** Bytes that were written. */
  written = 0;
  #resume: (() => void) | undefined;

  override _write(piece: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.written += piece.length;
    const { other } = this;
    if (other === undefined || other.destroyed) return done(new Error('the other end is gone'));
    if (other.push(piece)) done();
    else other.#resume = done;
  }

  override _read(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  override _final(done: () => void): void {
    this.other?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { other } = this;
    process.nextTick(() => {
      if (other?.readable === true) other.push(null);
      other?.writable === true && other.destroy();
    });
    done(error);
  }
}

/** A connection in memory. */
export function duplexPair(): readonly [End, End] {
  const ends = [new End(), new End()] as const;
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  return ends;
}
