/**
 * Answers a UDP port: each client gets a socket of its own towards a node, so that answers find
 * their way back. A session ends when nothing was sent for a while; beyond the bound, that which
 * was silent longest ends.
 */
import { createSocket, type Socket } from 'node:dgram';
import type { Forwarder, ForwarderOptions } from './tcp-forwarder.js';
import type { PortTarget } from './wanted-ports.js';

/** What a UDP forwarder is given. */
export interface UdpForwarderOptions extends Omit<ForwarderOptions, 'connectTimeoutMs'> {
  /** Sessions that are silent for so long end. Default: 60,000. */
  readonly idleMs?: number;
}

interface Session {
  readonly upstream: Socket;
  /** Datagrams that came before the socket was ready; undefined once it is. */
  waiting: Buffer[] | undefined;
  usedAt: number;
}

const SESSIONS_MAX = 1_024;
const IDLE_MS = 60_000;
/** Datagrams of a client that wait for its socket, at most; more are lost, as they may be. */
const WAITING_MAX = 16;

/** Listens. @throws what the system says, as an error with a `code`. */
export async function forwardUdp(options: UdpForwarderOptions): Promise<Forwarder> {
  const forwarder = new UdpForwarder(options);
  await forwarder.listen();
  return forwarder;
}

class UdpForwarder implements Forwarder {
  readonly #options: UdpForwarderOptions;
  readonly #socket: Socket;
  /** By client; in order of use, that which was silent longest first. */
  readonly #sessions = new Map<string, Session>();
  #turn = 0;
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: UdpForwarderOptions) {
    this.#options = options;
    const type = options.address.includes(':') ? 'udp6' : 'udp4';
    this.#socket = createSocket({ type, ipv6Only: type === 'udp6' });
    this.#socket.on('message', (data, { address, port }) => this.#take(data, address, port));
  }

  listen(): Promise<void> {
    const { address, port, idleMs = IDLE_MS } = this.#options;
    return new Promise((resolve, reject) => {
      this.#socket.once('error', (error) => {
        this.#socket.close();
        reject(error);
      });
      this.#socket.bind({ address, port, exclusive: true }, () => {
        this.#socket.removeAllListeners('error').on('error', () => undefined);
        this.#sweep = setInterval(() => this.#endSilent(idleMs), idleMs / 4).unref();
        resolve();
      });
    });
  }

  close(): Promise<void> {
    clearInterval(this.#sweep);
    for (const key of [...this.#sessions.keys()]) this.#end(key);
    return new Promise((resolve) => {
      this.#socket.close(() => resolve());
    });
  }

  #take(data: Buffer, address: string, port: number): void {
    const key = `${address} ${port}`;
    const session = this.#sessions.get(key) ?? this.#open(key, address, port);
    if (session === undefined) return;
    this.#used(key, session);
    if (session.waiting === undefined) session.upstream.send(data);
    else if (session.waiting.length < WAITING_MAX) session.waiting.push(data);
  }

  #open(key: string, address: string, port: number): Session | undefined {
    const target = this.#nextTarget();
    if (target === undefined) return undefined;
    const { sessionsMax = SESSIONS_MAX } = this.#options;
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= sessionsMax && oldest !== undefined) this.#end(oldest);
    const upstream = createSocket(target.address.includes(':') ? 'udp6' : 'udp4');
    const session: Session = { upstream, waiting: [], usedAt: performance.now() };
    this.#sessions.set(key, session);
    upstream.on('message', (data) => {
      this.#used(key, session);
      this.#socket.send(data, port, address);
    });
    // Nobody is there: the next datagram is for another node.
    upstream.on('error', () => this.#end(key, session));
    upstream.connect(target.port, target.address, () => {
      const waiting = session.waiting ?? [];
      session.waiting = undefined;
      for (const data of waiting) upstream.send(data);
    });
    return session;
  }

  #nextTarget(): PortTarget | undefined {
    const targets = this.#options.targets();
    this.#turn += 1;
    return targets[this.#turn % Math.max(targets.length, 1)];
  }

  #used(key: string, session: Session): void {
    if (this.#sessions.get(key) !== session) return;
    session.usedAt = performance.now();
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
  }

  #endSilent(idleMs: number): void {
    const before = performance.now() - idleMs;
    for (const [key, { usedAt }] of this.#sessions) {
      if (usedAt > before) return;
      this.#end(key);
    }
  }

  #end(key: string, only?: Session): void {
    const session = this.#sessions.get(key);
    if (session === undefined || (only !== undefined && only !== session)) return;
    this.#sessions.delete(key);
    session.upstream.close();
  }
}
