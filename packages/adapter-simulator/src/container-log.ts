/**
 * What a simulated container printed.
 */
import type { LogLine } from '@skep/api';
import type { LogQuery } from '@skep/adapter';

/** Lines that are kept of a container; the oldest give way. */
export const LOG_LINES_MAX = 1_000;

/** The log of one container. */
export class ContainerLog {
  /** The newest lines, oldest first. */
  #lines: LogLine[] = [];
  /** Lines that were dropped: the number of the first one kept. */
  #dropped = 0;
  #hasEnded = false;
  readonly #waiting = new Set<() => void>();

  /** Adds a line. */
  add(line: LogLine): void {
    this.#lines.push(line);
    if (this.#lines.length > LOG_LINES_MAX) {
      this.#lines.shift();
      this.#dropped += 1;
    }
    this.#wake();
  }

  /** Nothing is printed any more. */
  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  /** The lines that are wanted. A reader that is slow misses those that had to give way. */
  async *read(query: LogQuery): AsyncGenerator<LogLine, undefined> {
    const { tail = Number.POSITIVE_INFINITY, since = 0, follow = false, streams, signal } = query;
    const isWanted = ({ time, stream }: LogLine): boolean =>
      time >= since && (streams?.includes(stream) ?? true);
    const last = this.#lines.filter(isWanted);
    let next = this.#dropped + this.#lines.length;
    yield* last.slice(Math.max(0, last.length - tail));
    while (follow && signal?.aborted !== true) {
      next = Math.max(next, this.#dropped);
      const line = this.#lines[next - this.#dropped];
      if (line !== undefined) {
        next += 1;
        if (isWanted(line)) yield line;
      } else if (this.#hasEnded) {
        return;
      } else {
        await this.#more(signal);
      }
    }
  }

  /** Waits for a line, the end, or the signal. */
  async #more(signal: AbortSignal | undefined): Promise<void> {
    let wake: () => void = () => undefined;
    const woken = new Promise<void>((resolve) => (wake = resolve));
    this.#waiting.add(wake);
    signal?.addEventListener('abort', wake);
    await woken;
    signal?.removeEventListener('abort', wake);
    this.#waiting.delete(wake);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}
