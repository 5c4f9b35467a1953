/**
 * A connection of a node to one manager, which ends with that manager.
 */
import {
  SkepError,
  type NodeAnswer,
  type NodeLinkHandlers,
  type NodeQuestion,
  type NodeSession,
} from '@skep/api';

/** Passes on what manager and node say until it is torn; what comes later is lost. */
export class TornLink {
  readonly handlers: NodeLinkHandlers;
  readonly #outer: NodeLinkHandlers;
  #isTorn = false;

  /** `closed` is called when the session ends in order. */
  constructor(outer: NodeLinkHandlers, closed: () => void) {
    this.#outer = outer;
    this.handlers = {
      assignment: (assignment) => {
        if (!this.#isTorn) outer.assignment(assignment);
      },
      closed: (reason) => {
        closed();
        if (!this.#isTorn) outer.closed(reason);
      },
      ask: (question, signal) => this.#ask(question, signal),
    };
  }

  /** The node notices that its connection was reset. */
  tear(): void {
    if (this.#isTorn) return;
    this.#isTorn = true;
    this.#outer.closed('connection reset');
  }

  /** The session as the node has it. `pass` runs a call, now or when the manager can take it. */
  guard(session: NodeSession, pass: (run: () => void) => void = (run) => run()): NodeSession {
    const alive = <T>(call: () => Promise<T>): Promise<T> =>
      new Promise<T>((resolve, reject) => {
        const gone = (): void => reject(new SkepError('unavailable', 'the manager is gone'));
        if (this.#isTorn) gone();
        else pass(() => (this.#isTorn ? gone() : void call().then(resolve, reject)));
      });
    return {
      sessionId: session.sessionId,
      heartbeatPeriodMs: session.heartbeatPeriodMs,
      heartbeat: () => alive(() => session.heartbeat()),
      report: (reports) => alive(() => session.report(reports)),
      acknowledge: (ack) => alive(() => session.acknowledge(ack)),
      describe: (description) => alive(() => session.describe(description)),
      tell: (notices) => alive(async () => session.tell?.(notices)),
      close: () => alive(() => session.close()),
    };
  }

  #ask(question: NodeQuestion, signal: AbortSignal): AsyncIterable<NodeAnswer> {
    if (this.#isTorn) throw new SkepError('unavailable', 'the node is gone');
    if (this.#outer.ask !== undefined) return this.#outer.ask(question, signal);
    throw new SkepError('unimplemented', 'the node answers no questions');
  }
}
