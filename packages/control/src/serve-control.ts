/**
 * The control server on a unix socket.
 */
import { chmodSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { createAdaptorServer } from '@hono/node-server';
import { messageOf, silentLogger, SkepError } from '@skep/api';
import { systemClock } from '@skep/api/system';
import { controlApp, type ControlOptions } from './server/app.js';

/** Longest path of a unix socket, in bytes. **Source:** unix(7), sun_path. */
export const SOCKET_PATH_BYTES_MAX = 107;

/** Time that requests have to come to their end when the server stops. */
const GRACE_MS = 2_000;

/** Options of {@link serveControl}. */
export interface ServeOptions extends ControlOptions {
  /**
   * Where the socket is made: readable and writable for its owner only. A socket that nobody
   * answers at is replaced. Its folder has to exist, and should be its owner's alone.
   */
  readonly path: string;
}

/** A control server that listens. */
export interface ControlServer {
  readonly path: string;
  /**
   * Ends all streams (`unavailable`), lets requests finish for two seconds, and removes the socket.
   * Close it before the cluster stops. Again is nothing.
   */
  close(): Promise<void>;
}

/**
 * Serves a cluster on a unix socket. Whoever may open the socket may do everything.
 * @throws already-exists when another process answers there; invalid-argument for a path that is
 * too long; unavailable when it cannot listen there.
 */
export async function serveControl({ path, ...options }: ServeOptions): Promise<ControlServer> {
  const bytes = Buffer.byteLength(path);
  if (bytes === 0 || bytes > SOCKET_PATH_BYTES_MAX) {
    const message = `the path of a socket has 1 to ${SOCKET_PATH_BYTES_MAX} bytes, not ${bytes}`;
    throw new SkepError('invalid-argument', `${message}: '${path}'`, { details: { path } });
  }
  await removeStale(path);
  const stopping = new AbortController();
  const app = controlApp(options, stopping.signal);
  const { fetch } = app;
  // Whoever else is in this process keeps the Request and Response that it knows.
  const server = createAdaptorServer({ fetch, overrideGlobalObjects: false }) as Server;
  await listen(server, path);
  const { logger = silentLogger } = options;
  server.on('error', (error) => logger.error('control server failed', { error }));
  logger.info('control server listens', { path });
  let closed: Promise<void> | undefined;
  return { path, close: () => (closed ??= close(server, stopping)) };
}

async function close(server: Server, stopping: AbortController): Promise<void> {
  stopping.abort(new SkepError('unavailable', 'the manager is stopping'));
  await new Promise<void>((resolve) => {
    const clock = systemClock();
    const timer = clock.schedule(clock.now() + GRACE_MS, () => server.closeAllConnections());
    server.close(() => {
      timer.cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** A socket file outlives the process that made it, and nobody else can listen there then. */
async function removeStale(path: string): Promise<void> {
  const isAnswered = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') rmSync(path, { force: true });
      resolve(false);
    });
  });
  if (!isAnswered) return;
  throw new SkepError('already-exists', `another process answers at ${path}; stop it first`, {
    details: { path },
  });
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error): void => {
      const message = `cannot listen at ${path}: ${messageOf(error)}`;
      reject(new SkepError('unavailable', message, { details: { path }, cause: error }));
    };
    server.once('error', failed);
    const listening = (): void => {
      server.off('error', failed);
      resolve();
    };
    // The socket is made within the call, so nobody else's files get this mask, and nobody can
    // open the socket before its mode is right. A worker thread may not set a mask.
    const mask = isMainThread ? process.umask(0o177) : undefined;
    server.listen(path, listening);
    if (mask !== undefined) process.umask(mask);
  });
  chmodSync(path, 0o600);
}
