/**
 * Serves a manager's link on a unix socket, to nodes on the same machine.
 */
import { chmodSync, lstatSync, renameSync, statSync, unlinkSync, type Stats } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { silentLogger, SkepError, type Clock, type Logger, type NodeLink } from '@skep/api';
import { ManagerConnection } from './manager-connection.js';

/** Connections that are open at a time; further ones are closed at once. */
const CONNECTIONS_MAX = 4_096;
/** Longest path of a unix socket, in bytes. **Source:** unix(7), `sun_path`. */
const PATH_BYTES_MAX = 107;

/** What serving a link needs. */
export interface ServeNodeLinkOptions {
  /** Where the socket is made, in a folder that is there. Only the owner may use it (0600). */
  readonly path: string;
  /** Where sessions are opened: a manager's `link`. */
  readonly link: NodeLink;
  readonly clock: Clock;
  readonly logger?: Logger;
}

/** A link that is being served. */
export interface NodeLinkServer {
  /**
   * Ends all connections, telling each node that the manager stops, and takes the socket away.
   * Resolves within 2 s. Sessions are not touched: a manager that stops ends its own.
   */
  close(): Promise<void>;
}

/**
 * Serves the link until it is closed. A socket that a dead process left is replaced; nodes that
 * connect meanwhile are never refused by a half-made one, as it takes its name when it listens.
 * @throws already-exists when somebody else listens there, or the path is no socket;
 * invalid-argument for a path that is too long (more than about 95 bytes); not-found without its
 * folder; permission-denied.
 */
export async function serveNodeLink(options: ServeNodeLinkOptions): Promise<NodeLinkServer> {
  const { path, link, clock, logger = silentLogger } = options;
  const madeAt = `${path}.${process.pid}`;
  if (Buffer.byteLength(madeAt) > PATH_BYTES_MAX) {
    const text = `the path of a socket has at most ${PATH_BYTES_MAX} bytes, with its process id`;
    throw new SkepError('invalid-argument', `${text}: ${madeAt}`, { details: { path } });
  }
  await checkFree(path);
  const connections = new Set<ManagerConnection>();
  const server = createServer((stream) => {
    const onClosed = (): void => void connections.delete(connection);
    const connection = new ManagerConnection({ stream, link, clock, logger, onClosed });
    connections.add(connection);
  });
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, madeAt, path);
  server.on('error', (error) => logger.error('the link of nodes failed', { error: error.message }));
  const own = statSync(path);
  return {
    close: () =>
      new Promise((resolve) => {
        if (isSame(path, own)) unlinkSync(path);
        server.close(() => resolve());
        for (const connection of [...connections]) connection.stop('the manager stopped');
      }),
  };
}

/** Listens under a name of its own first: what has the right name is ready, and ours alone. */
async function listen(server: Server, madeAt: string, path: string): Promise<void> {
  try {
    unlinkIfThere(madeAt);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(madeAt, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
    chmodSync(madeAt, 0o600);
    renameSync(madeAt, path);
  } catch (thrown) {
    server.close();
    throw listenError(path, thrown as NodeJS.ErrnoException);
  }
}

function listenError(path: string, error: NodeJS.ErrnoException): SkepError {
  const { code = '', message } = error;
  const kind = /^E(ACCES|PERM)$/.test(code) ? 'permission-denied' : 'internal';
  const text = `nodes cannot be served at ${path}: ${message}`;
  return new SkepError(kind, text, { details: { path }, cause: error });
}

/**
 * @throws already-exists unless the path is free, or a socket that nobody listens at; not-found
 * without its folder.
 */
async function checkFree(path: string): Promise<void> {
  const details = { path };
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true) {
    const text = `nodes cannot be served at ${path}: its folder does not exist`;
    throw new SkepError('not-found', text, { details });
  }
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket()) {
    throw new SkepError('already-exists', `${path} is there already, and no socket`, { details });
  }
  const isAnswered = await new Promise<boolean>((resolve) => {
    const probe = createConnection(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (!isAnswered) return;
  throw new SkepError('already-exists', `another manager serves ${path}: stop it first`, {
    details,
  });
}

function unlinkIfThere(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path);
}

/** Whether the path is still the socket that we made. */
function isSame(path: string, own: Stats): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false });
  return there !== undefined && there.ino === own.ino && there.dev === own.dev;
}
