/**
 * One question to one upstream server, and what came of it. Never throws: silence and refusal are
 * outcomes.
 *
 * **Source:** RFC 1035 §4.2.
 */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { DnsTransport, UpstreamOutcome } from '@skep/network';
import type { ServerAddress } from './upstream-servers.js';

const UNREACHABLE: UpstreamOutcome = Object.freeze({ type: 'unreachable' });
const TIMEOUT: UpstreamOutcome = Object.freeze({ type: 'timeout' });

/** A question that goes out. */
export interface Exchange {
  readonly bytes: Uint8Array;
  readonly server: ServerAddress;
  readonly timeoutMs: number;
  readonly transport: DnsTransport;
}

/** Asks from this process. A socket for each question: its port is as hard to guess as its id. */
export function exchange(question: Exchange): Promise<UpstreamOutcome> {
  return question.transport === 'udp' ? exchangeUdp(question) : exchangeTcp(question);
}

function exchangeUdp({ bytes, server, timeoutMs }: Exchange): Promise<UpstreamOutcome> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
    const end = (outcome: UpstreamOutcome): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      // A port that nobody has answers by ICMP, maybe after the end.
      socket.on('error', () => undefined);
      socket.close();
      resolve(outcome);
    };
    const timer = setTimeout(() => end(TIMEOUT), timeoutMs);
    socket.on('error', () => end(UNREACHABLE));
    socket.on('message', (response) => {
      if (isAnswerTo(response, bytes)) end({ type: 'response', bytes: response });
    });
    socket.connect(server.port, server.address, () => socket.send(bytes));
  });
}

function exchangeTcp({ bytes, server, timeoutMs }: Exchange): Promise<UpstreamOutcome> {
  return new Promise((resolve) => {
    const frames = new FrameReader();
    const socket = connect({ host: server.address, port: server.port });
    const end = (outcome: UpstreamOutcome): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on('error', () => undefined);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => end(TIMEOUT), timeoutMs);
    socket.on('error', () => end(UNREACHABLE));
    socket.on('close', () => end(UNREACHABLE));
    socket.on('connect', () => socket.write(frameOf(bytes)));
    socket.on('data', (chunk: Buffer) => {
      const response = frames.add(chunk).find((frame) => isAnswerTo(frame, bytes));
      if (response !== undefined) end({ type: 'response', bytes: response });
    });
  });
}

/** Whether a message is a response with the id of the question. */
function isAnswerTo(response: Buffer, question: Uint8Array): boolean {
  return (
    response.length >= 12 &&
    response[0] === question[0] &&
    response[1] === question[1] &&
    ((response[2] ?? 0) & 0x80) !== 0
  );
}

/** A message as it goes over TCP: its length in front. */
export function frameOf(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Takes messages out of a stream. Keeps at most one message and a chunk. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The messages that are whole with this chunk. */
  add(chunk: Buffer): readonly Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const frames: Buffer[] = [];
    while (this.#rest.length >= 2) {
      const end = 2 + this.#rest.readUInt16BE(0);
      if (this.#rest.length < end) break;
      frames.push(this.#rest.subarray(2, end));
      this.#rest = this.#rest.subarray(end);
    }
    return frames;
  }
}

interface Waiting {
  readonly server: ServerAddress;
  readonly id: number;
  readonly end: (outcome: UpstreamOutcome) => void;
}

/** Ids that a socket can have under way. */
const IDS = 0x1_0000;

/**
 * Asks by a socket of another namespace. Many questions share it, so each gets an id of its own,
 * and its answer the id it came with. Datagrams only: there is no way to connect there.
 */
export class SharedExchange {
  readonly #socket: DatagramSocket;
  readonly #waiting = new Map<number, Waiting>();
  #nextId: number;

  constructor(socket: DatagramSocket, firstId: number) {
    this.#socket = socket;
    this.#nextId = firstId % IDS;
    socket.on('message', (response, { address, port }) => {
      if (response.length < 12 || ((response[2] ?? 0) & 0x80) === 0) return;
      const waiting = this.#waiting.get(response.readUInt16BE(0));
      const { server } = waiting ?? {};
      if (server?.address !== address || server.port !== port) return;
      const bytes = Buffer.from(response);
      bytes.writeUInt16BE(waiting?.id ?? 0, 0);
      waiting?.end({ type: 'response', bytes });
    });
    socket.on('error', () => undefined);
  }

  /** As {@link exchange}; `unreachable` for a server of the other family. */
  ask({ bytes, server, timeoutMs }: Exchange): Promise<UpstreamOutcome> {
    const id = this.#freeId();
    if (id === undefined || isIPv6(server.address)) return Promise.resolve(UNREACHABLE);
    const question = Buffer.from(bytes);
    const own = question.readUInt16BE(0);
    question.writeUInt16BE(id, 0);
    return new Promise((resolve) => {
      const end = (outcome: UpstreamOutcome): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(outcome);
      };
      const timer = setTimeout(() => end(TIMEOUT), timeoutMs);
      this.#waiting.set(id, { server, id: own, end });
      this.#socket.send(question, server.port, server.address, (fault) => {
        // There is no way out of an internal network.
        if (fault !== null) end(UNREACHABLE);
      });
    });
  }

  /** Ends what is under way. */
  close(): void {
    for (const { end } of [...this.#waiting.values()]) end(UNREACHABLE);
  }

  #freeId(): number | undefined {
    for (let tries = 0; tries < IDS; tries += 1) {
      this.#nextId = (this.#nextId + 1) % IDS;
      if (!this.#waiting.has(this.#nextId)) return this.#nextId;
    }
    return undefined;
  }
}
