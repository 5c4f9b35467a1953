/**
 * What a manager may ask a node, and what a node tells a manager unasked.
 *
 * Desired state goes through assignments and reports; these words are for people: what a task
 * printed, which tables a node holds, what it found wrong and put right. Nothing that a loop
 * decides depends on them.
 *
 * **Source:** SwarmKit api/logbroker.proto for logs over the nodes' own sessions; questions about
 * tables, and notices, are ours.
 */
import type { SkepErrorCode } from './errors.js';
import type { Revision, TaskId, Timestamp } from './meta.js';
import type { Assignment } from './node-link.js';

/** Most tasks that one question names. */
export const QUESTION_TASKS_MAX = 256;
/** Questions of one node that are open at a time; further ones get `resource-exhausted`. */
export const QUESTIONS_MAX = 64;
/** Longest text of a log line on its way, in UTF-16 units; a longer line comes in pieces. */
export const LOG_TEXT_MAX = 1 << 16;
/** Most notices in one call of `NodeSession.tell`. */
export const NOTICES_MAX = 32;
/** Longest reason of a notice, and longest message; longer messages are cut by who tells them. */
export const NOTICE_REASON_MAX = 64;
/** See {@link NOTICE_REASON_MAX}. */
export const NOTICE_MESSAGE_MAX = 1024;

/** Where a line was printed. */
export type LogStream = 'stdout' | 'stderr';

/** A line that a task printed. */
export interface LogLine {
  /** When; to the second for processes. */
  readonly time: Timestamp;
  readonly stream: LogStream;
  /** Without its line break. */
  readonly text: string;
}

/** Which lines of a task are wanted. */
export interface LogSelection {
  /** Only the last lines, so many. Default: all that are kept. */
  readonly tail?: number;
  /** Only lines from then on. */
  readonly since?: Timestamp;
  /** Goes on with what is printed, until the task has ended. Default: false. */
  readonly follow?: boolean;
  /** Default: both. */
  readonly streams?: readonly LogStream[];
}

/** Asks for what tasks of the node printed: at most {@link QUESTION_TASKS_MAX} of them. */
export interface LogQuestion extends LogSelection {
  readonly type: 'logs';
  readonly taskIds: readonly TaskId[];
}

/** Asks for what the node's tables, names and renderings are computed from. */
export interface TableQuestion {
  readonly type: 'tables';
}

/** What a manager may ask a node. */
export type NodeQuestion = LogQuestion | TableQuestion;

/** A line of one of the tasks. `tail` and `since` hold for each task by itself. */
export interface LogAnswer extends LogLine {
  readonly type: 'line';
  readonly taskId: TaskId;
}

/** The lines of one of the tasks cannot be read, or no further ones; the others go on. */
export interface LogFault {
  readonly type: 'fault';
  readonly taskId: TaskId;
  /** `not-found`: the node has no such task (any more). */
  readonly code: SkepErrorCode;
  readonly message: string;
}

/** What the node holds. */
export interface TableAnswer {
  readonly type: 'tables';
  /** Revision that its kernel holds: at most that of the assignment. 0: none yet. */
  readonly appliedRevision: Revision;
  /**
   * Complete, as the node was told last; without secrets and configs, which no table depends on.
   */
  readonly assignment: Assignment;
}

/**
 * Part of an answer. Logs: without `follow`, all lines in the order of their times; with it, in the
 * order in which they come. Tables: exactly one answer.
 */
export type NodeAnswer = LogAnswer | LogFault | TableAnswer;

/** What a node observed that is worth an event about it. */
export interface NodeNotice {
  readonly type: 'normal' | 'warning';
  /** CamelCase code, such as `TablesRepaired`: at most {@link NOTICE_REASON_MAX} characters. */
  readonly reason: string;
  /** For people: at most {@link NOTICE_MESSAGE_MAX} characters. Equal ones are counted. */
  readonly message: string;
}
