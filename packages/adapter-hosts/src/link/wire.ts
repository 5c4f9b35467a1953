/**
 * What node and manager say to each other on a connection, and how it is checked when it comes in.
 *
 * A node begins with `hello` and gets `opened` or `refused`. Then it makes calls, each with a
 * number that its `reply` carries; the manager sends assignments and asks questions, each with a
 * number that its answers carry. Answers need credit, which the manager gives as they are read: so
 * a slow reader holds up its own answers and nothing else on the connection.
 */
import {
  isSkepError,
  messageOf,
  SKEP_ERROR_CODES,
  SkepError,
  TASK_STATES,
  type ErrorDetails,
  type LogFault,
  type LogAnswer,
  type NodeHello,
  type NodeNotice,
  type NodeQuestion,
  type SkepErrorCode,
  type TaskReport,
} from '@skep/api';
import type { AssignmentPart } from './assignment-parts.js';
import type { Frame } from './frame.js';

/** Version of these words. Both sides have to have the same. */
export const PROTOCOL = 1;
/** Answers to one question that may be under way. */
export const CREDIT = 64;
/** Calls of one node that may be unanswered at a time. */
export const CALLS_MAX = 256;

/** An error on the wire. */
export interface WireError {
  readonly code: SkepErrorCode;
  readonly message: string;
  readonly details?: ErrorDetails;
}

/** What a node may call. */
export type Method = 'heartbeat' | 'report' | 'acknowledge' | 'describe' | 'tell' | 'close';

/** Part of an answer about tables; `isPartial` on all but the last. */
export interface TablePart extends AssignmentPart {
  readonly type: 'tables';
  readonly appliedRevision: number;
}

/** What a node sends. */
export type NodeFrame =
  | {
      readonly type: 'hello';
      readonly protocol: number;
      readonly hello: NodeHello;
      readonly answers: boolean;
    }
  | {
      readonly type: 'call';
      readonly id: number;
      readonly method: Method;
      readonly value?: unknown;
    }
  | {
      readonly type: 'answer';
      readonly question: number;
      readonly answer: LogAnswer | LogFault | TablePart;
    }
  | { readonly type: 'answered'; readonly question: number; readonly error?: WireError };

/** What a manager sends. */
export type ManagerFrame =
  | {
      readonly type: 'opened';
      readonly sessionId: string;
      readonly heartbeatPeriodMs: number;
      readonly takesNotices: boolean;
    }
  | { readonly type: 'refused'; readonly error: WireError }
  | {
      readonly type: 'reply';
      readonly id: number;
      readonly value?: unknown;
      readonly error?: WireError;
    }
  | ({ readonly type: 'assignment' } & AssignmentPart)
  | { readonly type: 'closed'; readonly reason: string }
  | {
      readonly type: 'ask';
      readonly question: number;
      readonly what: NodeQuestion;
      readonly credit: number;
    }
  | { readonly type: 'more'; readonly question: number; readonly credit: number }
  | { readonly type: 'cancel'; readonly question: number };

/** An error as it goes over the wire: details that are no JSON stay behind. */
export function errorToWire(thrown: unknown): WireError {
  if (!isSkepError(thrown)) return { code: 'internal', message: messageOf(thrown) };
  const { code, message, details } = thrown;
  try {
    JSON.stringify(details);
    return { code, message, details };
  } catch {
    return { code, message };
  }
}

/** The error that came over the wire. One with a code from another version is `internal`. */
export function errorFromWire(value: unknown): SkepError {
  const { code, message, details } = (value ?? {}) as Record<string, unknown>;
  const isKnown = (SKEP_ERROR_CODES as readonly unknown[]).includes(code);
  return new SkepError(
    isKnown ? (code as SkepErrorCode) : 'internal',
    typeof message === 'string' ? message : 'an error without a message',
    isObject(details) ? { details } : {},
  );
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Frame {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value is a number that counts something. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** What a side says that breaks the words above: the connection ends with it. */
export function brokenProtocol(what: string): SkepError {
  return new SkepError('invalid-argument', `the link was spoken wrongly: ${what}`);
}

/** Checks what a node says first. @throws invalid-argument; failed-precondition: other version */
export function checkHello(frame: Frame): { readonly hello: NodeHello; readonly answers: boolean } {
  const { type, protocol, hello, answers } = frame;
  if (type !== 'hello') throw brokenProtocol('a node begins with hello');
  if (protocol !== PROTOCOL) {
    const text = `the node speaks version ${String(protocol)} of the link, the manager ${PROTOCOL}`;
    throw new SkepError('failed-precondition', text);
  }
  const { nodeId, address, description } = isObject(hello) ? hello : ({} as Frame);
  if (typeof nodeId !== 'string' || typeof address !== 'string' || !isDescription(description)) {
    throw brokenProtocol('hello needs nodeId, address and description');
  }
  return { hello: hello as NodeHello, answers: answers === true };
}

/** Whether a value can be what a node says about itself, as far as the manager reads it blindly. */
export function isDescription(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { hostname, platform, resources, engine } = value;
  return (
    typeof hostname === 'string' && isObject(platform) && isObject(resources) && isObject(engine)
  );
}

/** Reports, checked. @throws invalid-argument */
export function checkReports(value: unknown): readonly TaskReport[] {
  const isReport = (one: unknown): boolean =>
    isObject(one) &&
    typeof one['taskId'] === 'string' &&
    (TASK_STATES as readonly unknown[]).includes(one['state']) &&
    typeof one['timestamp'] === 'number' &&
    typeof one['message'] === 'string';
  if (Array.isArray(value) && value.every(isReport)) return value as readonly TaskReport[];
  throw brokenProtocol('a report needs taskId, state, timestamp and message');
}

/** Notices, checked. @throws invalid-argument */
export function checkNotices(value: unknown): readonly NodeNotice[] {
  const isNotice = (one: unknown): boolean =>
    isObject(one) && typeof one['reason'] === 'string' && typeof one['message'] === 'string';
  if (Array.isArray(value) && value.every(isNotice)) return value as readonly NodeNotice[];
  throw brokenProtocol('a notice needs type, reason and message');
}

/** A question, checked. @throws invalid-argument */
export function checkQuestion(value: unknown): NodeQuestion {
  const { type, taskIds } = isObject(value) ? value : ({} as Frame);
  const isText = (one: unknown): boolean => typeof one === 'string';
  const isAboutTasks = type === 'logs' && Array.isArray(taskIds) && taskIds.every(isText);
  if (type === 'tables' || isAboutTasks) return value as NodeQuestion;
  throw brokenProtocol('a question has the type tables, or logs and taskIds');
}

/** An answer about a task, checked. @throws invalid-argument */
export function checkLogAnswer(value: Frame): LogAnswer | LogFault {
  const { type, taskId, time, stream, text, code, message } = value;
  const isLine =
    type === 'line' &&
    typeof time === 'number' &&
    (stream === 'stdout' || stream === 'stderr') &&
    typeof text === 'string';
  const isFault =
    type === 'fault' &&
    (SKEP_ERROR_CODES as readonly unknown[]).includes(code) &&
    typeof message === 'string';
  if (typeof taskId === 'string' && (isLine || isFault)) {
    return value as unknown as LogAnswer | LogFault;
  }
  throw brokenProtocol('an answer is a line or a fault of a task, or tables');
}
