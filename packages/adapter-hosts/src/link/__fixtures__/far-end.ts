/**
 * The far end of a connection in a test's own hands: it says what it likes, in whatever pieces.
 */
import type { Duplex } from 'node:stream';
import {
  SkepError,
  type Logger,
  type NodeHello,
  type NodeLink,
  type NodeLinkHandlers,
  type NodeSession,
} from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { duplexPair } from './duplex-pair.js';
import { ManagerConnection } from '../manager-connection.js';
import { streamNodeLink } from '../socket-link.js';

export const HELLO: NodeHello = {
  nodeId: 'n1',
  address: '192.0.2.1',
  description: {
    hostname: 'node1',
    platform: { os: 'linux', architecture: 'amd64' },
    resources: {},
    engine: { version: '1', labels: {} },
  },
};

type Said = Readonly<Record<string, unknown>>;

/** Frames said and heard on a raw stream. */
export class FarEnd {
  readonly heard: Said[] = [];
  /** How often the connection ended. */
  ends = 0;
  readonly stream: Duplex;
  #rest = '';

  constructor(stream: Duplex) {
    this.stream = stream;
    stream.on('error', () => undefined);
    stream.on('close', () => (this.ends += 1));
    this.read();
  }

  /** Reads on; the opposite of `stream.pause()`. */
  read(): void {
    this.stream.on('data', (piece: Buffer) => {
      const lines = (this.#rest + piece.toString('utf8')).split('\n');
      this.#rest = lines.pop() ?? '';
      this.heard.push(...lines.map((line) => JSON.parse(line) as Said));
    });
  }

  /** Says frames, all at once. */
  say(...frames: readonly Said[]): void {
    this.write(frames.map((frame) => `${JSON.stringify(frame)}\n`).join(''));
  }

  write(bytes: string | Uint8Array): void {
    if (this.stream.writable) this.stream.write(bytes);
  }

  /** What was heard of a type. */
  of(type: string): readonly Said[] {
    return this.heard.filter((frame) => frame['type'] === type);
  }
}

/** A manager that opens every session and writes down what it hears. */
export class PlainManager implements NodeLink {
  readonly calls: string[] = [];
  readonly nodes: NodeLinkHandlers[] = [];
  /** What opening waits for. */
  opening: Promise<void> = Promise.resolve();
  /** What a call waits for. */
  answering: Promise<void> = Promise.resolve();

  async open(hello: NodeHello, handlers: NodeLinkHandlers): Promise<NodeSession> {
    await this.opening;
    if (hello.nodeId === 'nobody') throw new SkepError('not-found', 'no such node');
    this.nodes.push(handlers);
    const call = async (name: string, value?: unknown): Promise<void> => {
      this.calls.push(value === undefined ? name : `${name} ${JSON.stringify(value)}`);
      await this.answering;
    };
    return {
      sessionId: `s${this.nodes.length}`,
      heartbeatPeriodMs: 5_000,
      heartbeat: async () => {
        await call('heartbeat');
        return { periodMs: 5_000 };
      },
      report: (reports) => call('report', reports),
      acknowledge: (ack) => call('acknowledge', ack),
      describe: () => call('describe'),
      tell: (notices) => call('tell', notices),
      close: () => call('close'),
    };
  }

  /** The node of a session. */
  node(index = 0): NodeLinkHandlers {
    const node = this.nodes[index];
    if (node === undefined) throw new Error('no session was opened');
    return node;
  }
}

/** A manager's end under test, and a node in the test's hands. */
export function facingManager() {
  const clock = new VirtualClock();
  const manager = new PlainManager();
  const [mine, stream] = duplexPair();
  const log: string[] = [];
  const write = (text: string, fields: object = {}): void => {
    log.push(`${text} ${JSON.stringify(fields)}`);
  };
  const logger: Logger = { debug: write, info: write, warn: write, error: write };
  let closed = 0;
  const connection = new ManagerConnection({
    stream,
    link: manager,
    clock,
    logger,
    onClosed: () => (closed += 1),
  });
  const node = new FarEnd(mine);
  return {
    clock,
    manager,
    node,
    connection,
    log,
    stream,
    /** How often the end under test said that it is over. */
    closed: () => closed,
    /** Says hello and waits for the session. */
    greet: async () => {
      node.say({ type: 'hello', protocol: 1, hello: HELLO, answers: true });
      await clock.flush();
    },
  };
}

/** A node's end under test, and a manager in the test's hands. */
export function facingNode(handlers: Partial<NodeLinkHandlers> = {}) {
  const clock = new VirtualClock();
  const [mine, stream] = duplexPair();
  const heard: string[] = [];
  const link = streamNodeLink({ clock, connect: async () => stream });
  const opening = link.open(HELLO, {
    assignment: ({ type, revision }) => heard.push(`${type} ${revision}`),
    closed: (reason) => heard.push(`closed: ${reason}`),
    ...handlers,
  });
  opening.catch(() => undefined);
  const manager = new FarEnd(mine);
  const opened = {
    type: 'opened',
    sessionId: 's1',
    heartbeatPeriodMs: 5_000,
    takesNotices: true,
  } as const;
  return {
    clock,
    manager,
    stream,
    /** What the node heard. */
    heard,
    opening,
    opened,
    /** Opens the session. */
    welcome: async (): Promise<NodeSession> => {
      await clock.flush();
      manager.say(opened);
      await clock.flush();
      return opening;
    },
  };
}

/** `code: message` of what a promise rejects with, `pending` while it does not settle. */
export function outcomeOf(promise: Promise<unknown>): () => string {
  let outcome = 'pending';
  promise.then(
    () => (outcome = 'answered'),
    (thrown: SkepError) => (outcome = `${thrown.code}: ${thrown.message}`),
  );
  return () => outcome;
}
