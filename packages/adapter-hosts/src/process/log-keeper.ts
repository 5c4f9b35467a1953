/**
 * Marks and cuts the logs of all tasks of a node: one timer, whatever their number.
 */
import { messageOf, type Logger } from '@skep/api';
import { cutLog, markNow, readMarks, type LogMark } from './log-file.js';

/** Lines are dated to this. */
const PERIOD_MS = 1_000;

interface Kept {
  last: LogMark;
  readonly bytesMax: number;
  isCutting: boolean;
  /** The disk refused it: said once, not every second. */
  isFaulty: boolean;
}

/** Keeps logs while a runtime lives. */
export class LogKeeper {
  readonly #logger: Logger;
  readonly #kept = new Map<string, Kept>();
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Keeps the logs in this folder, from now on. */
  add(folder: string, bytesMax: number): void {
    if (this.#kept.has(folder)) return;
    const last = readMarks(folder).at(-1) ?? { time: 0, stdout: 0, stderr: 0 };
    this.#kept.set(folder, { last, bytesMax, isCutting: false, isFaulty: false });
    this.#timer ??= setInterval(() => this.#look(), PERIOD_MS).unref();
  }

  /** The task has ended: what it printed last is dated, and the folder is left alone. */
  end(folder: string): void {
    this.#mark(folder);
    this.forget(folder);
  }

  /** The folder is removed. */
  forget(folder: string): void {
    this.#kept.delete(folder);
    if (this.#kept.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  close(): void {
    for (const folder of [...this.#kept.keys()]) this.forget(folder);
  }

  #look(): void {
    for (const folder of this.#kept.keys()) this.#mark(folder);
  }

  #mark(folder: string): void {
    const kept = this.#kept.get(folder);
    if (kept === undefined) return;
    try {
      const last = markNow(folder, kept.last, Date.now());
      const hasGrown = last !== kept.last;
      kept.last = last;
      kept.isFaulty = false;
      if (hasGrown && !kept.isCutting) void this.#cut(folder, kept);
    } catch (thrown) {
      this.#fault(folder, kept, thrown);
    }
  }

  async #cut(folder: string, kept: Kept): Promise<void> {
    kept.isCutting = true;
    try {
      await cutLog(folder, kept.bytesMax);
    } catch (thrown) {
      if (this.#kept.get(folder) === kept) this.#fault(folder, kept, thrown);
    }
    kept.isCutting = false;
  }

  #fault(folder: string, kept: Kept, thrown: unknown): void {
    if (kept.isFaulty) return;
    kept.isFaulty = true;
    this.#logger.warn('task log not kept', { folder, error: messageOf(thrown) });
  }
}
