/**
 * Lines that are drawn again and again in the same place of a terminal.
 */
import type { ProgressStream } from './progress.js';
import { shortened } from './words.js';

/** Width of a terminal that does not say it. */
const COLUMNS = 80;

/** A part of the terminal that is drawn anew. */
export class LiveLines {
  readonly #stream: ProgressStream;
  #drawn = 0;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  /** Replaces what was drawn last. Lines are cut to the width, so that each takes one. */
  draw(lines: readonly string[]): void {
    const { columns = COLUMNS } = this.#stream;
    const cut = lines.map((line) => shortened(line, columns));
    this.#stream.write(`${this.#up()}${cut.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`);
    this.#drawn = lines.length;
  }

  /** Takes away what was drawn. */
  clear(): void {
    this.#stream.write(`${this.#up()}\u001b[J`);
    this.#drawn = 0;
  }

  #up(): string {
    return this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A\r`;
  }
}
