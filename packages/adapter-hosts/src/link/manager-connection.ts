/**
 * The manager's end of a connection: one node, from its hello to the end of the session.
 */
import type { Duplex } from 'node:stream';
import {
  messageOf,
  SkepError,
  type Assignment,
  type Clock,
  type Logger,
  type NodeAnswer,
  type NodeDescription,
  type NodeLink,
  type NodeLinkHandlers,
  type NodeQuestion,
  type NodeSession,
  type Timer,
} from '@skep/api';
import { AnswerReader } from './answer-reader.js';
import { splitAssignment } from './assignment-parts.js';
import type { Frame } from './frame.js';
import { FrameStream } from './frame-stream.js';
import {
  brokenProtocol,
  CALLS_MAX,
  checkHello,
  checkNotices,
  checkReports,
  errorToWire,
  isCount,
  isDescription,
  isObject,
  type ManagerFrame,
} from './wire.js';

/** A node says hello within this time. */
export const HELLO_TIMEOUT_MS = 5_000;

/** What a manager's end is made of. */
export interface ManagerConnectionOptions {
  readonly stream: Duplex;
  /** Where sessions are opened. */
  readonly link: NodeLink;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once, when the connection is over. */
  readonly onClosed: () => void;
}

/**
 * See the module comment.
 *
 * A connection that is lost does not end the session: only the node does, or the manager, which
 * notices a silent one by its heartbeats. Until then nobody has said that the node left, and what
 * waits for its tables waits on. The node's next session replaces this one.
 */
export class ManagerConnection {
  readonly #options: ManagerConnectionOptions;
  readonly #frames: FrameStream;
  readonly #questions = new Map<number, AnswerReader>();
  readonly #helloTimer: Timer;
  #lastQuestion = 0;
  #calls = 0;
  #nodeId = '';
  #hasSaidHello = false;
  #session: NodeSession | undefined;
  /** What the manager said before the node was told that its session is open. */
  #held: (() => void)[] = [];
  /** The session is over, not just the connection. */
  #isOver = false;

  constructor(options: ManagerConnectionOptions) {
    const { stream, clock } = options;
    this.#options = options;
    this.#frames = new FrameStream({
      stream,
      clock,
      onFrame: (frame, bytes) => this.#take(frame, bytes),
      onClosed: (reason) => this.#lost(reason),
    });
    const late = (): void => this.#frames.destroy(`no hello within ${HELLO_TIMEOUT_MS} ms`);
    this.#helloTimer = clock.schedule(clock.now() + HELLO_TIMEOUT_MS, late, {
      label: 'hello of a node',
      isPeriodic: true,
    });
  }

  /** The manager goes away: says so and ends the connection. The session is not touched. */
  stop(reason: string): void {
    this.#send({ type: 'closed', reason });
    this.#frames.end(reason);
  }

  #send(...frames: readonly ManagerFrame[]): void {
    this.#frames.send(...frames);
  }

  #take(frame: Frame, bytes: number): void {
    if (!this.#hasSaidHello) return this.#greet(frame);
    if (this.#session === undefined) throw brokenProtocol('a node waits until its session is open');
    const { type } = frame;
    if (type === 'call') return this.#called(frame, this.#session);
    const { question } = frame;
    if ((type !== 'answer' && type !== 'answered') || !isCount(question)) {
      throw brokenProtocol(`unknown: '${String(type)}'`);
    }
    if (question > this.#lastQuestion) throw brokenProtocol('an answer to no question');
    const reader = this.#questions.get(question);
    if (type === 'answer') reader?.take(frame['answer'], bytes);
    else reader?.answered(frame['error']);
  }

  #greet(frame: Frame): void {
    this.#hasSaidHello = true;
    this.#helloTimer.cancel();
    try {
      const { hello, answers } = checkHello(frame);
      this.#nodeId = hello.nodeId;
      const open = this.#options.link.open(hello, this.#handlers(answers));
      open.then(
        (session) => this.#opened(session),
        (thrown: unknown) => this.#refuse(thrown),
      );
    } catch (thrown) {
      this.#refuse(thrown);
    }
  }

  #refuse(thrown: unknown): void {
    this.#isOver = true;
    this.#send({ type: 'refused', error: errorToWire(thrown) });
    this.#frames.end(messageOf(thrown));
  }

  #opened(session: NodeSession): void {
    if (!this.#frames.isOpen) {
      // The node gave up before it knew of its session.
      this.#isOver = true;
      void session.close().catch(() => undefined);
      return;
    }
    this.#session = session;
    const { sessionId, heartbeatPeriodMs } = session;
    const takesNotices = session.tell !== undefined;
    this.#send({ type: 'opened', sessionId, heartbeatPeriodMs, takesNotices });
    for (const say of this.#held.splice(0)) say();
  }

  #handlers(answers: boolean): NodeLinkHandlers {
    return {
      assignment: (assignment) => this.#assign(assignment),
      closed: (reason) => this.#say(() => this.#closed(reason)),
      ...(answers
        ? { ask: (question: NodeQuestion, signal: AbortSignal) => this.#ask(question, signal) }
        : {}),
    };
  }

  /** @throws resource-exhausted when it does not fit on the link, which the manager has to know. */
  #assign(assignment: Assignment): void {
    if (!this.#frames.isOpen) return;
    const parts = splitAssignment(assignment);
    this.#say(() => this.#send(...parts.map((part) => ({ type: 'assignment' as const, ...part }))));
  }

  #say(say: () => void): void {
    if (this.#session === undefined) this.#held.push(say);
    else say();
  }

  #closed(reason: string): void {
    this.#isOver = true;
    this.stop(reason);
  }

  #ask(what: NodeQuestion, signal: AbortSignal): AsyncIterable<NodeAnswer> {
    if (!this.#frames.isOpen) throw this.#unanswered('its connection is lost');
    const question = (this.#lastQuestion += 1);
    const reader = new AnswerReader({
      question,
      signal,
      send: (frame) => this.#send(frame),
      onOver: () => this.#questions.delete(question),
    });
    this.#questions.set(question, reader);
    try {
      this.#send({ type: 'ask', question, what, credit: reader.credit });
    } catch (thrown) {
      this.#questions.delete(question);
      throw thrown;
    }
    return reader;
  }

  #unanswered(reason: string): SkepError {
    const text = `node ${this.#nodeId} does not answer: ${reason}`;
    return new SkepError('unavailable', text, { details: { nodeId: this.#nodeId } });
  }

  /** Calls are begun in the order in which they come. */
  #called({ id, method, value }: Frame, session: NodeSession): void {
    if (!isCount(id)) throw brokenProtocol('a call needs a number');
    if (this.#calls >= 2 * CALLS_MAX) throw brokenProtocol('too many calls at a time');
    this.#calls += 1;
    const reply = (answer: { readonly value?: unknown } | { readonly error: object }): void => {
      this.#calls -= 1;
      this.#send({ type: 'reply', id, ...answer } as ManagerFrame);
    };
    this.#perform(method, value, session).then(
      (result) => reply(result === undefined ? {} : { value: result }),
      (thrown: unknown) => reply({ error: errorToWire(thrown) }),
    );
  }

  async #perform(method: unknown, value: unknown, session: NodeSession): Promise<unknown> {
    switch (method) {
      case 'heartbeat':
        return session.heartbeat();
      case 'report':
        return session.report(checkReports(value));
      case 'acknowledge': {
        const appliedRevision = isObject(value) ? value['appliedRevision'] : undefined;
        if (!isCount(appliedRevision)) throw brokenProtocol('an ack needs appliedRevision');
        return session.acknowledge({ appliedRevision });
      }
      case 'describe':
        if (!isDescription(value)) throw brokenProtocol('what a node says of itself is incomplete');
        return session.describe(value as NodeDescription);
      case 'tell':
        return session.tell?.(checkNotices(value));
      case 'close':
        this.#isOver = true;
        return session.close();
      default:
        throw new SkepError('unimplemented', `a node cannot call '${String(method)}'`);
    }
  }

  #lost(reason: string): void {
    this.#helloTimer.cancel();
    if (!this.#isOver) {
      this.#options.logger.info('connection of a node lost', { nodeId: this.#nodeId, reason });
    }
    this.#held = [];
    for (const reader of [...this.#questions.values()]) reader.fail(this.#unanswered(reason));
    this.#options.onClosed();
  }
}
