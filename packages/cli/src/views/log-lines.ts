/**
 * What tasks wrote, as lines for people. Pure.
 */
import type { LogGap, TaskLine } from '@skep/control';
import { shortTaskLabel } from './words.js';

/** How lines are shown. */
export interface LogStyle {
  /** Which task it was, before each line. */
  readonly hasPrefix: boolean;
  readonly hasTime: boolean;
}

/** Turns lines into text; the prefixes stand under each other as far as they are known. */
export class LogRenderer {
  readonly #style: LogStyle;
  #width = 0;

  constructor(style: LogStyle) {
    this.#style = style;
  }

  /** `vote.1.x9k2q@node1  | text`, ended by a line feed. */
  line({ taskName, nodeName, time, text }: TaskLine): string {
    const { hasPrefix, hasTime } = this.#style;
    const who = `${shortTaskLabel(taskName)}@${nodeName}`;
    this.#width = Math.max(this.#width, who.length);
    const prefix = hasPrefix ? `${who.padEnd(this.#width)} | ` : '';
    return `${prefix}${hasTime ? `${new Date(time).toISOString()} ` : ''}${text}\n`;
  }

  /** What is missing, and why. */
  gap({ nodeName, taskIds, message, code }: LogGap): string {
    const what = taskIds.length === 1 ? '1 task' : `${taskIds.length} tasks`;
    return `skep: node ${nodeName} does not answer for ${what}: ${message} [${code}]\n`;
  }
}
