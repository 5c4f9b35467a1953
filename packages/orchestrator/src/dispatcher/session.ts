/**
 * One node's session, as the node holds it.
 */
import {
  SkepError,
  type Assignment,
  type HeartbeatReply,
  type NodeDescription,
  type NodeId,
  type NodeLinkHandlers,
  type NodeSession,
  type Revision,
  type TableAck,
  type TaskReport,
  type Timestamp,
} from '@skep/api';

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

  async close(): Promise<void> {
    if (this.#end !== undefined) return;
    this.#end = 'closed by the node';
    this.#host.left(this);
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
    this.#end = reason;
    try {
      this.#handlers.closed(reason);
    } catch {
      // The session is over already; there is nothing left to save.
    }
  }

  #check(): void {
    if (this.#end === undefined) return;
    throw new SkepError('failed-precondition', `the session is over: ${this.#end}`, {
      details: { nodeId: this.nodeId, sessionId: this.sessionId },
    });
  }
}
