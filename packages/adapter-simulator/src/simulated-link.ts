/**
 * The way between a node and its manager: takes time, keeps order, can be cut.
 */
import {
  SkepError,
  type Clock,
  type NodeAnswer,
  type NodeHello,
  type NodeLink,
  type NodeLinkHandlers,
  type NodeQuestion,
  type NodeSession,
  type Random,
  type Timer,
} from '@skep/api';

/** A call that gets no answer fails after this time. **Source:** SwarmKit agent, RPC timeout. */
const CALL_TIMEOUT_MS = 5_000;
/**
 * A node that could come back does so within this time: its longest pause between two attempts, and
 * a call that was already under way.
 */
const RETURN_MS = 20_000;

/** What a simulated link needs. */
export interface SimulatedLinkOptions {
  readonly inner: NodeLink;
  readonly clock: Clock;
  readonly random: Random;
  /** Bounds of the time a message takes, one way. Default: 1 to 2 ms. */
  readonly latencyMs?: { readonly from: number; readonly to: number };
}

/** A link with latency. Messages of one direction arrive in the order in which they were sent. */
export class SimulatedLink implements NodeLink {
  readonly #options: SimulatedLinkOptions;
  #isCut = false;
  #lastArrival = { up: 0, down: 0 };
  /** Handlers of the sessions that were open when the link was cut. */
  readonly #open = new Map<NodeSession, NodeLinkHandlers>();
  /** Runs while the node is expected back: its own attempts recur for ever and say nothing. */
  #return: Timer | undefined;

  constructor(options: SimulatedLinkOptions) {
    this.#options = options;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** No message arrives any more, in either direction. */
  cut(): void {
    this.#isCut = true;
    this.#return?.cancel();
  }

  /**
   * Messages arrive again. Connections from before are reset, as after a long outage. Harmless when
   * the link was not cut.
   */
  heal(): void {
    if (!this.#isCut) return;
    this.#isCut = false;
    this.#expect();
    const handlers = [...this.#open.values()];
    this.#open.clear();
    for (const handler of handlers) handler.closed('connection reset');
  }

  async open(hello: NodeHello, handlers: NodeLinkHandlers): Promise<NodeSession> {
    const session = await this.#call(() =>
      this.#options.inner.open(hello, {
        assignment: (assignment) => this.#down(() => handlers.assignment(assignment)),
        closed: (reason) =>
          this.#down(() => {
            this.#expect();
            handlers.closed(reason);
          }),
        ...(handlers.ask === undefined
          ? {}
          : { ask: (question, signal) => this.#ask(handlers, question, signal) }),
      }),
    );
    this.#return?.cancel();
    const outer: NodeSession = {
      sessionId: session.sessionId,
      heartbeatPeriodMs: session.heartbeatPeriodMs,
      heartbeat: () => this.#call(() => session.heartbeat(), true),
      report: (reports) => this.#call(() => session.report(reports)),
      acknowledge: (ack) => this.#call(() => session.acknowledge(ack)),
      describe: (description) => this.#call(() => session.describe(description)),
      ...(session.tell === undefined
        ? {}
        : { tell: (notices) => this.#call(async () => session.tell?.(notices)) }),
      close: () => {
        this.#open.delete(outer);
        return this.#call(() => session.close());
      },
    };
    this.#open.set(outer, handlers);
    return outer;
  }

  /** A cluster is not settled while a node that can reach its manager has no session. */
  #expect(): void {
    const { clock } = this.#options;
    this.#return?.cancel();
    this.#return = clock.schedule(clock.now() + RETURN_MS, () => undefined, {
      label: 'return of a node',
    });
  }

  /** A call goes up, its answer comes down. A cut on either way looks like no answer. */
  #call<T>(perform: () => Promise<T>, isPeriodic = false): Promise<T> {
    const { clock } = this.#options;
    return new Promise<T>((resolve, reject) => {
      const timeout = clock.schedule(
        clock.now() + CALL_TIMEOUT_MS,
        () => reject(new SkepError('unavailable', 'the manager does not answer')),
        { label: 'call timeout', isPeriodic: true },
      );
      const answer = (settle: () => void): void =>
        this.#send(
          'down',
          () => {
            timeout.cancel();
            settle();
          },
          isPeriodic,
        );
      this.#send(
        'up',
        () => {
          perform().then(
            (value) => answer(() => resolve(value)),
            (error: unknown) => answer(() => reject(error)),
          );
        },
        isPeriodic,
      );
    });
  }

  /** A question goes down, each answer comes up when it is asked for. Nothing of it is kept. */
  #ask(
    handlers: NodeLinkHandlers,
    question: NodeQuestion,
    signal: AbortSignal,
  ): AsyncIterable<NodeAnswer> {
    const stop = new AbortController();
    let answers: AsyncIterator<NodeAnswer> | undefined;
    const end = (): Promise<IteratorResult<NodeAnswer, undefined>> => {
      signal.removeEventListener('abort', leave);
      this.#down(() => {
        stop.abort();
        answers?.return?.().catch(() => undefined);
      });
      return Promise.resolve({ done: true, value: undefined });
    };
    const leave = (): void => void end();
    signal.addEventListener('abort', leave, { once: true });
    const read = async (): Promise<IteratorResult<NodeAnswer, undefined>> => {
      answers ??= handlers.ask?.(question, stop.signal)[Symbol.asyncIterator]();
      return (await answers?.next()) ?? { done: true, value: undefined };
    };
    const next = (): ReturnType<typeof read> =>
      new Promise((resolve, reject) => {
        this.#down(() => {
          const up = (settle: () => void): void => this.#send('up', settle, false);
          read().then(
            (result) => up(() => resolve(result)),
            (thrown: unknown) => up(() => reject(thrown)),
          );
        });
      });
    return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
  }

  #down(deliver: () => void): void {
    this.#send('down', deliver, false);
  }

  #send(direction: 'up' | 'down', deliver: () => void, isPeriodic: boolean): void {
    const { clock, random } = this.#options;
    const { from, to } = this.#options.latencyMs ?? { from: 1, to: 2 };
    const at = Math.max(
      clock.now() + from + random.int(to - from + 1),
      this.#lastArrival[direction],
    );
    this.#lastArrival[direction] = at;
    clock.schedule(
      at,
      () => {
        if (!this.#isCut) deliver();
      },
      { label: 'message', isPeriodic },
    );
  }
}
