/**
 * Errors of the engine as those of a runtime: what may pass by itself is tried again.
 */
import { isSkepError, messageOf, SkepError, type SkepErrorCode } from '@skep/api';

/** The HTTP status that the engine answered; undefined when it did not answer. */
export function statusOf(thrown: unknown): number | undefined {
  const status = (thrown as { statusCode?: unknown } | undefined)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

/**
 * The error of a call. No answer, and a busy engine, is `unavailable`; what it refused is final.
 * **Source:** moby daemon/cluster/executor/container/controller.go for what is temporary.
 */
export function engineError(thrown: unknown, what: string): SkepError {
  if (isSkepError(thrown)) return thrown;
  const status = statusOf(thrown);
  const reason = (thrown as { reason?: unknown; json?: { message?: unknown } } | undefined)?.json
    ?.message;
  const said = typeof reason === 'string' ? reason : messageOf(thrown);
  const details = status === undefined ? {} : { status };
  const code = codeOf(status);
  const text = status === undefined ? `Docker Engine does not answer: ${said}` : said;
  return new SkepError(code, `${what}: ${text}`, { details, cause: thrown });
}

function codeOf(status: number | undefined): SkepErrorCode {
  if (status === undefined || status === 503 || status === 502) return 'unavailable';
  if (status === 404) return 'not-found';
  if (status === 400) return 'invalid-argument';
  return 'failed-precondition';
}
