/**
 * What a failed pass says about itself: whether another try can help, and whether it is a bug.
 */
import { isSkepError, SkepError, type ErrorDetails } from '@skep/api';

/**
 * The error to throw from a plan or a reconcile when trying again cannot help before something
 * changes: a spec that can never work. The key is not tried again until something wakes it; the
 * failure is logged, counted and told as an event like any other. Code: `failed-precondition`.
 *
 * **Source:** controller-runtime pkg/reconcile (TerminalError).
 */
export function terminalError(
  message: string,
  options: { readonly details?: ErrorDetails; readonly cause?: unknown } = {},
): SkepError {
  const { details, cause } = options;
  return new SkepError('failed-precondition', message, {
    details: { ...details, isTerminal: true },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Whether trying again cannot help: see {@link terminalError}. */
export function isTerminalError(thrown: unknown): boolean {
  return isSkepError(thrown) && thrown.details['isTerminal'] === true;
}

/** Errors that the language throws at those who hold it wrong. */
const BUGS = new Set(['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError', 'EvalError']);

/**
 * Whether a pass ended by a bug and not by a refusal: what the language itself throws, a broken
 * invariant (`internal`), or something that is no error at all. Go would panic.
 */
export function isPanic(thrown: unknown): boolean {
  if (isSkepError(thrown)) return thrown.code === 'internal';
  return !(thrown instanceof Error) || BUGS.has(thrown.name);
}
