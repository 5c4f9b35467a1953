/**
 * What tasks print, as both runtimes hand it out.
 */
import type { TaskId, Timestamp } from '@skep/api';

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

/** Which lines are wanted. */
export interface LogQuery {
  /** Only the last lines, so many. Default: all that are kept. */
  readonly tail?: number;
  /** Only lines from then on. */
  readonly since?: Timestamp;
  /** Goes on with what is printed, until the task has ended or `signal` fires. Default: false. */
  readonly follow?: boolean;
  readonly streams?: readonly LogStream[];
  readonly signal?: AbortSignal;
}

/** Reads what tasks printed. */
export interface TaskLogs {
  /**
   * Lines of a task in the order in which they were printed. Ends with the last one that is there,
   * or with the task when it follows. @throws not-found when the runtime does not know the task
   */
  logs(taskId: TaskId, query?: LogQuery): AsyncIterable<LogLine>;
}
