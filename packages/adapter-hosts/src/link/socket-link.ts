/**
 * A link to a manager over a stream of bytes: a unix socket here, later TLS.
 */
import { createConnection } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  messageOf,
  SkepError,
  type Clock,
  type NodeHello,
  type NodeLink,
  type NodeLinkHandlers,
  type NodeSession,
} from '@skep/api';
import { NodeConnection } from './node-connection.js';

/** **Source:** SwarmKit agent, RPC timeout. */
const TIMEOUT_MS = 5_000;

/** What a link over any stream needs. */
export interface StreamNodeLinkOptions {
  /** Makes a connection; gives up when the signal fires. */
  readonly connect: (signal: AbortSignal) => Promise<Duplex>;
  readonly clock: Clock;
  /** Time that a connection with its session, and then the answer to a call, may take. */
  readonly timeoutMs?: number;
}

/** What a link over a unix socket needs. */
export interface SocketNodeLinkOptions {
  /** The socket that the manager serves. */
  readonly path: string;
  readonly clock: Clock;
  /**
   * Time that the answer to a call may take; then it rejects with `unavailable`. Default: 5000.
   * Longer: a busy manager is waited for; shorter: a dead one is noticed sooner.
   */
  readonly timeoutMs?: number;
}

/**
 * A link to the manager that serves this socket ({@link serveNodeLink}). Each session has a
 * connection of its own. A manager that is gone is `unavailable`, and the next attempt finds the
 * one that serves the socket then.
 */
export function socketNodeLink({ path, ...options }: SocketNodeLinkOptions): NodeLink {
  return streamNodeLink({ ...options, connect: (signal) => connectTo(path, signal) });
}

/** A link over connections that `connect` makes. */
export function streamNodeLink(options: StreamNodeLinkOptions): NodeLink {
  return { open: (hello, handlers) => open(options, hello, handlers) };
}

async function open(
  { connect, clock, timeoutMs = TIMEOUT_MS }: StreamNodeLinkOptions,
  hello: NodeHello,
  handlers: NodeLinkHandlers,
): Promise<NodeSession> {
  const abort = new AbortController();
  let connection: NodeConnection | undefined;
  const text = `the manager did not open the session within ${timeoutMs} ms`;
  const late = new Promise<never>((_resolve, reject) => {
    abort.signal.addEventListener('abort', () => reject(new SkepError('unavailable', text)));
  });
  const timer = clock.schedule(clock.now() + timeoutMs, () => abort.abort(), {
    label: 'connection timeout',
    isPeriodic: true,
  });
  const opening = async (): Promise<NodeSession> => {
    const stream = await connect(abort.signal);
    if (abort.signal.aborted) {
      stream.destroy();
      throw new SkepError('unavailable', text);
    }
    connection = new NodeConnection({ stream, hello, handlers, clock, timeoutMs });
    return connection.open();
  };
  try {
    return await Promise.race([opening(), late]);
  } catch (thrown) {
    connection?.destroy(messageOf(thrown));
    throw thrown;
  } finally {
    timer.cancel();
  }
}

function connectTo(path: string, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    // An error between the connection and its first reader is noticed by its end.
    socket.on('error', () => undefined);
    const giveUp = (): void => void socket.destroy();
    const fail = (error: NodeJS.ErrnoException): void => {
      signal.removeEventListener('abort', giveUp);
      const code = error.code === 'EACCES' ? 'permission-denied' : 'unavailable';
      const text = `no manager answers at ${path}: ${reasonOf(error)}`;
      reject(new SkepError(code, text, { details: { path }, cause: error }));
    };
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once('error', fail);
    socket.once('connect', () => {
      signal.removeEventListener('abort', giveUp);
      socket.removeListener('error', fail);
      resolve(socket);
    });
  });
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'there is no such socket';
  if (code === 'ECONNREFUSED') return 'nobody listens';
  if (code === 'EACCES') return 'this user may not use it';
  return message;
}
