/**
 * Answers a TCP port and passes on what comes to a node: bytes, half closes and resets, in both
 * directions. A slow reader slows its writer down; nothing is kept beyond what the sockets hold.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { PortTarget } from './wanted-ports.js';

/** Something that answers a port of this machine. */
export interface Forwarder {
  close(): Promise<void>;
}

/** What a forwarder is given. */
export interface ForwarderOptions {
  /** Address of this machine to listen on. */
  readonly address: string;
  readonly port: number;
  /** Where to send what comes now: in turn, and the next when one does not answer. */
  readonly targets: () => readonly PortTarget[];
  /** Sessions at a time; more are refused. Default: 4,096. */
  readonly sessionsMax?: number;
  /** A node that has not answered after this is passed over. Default: 3,000. */
  readonly connectTimeoutMs?: number;
}

const SESSIONS_MAX = 4_096;
const CONNECT_TIMEOUT_MS = 3_000;
const KEEP_ALIVE_MS = 30_000;

/** Listens. @throws what the system says, as an error with a `code`. */
export async function forwardTcp(options: ForwarderOptions): Promise<Forwarder> {
  const { address, port, targets, sessionsMax = SESSIONS_MAX } = options;
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.once('close', () => sockets.delete(socket));
  };
  let turn = 0;
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    track(client);
    const all = targets();
    turn = (turn + 1) % Math.max(all.length, 1);
    const order = [...all.slice(turn), ...all.slice(0, turn)];
    void open(client, order, connectTimeoutMs, track);
  });
  server.maxConnections = sessionsMax;
  await listening(server, { host: address, port });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Finds a node that answers, and joins the two. */
async function open(
  client: Socket,
  targets: readonly PortTarget[],
  connectTimeoutMs: number,
  track: (socket: Socket) => Socket,
): Promise<void> {
  // Until the two are joined; the client may leave meanwhile.
  client.on('error', () => undefined);
  for (const target of targets) {
    if (client.destroyed) return;
    const upstream = await reached(target, connectTimeoutMs, track);
    if (upstream === undefined) continue;
    if (client.destroyed) upstream.destroy();
    else join(client, upstream);
    return;
  }
  client.resetAndDestroy();
}

/** The connection to a node; undefined when there is none to be had. */
function reached(
  { address, port }: PortTarget,
  timeoutMs: number,
  track: (socket: Socket) => Socket,
): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const upstream = track(connect({ host: address, port, allowHalfOpen: true }));
    const timer = setTimeout(() => upstream.destroy(), timeoutMs);
    const decide = (socket: Socket | undefined): void => {
      clearTimeout(timer);
      resolve(socket);
    };
    upstream.once('connect', () => decide(upstream));
    upstream.on('error', () => undefined);
    upstream.once('close', () => decide(undefined));
  });
}

function join(client: Socket, upstream: Socket): void {
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.setKeepAlive(true, KEEP_ALIVE_MS);
    one.setNoDelay(true);
    // `pipe` passes the end of one direction on, and pauses the reader for a slow writer.
    one.pipe(other);
    one.once('error', () => other.resetAndDestroy());
    one.once('close', () => {
      // Ended in order, the other way is closed too once all is written; else there is no other.
      if (!one.readableEnded || !one.writableFinished) other.destroy();
    });
  }
}

function listening(server: Server, where: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...where, ipv6Only: where.host.includes(':'), exclusive: true }, () => {
      server.off('error', reject);
      // A server that cannot take one connection goes on with the next.
      server.on('error', () => undefined);
      resolve();
    });
  });
}
