/**
 * Refusals on the wire: a SkepError as status and body, and back.
 */
import {
  isSkepError,
  messageOf,
  SKEP_ERROR_CODES,
  SkepError,
  type ErrorDetails,
  type SkepErrorCode,
} from '@skep/api';
import type { ErrorBody } from './contract.js';

/**
 * The status of each code, for people with curl; programs look at the body.
 * **Source:** google.rpc.Code for what has a code there; Kubernetes answers 410 where a watch has
 * to start again.
 */
const STATUS = {
  'invalid-argument': 400,
  'failed-precondition': 412,
  'out-of-sequence': 409,
  'permission-denied': 403,
  'not-found': 404,
  'already-exists': 409,
  conflict: 409,
  aborted: 409,
  compacted: 410,
  'resync-required': 410,
  'resource-exhausted': 429,
  internal: 500,
  unimplemented: 501,
  unavailable: 503,
  'deadline-exceeded': 504,
} as const satisfies Record<SkepErrorCode, number>;

/** An HTTP status that stands for a code. */
export type ErrorStatus = (typeof STATUS)[SkepErrorCode];

/** The HTTP status for a code. */
export function statusOf(code: SkepErrorCode): ErrorStatus {
  return STATUS[code];
}

/** What is sent of anything that was thrown. What is no SkepError is `internal`. */
export function errorBody(thrown: unknown): ErrorBody {
  if (!isSkepError(thrown)) return { code: 'internal', message: messageOf(thrown), details: {} };
  const { code, message, details } = thrown;
  return { code, message, details: plain(details) };
}

/** The error that a body stands for; undefined when it stands for none. */
export function errorOf(body: unknown): SkepError | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { code, message, details } = body as Readonly<Record<string, unknown>>;
  if (!SKEP_ERROR_CODES.some((known) => known === code) || typeof message !== 'string') {
    return undefined;
  }
  const isRecord = typeof details === 'object' && details !== null && !Array.isArray(details);
  return new SkepError(code as SkepErrorCode, message, {
    details: isRecord ? (details as ErrorDetails) : {},
  });
}

/** Details as JSON has them; what it cannot say is left out. */
function plain(details: ErrorDetails): ErrorDetails {
  try {
    return JSON.parse(JSON.stringify(details)) as ErrorDetails;
  } catch {
    return {};
  }
}
