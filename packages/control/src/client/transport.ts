/**
 * Getting a request to the manager, and what it answers back.
 */
import { request, type IncomingMessage } from 'node:http';
import { messageOf, SkepError } from '@skep/api';

/** A request. */
export interface ControlRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With the query: `/v1/watch?from=7`. */
  readonly path: string;
  /** JSON. */
  readonly body?: string;
  /** Ends the request, and the reading of its answer. */
  readonly signal: AbortSignal;
}

/** An answer whose body has not been read yet. */
export interface ControlAnswer {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Sends a request. Rejects, also while the body is read, with `unavailable` when there is no
 * connection or it breaks, and with whatever once the signal has fired.
 */
export type Transport = (request: ControlRequest) => Promise<ControlAnswer>;

/** A transport over a unix socket: a connection for each request. */
export function socketTransport(path: string): Transport {
  return ({ method, path: target, body, signal }) =>
    new Promise((resolve, reject) => {
      const headers = {
        connection: 'close',
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      };
      const options = { socketPath: path, agent: false, method, path: target, headers, signal };
      const sent = request(options, (response) => {
        resolve({ status: response.statusCode ?? 0, body: bytesOf(response, path) });
      });
      sent.on('error', (error) => reject(unreachable(path, error)));
      sent.end(body);
    });
}

/**
 * A transport to an application in the same process, such as `controlApp` makes: nothing is opened.
 */
export function fetchTransport(
  fetch: (request: Request) => Response | Promise<Response>,
): Transport {
  return async ({ method, path, body, signal }) => {
    const url = `http://localhost${path}`;
    const sent = body === undefined ? {} : { body };
    const response = await fetch(new Request(url, { method, signal, ...sent }));
    return { status: response.status, body: chunksOf(response, signal) };
  };
}

async function* bytesOf(response: IncomingMessage, path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) yield chunk as Uint8Array;
  } catch (thrown) {
    throw unreachable(path, thrown);
  } finally {
    response.destroy();
  }
}

async function* chunksOf(response: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value as Uint8Array;
    }
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}

function unreachable(path: string, cause: unknown): SkepError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const why =
    code === 'ENOENT' || code === 'ECONNREFUSED'
      ? `no manager answers at ${path}; is the cluster up?`
      : code === 'EACCES'
        ? `this user may not open ${path}`
        : `the connection to the manager at ${path} broke: ${messageOf(cause)}`;
  return new SkepError('unavailable', why, { details: { path, reason: code }, cause });
}
