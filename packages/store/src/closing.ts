/**
 * The reason with which an orderly `close` ends everything.
 */
import { SkepError, isSkepError } from '@skep/api';

/** The error of whoever wants something from a store that was closed. */
export function closedError(): SkepError {
  return new SkepError('unavailable', 'the store is closed', { details: { isClosed: true } });
}

/** Whether a watch ends because the store was closed, which is no failure of the watch. */
export function isClosing(reason: Error): boolean {
  return isSkepError(reason, 'unavailable') && reason.details['isClosed'] === true;
}
