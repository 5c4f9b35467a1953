/**
 * The one error class of skep and its closed list of codes.
 */

/** What kind of failure it is; callers decide by this, never by `instanceof` or by the text. */
export const SKEP_ERROR_CODES = [
  'not-found',
  'already-exists',
  'invalid-argument',
  'failed-precondition',
  'out-of-sequence',
  'conflict',
  'resource-exhausted',
  'unavailable',
  'aborted',
  'deadline-exceeded',
  'compacted',
  'resync-required',
  'permission-denied',
  'unimplemented',
  'internal',
] as const;

/** A member of {@link SKEP_ERROR_CODES}. */
export type SkepErrorCode = (typeof SKEP_ERROR_CODES)[number];

/** Structured facts about a failure: which object, which field, which limit. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

const MARK = Symbol.for('@skep/SkepError');

/**
 * Every error that skep throws on purpose.
 * `message` says what is wrong, where, and what would be right; `details` holds the same as data.
 */
export class SkepError extends Error {
  readonly code: SkepErrorCode;
  readonly details: ErrorDetails;
  readonly [MARK] = true;

  constructor(
    code: SkepErrorCode,
    message: string,
    options: { details?: ErrorDetails; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SkepError';
    this.code = code;
    this.details = options.details ?? {};
  }
}

/**
 * Whether a caught value is a {@link SkepError}, optionally of one code.
 * Works across two copies of the package (ESM and CJS) in one process.
 */
export function isSkepError(value: unknown, code?: SkepErrorCode): value is SkepError {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as Record<symbol, unknown>)[MARK] === true &&
    (code === undefined || (value as SkepError).code === code)
  );
}

/** The text of any thrown value. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Ends an exhaustive switch: the compiler proves that it is unreachable. */
export function assertNever(value: never, what = 'value'): never {
  throw new SkepError('internal', `unexpected ${what}: ${JSON.stringify(value)}`);
}

/** A programmer's error when false: an invariant of skep itself is broken. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new SkepError('internal', `assertion failed: ${message}`);
}
