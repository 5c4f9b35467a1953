/**
 * A name server's sockets in one namespace: datagrams and connections in, answers out.
 *
 * **Source:** RFC 1035 §4.2, RFC 7766 (several questions on a connection, idle ones are closed).
 */
import type { Socket } from 'node:net';
import type { DnsTransport } from '@skep/network';
import { FrameReader, SharedExchange, frameOf } from './dns-exchange.js';
import { closeNameSockets, type NameSockets } from './name-sockets.js';

/** Answers a message of a client; undefined: it gets nothing. Must not reject. */
export type NameAnswerer = (
  bytes: Uint8Array,
  clientAddress: string,
  transport: DnsTransport,
) => Promise<Uint8Array | undefined>;

/** Connections at a time; more are closed at once. */
const CONNECTIONS_MAX = 256;
const IDLE_MS = 10_000;

/** Serves one namespace until it is closed. */
export class NameListener {
  /** Asks other servers from the namespace. */
  readonly upstream: SharedExchange;
  readonly #sockets: NameSockets;
  readonly #connections = new Set<Socket>();

  constructor(sockets: NameSockets, answer: NameAnswerer, firstId: number) {
    this.#sockets = sockets;
    this.upstream = new SharedExchange(sockets.client, firstId);
    const { udp, tcp } = sockets;
    udp.on('message', (bytes, { address, port }) => {
      void answer(bytes, address, 'udp').then((response) => {
        // Whoever asked may be gone.
        if (response !== undefined) this.#send(response, port, address);
      });
    });
    udp.on('error', () => undefined);
    tcp.on('connection', (socket) => this.#connected(socket, answer));
    tcp.on('error', () => undefined);
  }

  /** Ends the sockets and all connections. */
  close(): void {
    this.upstream.close();
    for (const socket of this.#connections) socket.destroy();
    this.#isClosed = true;
    closeNameSockets(this.#sockets);
  }

  #isClosed = false;

  #send(response: Uint8Array, port: number, address: string): void {
    if (!this.#isClosed) this.#sockets.udp.send(response, port, address, () => undefined);
  }

  #connected(socket: Socket, answer: NameAnswerer): void {
    if (this.#connections.size >= CONNECTIONS_MAX) {
      socket.destroy();
      return;
    }
    const frames = new FrameReader();
    this.#connections.add(socket);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      for (const bytes of frames.add(chunk)) {
        void answer(bytes, socket.remoteAddress ?? '', 'tcp').then((response) => {
          if (response !== undefined && socket.writable) socket.write(frameOf(response));
        });
      }
    });
  }
}
