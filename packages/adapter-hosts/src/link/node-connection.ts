/**
 * The node's end of a connection: one session with a manager.
 */
import type { Duplex } from 'node:stream';
import {
  SkepError,
  type Clock,
  type HeartbeatReply,
  type NodeHello,
  type NodeLinkHandlers,
  type NodeSession,
  type Timer,
} from '@skep/api';
import { AnswerSender } from './answer-sender.js';
import { AssignmentParts } from './assignment-parts.js';
import type { Frame } from './frame.js';
import { connectionLost, FrameStream } from './frame-stream.js';
import {
  brokenProtocol,
  CALLS_MAX,
  checkQuestion,
  errorFromWire,
  errorToWire,
  isCount,
  PROTOCOL,
  type Method,
  type NodeFrame,
} from './wire.js';

/** Questions that a node works on at a time, whatever its manager thinks. */
const QUESTIONS_OPEN_MAX = 256;

/** What a node's end is made of. */
export interface NodeConnectionOptions {
  readonly stream: Duplex;
  readonly hello: NodeHello;
  readonly handlers: NodeLinkHandlers;
  readonly clock: Clock;
  /** Time that the answer to a call may take. */
  readonly timeoutMs: number;
}

interface Call {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: Timer;
}

/** See the module comment. It is opened once. */
export class NodeConnection {
  readonly #options: NodeConnectionOptions;
  readonly #frames: FrameStream;
  readonly #parts = new AssignmentParts();
  readonly #calls = new Map<number, Call>();
  readonly #answers = new Map<number, AnswerSender>();
  #lastCall = 0;
  #lastQuestion = 0;
  /** Told of the session, or why there is none; undefined once it is. */
  #opening: { resolve(session: NodeSession): void; reject(error: unknown): void } | undefined;
  /** Frames that came right behind `opened`: the caller has to have its session first. */
  #held: (() => void)[] | undefined;
  /** Why the session is over; undefined while it is not. */
  #end: string | undefined;

  constructor(options: NodeConnectionOptions) {
    this.#options = options;
    this.#frames = new FrameStream({
      stream: options.stream,
      clock: options.clock,
      onFrame: (frame, bytes) => this.#hear(() => this.#take(frame, bytes)),
      onClosed: (reason) => this.#hear(() => this.#lost(reason)),
    });
  }

  /** Says hello. @throws what the manager refuses with; unavailable when it does not answer */
  open(): Promise<NodeSession> {
    const { hello, handlers } = this.#options;
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
      const answers = handlers.ask !== undefined;
      try {
        this.#send({ type: 'hello', protocol: PROTOCOL, hello, answers });
      } catch (thrown) {
        this.#refuse(thrown);
      }
    });
  }

  /** Gives up, from this side. */
  destroy(reason: string): void {
    this.#frames.destroy(reason);
  }

  #send(frame: NodeFrame): void {
    this.#frames.send(frame);
  }

  #hear(run: () => void): void {
    if (this.#held === undefined) run();
    else this.#held.push(run);
  }

  #take(frame: Frame, bytes: number): void {
    const { type } = frame;
    if (this.#opening !== undefined) {
      if (type === 'opened') return this.#opened(frame);
      if (type === 'refused') return this.#refuse(errorFromWire(frame['error']));
      throw brokenProtocol(`'${String(type)}' before the session was opened`);
    }
    if (this.#end !== undefined && type !== 'reply') return;
    if (type === 'reply') return this.#replied(frame);
    if (type === 'assignment') {
      const assignment = this.#parts.take(frame, bytes);
      if (assignment !== undefined) this.#options.handlers.assignment(assignment);
      return;
    }
    if (type === 'closed') {
      this.#over(String(frame['reason']), 'failed-precondition');
      return this.#frames.end('the session is over');
    }
    if (type === 'ask') return this.#ask(frame);
    const answer = this.#answerer(frame);
    if (type === 'cancel') return answer?.cancel();
    const { credit } = frame;
    if (type !== 'more' || !isCount(credit)) throw brokenProtocol(`unknown: '${String(type)}'`);
    answer?.more(credit);
  }

  #opened(frame: Frame): void {
    const { sessionId, heartbeatPeriodMs, takesNotices } = frame;
    if (typeof sessionId !== 'string' || !isCount(heartbeatPeriodMs)) {
      throw brokenProtocol('opened needs sessionId and heartbeatPeriodMs');
    }
    const opening = this.#opening;
    this.#opening = undefined;
    this.#held = [];
    opening?.resolve({
      sessionId,
      heartbeatPeriodMs,
      heartbeat: async () => heartbeatReply(await this.#call('heartbeat')),
      report: async (reports) => void (await this.#call('report', reports)),
      acknowledge: async (ack) => void (await this.#call('acknowledge', ack)),
      describe: async (description) => void (await this.#call('describe', description)),
      ...(takesNotices === true
        ? { tell: async (notices) => void (await this.#call('tell', notices)) }
        : {}),
      close: () => this.#close(),
    });
    this.#options.clock.defer(() => this.#release());
  }

  /** Goes on with what came while the caller was given its session. */
  #release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    try {
      for (const run of held) run();
    } catch (thrown) {
      this.#frames.destroy(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }

  #refuse(error: unknown): void {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#end = 'the session was not opened';
    opening?.reject(error);
    this.#frames.end(this.#end);
  }

  /** The connection is over, whoever ended it. */
  #lost(reason: string): void {
    if (this.#opening !== undefined) this.#refuse(connectionLost(reason));
    else this.#over(`the connection to the manager was lost: ${reason}`, 'unavailable');
    // Those of `close`, which outlive the session.
    for (const call of [...this.#calls.values()]) call.resolve(undefined);
  }

  /** The session ends from the other side, or by itself. */
  #over(reason: string, code: 'unavailable' | 'failed-precondition'): void {
    if (this.#end !== undefined) return;
    this.#stop(reason, code);
    try {
      this.#options.handlers.closed(reason);
    } catch {
      // The session is over already; there is nothing left to save.
    }
  }

  #stop(reason: string, code: 'unavailable' | 'failed-precondition'): void {
    this.#end = reason;
    for (const call of [...this.#calls.values()]) {
      call.reject(new SkepError(code, `the session is over: ${reason}`));
    }
    for (const answer of [...this.#answers.values()]) answer.cancel();
  }

  async #close(): Promise<void> {
    if (this.#end !== undefined) return;
    this.#stop('closed by the node', 'failed-precondition');
    await this.#request('close', undefined).catch(() => undefined);
    this.#frames.end('closed by the node');
  }

  async #call(method: Method, value?: unknown): Promise<unknown> {
    if (this.#end !== undefined) {
      throw new SkepError('failed-precondition', `the session is over: ${this.#end}`);
    }
    if (this.#calls.size >= CALLS_MAX) {
      const text = `${CALLS_MAX} calls wait for the manager's answer already`;
      throw new SkepError('resource-exhausted', text);
    }
    return this.#request(method, value);
  }

  #request(method: Method, value: unknown): Promise<unknown> {
    const { clock, timeoutMs } = this.#options;
    const id = (this.#lastCall += 1);
    return new Promise((resolve, reject) => {
      const over = (settle: () => void): void => {
        timer.cancel();
        this.#calls.delete(id);
        settle();
      };
      const late = (): void => {
        const text = `the manager did not answer '${method}' within ${timeoutMs} ms`;
        over(() => reject(new SkepError('unavailable', text)));
      };
      const options = { label: 'call timeout', isPeriodic: true };
      const timer = clock.schedule(clock.now() + timeoutMs, late, options);
      this.#calls.set(id, {
        timer,
        resolve: (answer) => over(() => resolve(answer)),
        reject: (error) => over(() => reject(error)),
      });
      try {
        this.#send({ type: 'call', id, method, ...(value === undefined ? {} : { value }) });
      } catch (thrown) {
        over(() => reject(thrown));
      }
    });
  }

  /** A reply that came too late is ignored. */
  #replied({ id, value, error }: Frame): void {
    if (!isCount(id) || id > this.#lastCall) throw brokenProtocol('a reply to no call');
    const call = this.#calls.get(id);
    if (error === undefined) call?.resolve(value);
    else call?.reject(errorFromWire(error));
  }

  #ask(frame: Frame): void {
    const { question, credit } = frame;
    if (!isCount(question) || question <= this.#lastQuestion || !isCount(credit)) {
      throw brokenProtocol('a question needs a number of its own, and credit');
    }
    this.#lastQuestion = question;
    const what = checkQuestion(frame['what']);
    const { handlers } = this.#options;
    if (handlers.ask === undefined || this.#answers.size >= QUESTIONS_OPEN_MAX) {
      const error = new SkepError('resource-exhausted', 'the node answers no further questions');
      return this.#send({ type: 'answered', question, error: errorToWire(error) });
    }
    const ask = handlers.ask.bind(handlers);
    const sender = new AnswerSender({
      question,
      credit,
      answers: (signal) => ask(what, signal),
      send: (answer) => this.#send(answer),
      onOver: () => this.#answers.delete(question),
    });
    this.#answers.set(question, sender);
    sender.start();
  }

  #answerer({ question }: Frame): AnswerSender | undefined {
    if (!isCount(question) || question > this.#lastQuestion) {
      throw brokenProtocol('a word about a question that was not asked');
    }
    return this.#answers.get(question);
  }
}

function heartbeatReply(value: unknown): HeartbeatReply {
  const periodMs = (value as { readonly periodMs?: unknown } | undefined)?.periodMs;
  if (isCount(periodMs) && periodMs > 0) return { periodMs };
  throw brokenProtocol('the answer to a heartbeat needs periodMs');
}
