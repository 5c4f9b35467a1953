/**
 * One node's session, as the node holds it.
 */
import {
  QUESTIONS_MAX,
  SkepError,
  type Assignment,
  type HeartbeatReply,
  type NodeAnswer,
  type NodeDescription,
  type NodeId,
  type NodeLinkHandlers,
  type NodeNotice,
  type NodeQuestion,
  type NodeSession,
  type Revision,
  type TableAck,
  type TaskReport,
  type Timestamp,
} from '@skep/api';
import type { AnswerStream } from './answer-stream.js';

/** Where a session stands; for people. */
export interface SessionStatus {
  readonly nodeId: NodeId;
  readonly sessionId: string;
  readonly lastHeardAt: Timestamp;
  readonly sentRevision: Revision;
  readonly appliedRevision: Revision;
}

/** What a session asks its dispatcher to do. */
export interface SessionHost {
  heartbeat(session: Session): HeartbeatReply;
  report(session: Session, reports: readonly TaskReport[]): void;
  acknowledged(session: Session): void;
  describe(session: Session, description: NodeDescription): void;
  told(session: Session, notices: readonly NodeNotice[]): void;
  /** The node ended the session. */
  left(session: Session): void;
  /** The node's handler threw. */
  failed(session: Session, error: unknown): void;
}

/** A session. What it knows dies with it; facts that matter longer are in the store. */
export class Session implements NodeSession {
  readonly sessionId: string;
  readonly nodeId: NodeId;
  /** The period handed out last, by which the next heartbeat is measured. */
  periodMs: number;
  lastHeardAt: Timestamp;
  /** Revision of the first complete assignment; undefined before it was sent. */
  completeRevision: Revision | undefined;
  /** Revision of the last message; 0 before the first. */
  sentRevision: Revision = 0;
  /** The highest acknowledged revision; 0 before the first. */
  appliedRevision: Revision = 0;

  readonly #host: SessionHost;
  readonly #handlers: NodeLinkHandlers;
  /** Questions that are being answered. */
  readonly #questions = new Set<AnswerStream>();
  /** Why it is over; undefined while it is not. */
  #end: string | undefined;

  constructor(input: {
    readonly sessionId: string;
    readonly nodeId: NodeId;
    readonly periodMs: number;
    readonly now: Timestamp;
    readonly handlers: NodeLinkHandlers;
    readonly host: SessionHost;
  }) {
    this.sessionId = input.sessionId;
    this.nodeId = input.nodeId;
    this.periodMs = input.periodMs;
    this.lastHeardAt = input.now;
    this.#host = input.host;
    this.#handlers = input.handlers;
    this.#end = undefined;
    this.completeRevision = undefined;
  }

  get heartbeatPeriodMs(): number {
    return this.periodMs;
  }

  /** Whether the node holds everything that the first complete assignment said. */
  get hasAppliedAll(): boolean {
    return this.completeRevision !== undefined && this.appliedRevision >= this.completeRevision;
  }

  async heartbeat(): Promise<HeartbeatReply> {
    this.#check();
    return this.#host.heartbeat(this);
  }

  async report(reports: readonly TaskReport[]): Promise<void> {
    this.#check();
    this.#host.report(this, reports);
  }

  async acknowledge({ appliedRevision }: TableAck): Promise<void> {
    this.#check();
    if (!Number.isSafeInteger(appliedRevision) || appliedRevision > this.sentRevision) {
      throw new SkepError('invalid-argument', 'a node acknowledged tables that it was not sent', {
        details: { nodeId: this.nodeId, appliedRevision, sentRevision: this.sentRevision },
      });
    }
    if (appliedRevision <= this.appliedRevision) return;
    this.appliedRevision = appliedRevision;
    this.#host.acknowledged(this);
  }

  async describe(description: NodeDescription): Promise<void> {
    this.#check();
    this.#host.describe(this, description);
  }

  async tell(notices: readonly NodeNotice[]): Promise<void> {
    this.#check();
    this.#host.told(this, notices);
  }

  async close(): Promise<void> {
    if (this.#end !== undefined) return;
    this.#over('closed by the node');
    this.#host.left(this);
  }

  /**
   * Puts a question to the node.
   * @throws unavailable when the session is over; unimplemented when the node answers none;
   * resource-exhausted when it answers 64 already.
   */
  ask(question: NodeQuestion, stream: AnswerStream): AsyncIterable<NodeAnswer> {
    const { nodeId } = this;
    if (this.#end !== undefined) throw this.#unanswered(this.#end);
    if (this.#handlers.ask === undefined) {
      throw new SkepError('unimplemented', `node ${nodeId} answers no questions`, {
        details: { nodeId },
      });
    }
    if (this.#questions.size >= QUESTIONS_MAX) {
      const text = `node ${nodeId} answers ${QUESTIONS_MAX} questions already; try again later`;
      throw new SkepError('resource-exhausted', text, { details: { nodeId } });
    }
    this.#questions.add(stream);
    stream.onOver(() => this.#questions.delete(stream));
    return this.#handlers.ask(question, stream.signal);
  }

  /** Sends an assignment. */
  deliver(assignment: Assignment): void {
    if (this.#end !== undefined) return;
    this.sentRevision = assignment.revision;
    if (assignment.type === 'complete') this.completeRevision ??= assignment.revision;
    try {
      this.#handlers.assignment(assignment);
    } catch (error) {
      this.#host.failed(this, error);
    }
  }

  /** Ends the session from the manager's side. */
  end(reason: string): void {
    if (this.#end !== undefined) return;
    this.#over(reason);
    try {
      this.#handlers.closed(reason);
    } catch {
      // The session is over already; there is nothing left to save.
    }
  }

  #over(reason: string): void {
    this.#end = reason;
    for (const stream of [...this.#questions]) stream.fail(this.#unanswered(reason));
  }

  #unanswered(reason: string): SkepError {
    const { nodeId, sessionId } = this;
    const text = `node ${nodeId} does not answer: its session is over: ${reason}`;
    return new SkepError('unavailable', text, { details: { nodeId, sessionId } });
  }

  #check(): void {
    if (this.#end === undefined) return;
    throw new SkepError('failed-precondition', `the session is over: ${this.#end}`, {
      details: { nodeId: this.nodeId, sessionId: this.sessionId },
    });
  }
}
