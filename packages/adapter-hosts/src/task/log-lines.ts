/**
 * What tasks print, as both runtimes hand it out.
 */
export type { LogQuery, TaskLogs } from '@skep/adapter';
export type { LogLine, LogStream } from '@skep/api';
