/**
 * Which nodes are in contact: their sessions, their heartbeats, and the states that follow.
 *
 * **Source:** SwarmKit manager/dispatcher/dispatcher.go and nodes.go; that a node is READY only
 * with its tables applied is ours.
 */
import {
  Node,
  SkepError,
  Task,
  compareText,
  idSource,
  messageOf,
  type Clock,
  type HeartbeatReply,
  type IdSource,
  type Logger,
  type NodeAnswer,
  type NodeDescription,
  type NodeHello,
  type NodeId,
  type NodeLinkHandlers,
  type NodeNotice,
  type NodeQuestion,
  type NodeState,
  type Random,
  type TaskReport,
  type Timestamp,
} from '@skep/api';
import type { EventRecorder } from '@skep/controller';
import type { Store } from '@skep/store';
import type { AnswerStream } from './answer-stream.js';
import { settingsOf } from './assigned-network.js';
import { ContactMonitor } from './contact-monitor.js';
import type { DispatcherMetrics } from './dispatcher-metrics.js';
import { NoticeBoard } from './notice-board.js';
import { checkQuestion } from './question-check.js';
import { RegistrationLimit } from './registration-limit.js';
import { Session, type SessionHost } from './session.js';
import type { StatusWriter } from './status-writer.js';
import { observationOf } from './task-observation.js';

/** Most reports in one call. */
export const REPORTS_MAX = 1024;

/** Each heartbeat period differs from the setting by up to a tenth, so that nodes spread out. */
const PERIOD_JITTER = 0.1;
/** A manager that has just started waits for nodes this many times as long as usual. */
const START_PATIENCE = 2;
/** A heartbeat is late after this many periods. */
const LATE_PERIODS = 1.5;

const HEARTBEAT_FAILURE = 'heartbeat failure';

/** Seams of {@link NodeRegistry}. */
export interface NodeRegistryParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: DispatcherMetrics;
  readonly writer: StatusWriter;
  readonly events: EventRecorder;
  /** A session began or ended: start or stop to send it assignments. */
  readonly opened: (session: Session) => void;
  readonly ended: (session: Session) => void;
}

/** The nodes as one dispatcher knows them, from its start to its stop. */
export class NodeRegistry implements SessionHost {
  readonly #parts: NodeRegistryParts;
  readonly #ids: IdSource;
  readonly #sessions = new Map<NodeId, Session>();
  readonly #limit = new RegistrationLimit();
  readonly #contacts: ContactMonitor;
  readonly #notices: NoticeBoard;
  /** States as decided here; the store follows. */
  readonly #states = new Map<NodeId, NodeState>();

  constructor(parts: NodeRegistryParts) {
    this.#parts = parts;
    this.#ids = idSource(parts.random.fork('sessions'));
    this.#notices = new NoticeBoard(parts);
    this.#contacts = new ContactMonitor({
      clock: parts.clock,
      lost: (nodeId) => this.#lost(nodeId),
    });
  }

  /** Open sessions, by node id. */
  get sessions(): readonly Session[] {
    return [...this.#sessions.values()].sort((a, b) => compareText(a.nodeId, b.nodeId));
  }

  /** Nodes that something is known about. */
  get nodeIds(): readonly NodeId[] {
    return [...this.#states.keys()];
  }

  isConnected(nodeId: NodeId): boolean {
    return this.#sessions.has(nodeId);
  }

  /**
   * Takes over a node from an earlier dispatcher. One that is not DOWN is UNKNOWN until it
   * registers, or DOWN after twice the usual grace.
   */
  takeOver(node: Node): void {
    const nodeId = node.meta.id;
    const { state, address, downSince } = node.status;
    this.#states.set(nodeId, state);
    if (state === 'down') return;
    const now = this.#parts.clock.now();
    const { heartbeatPeriodMs, heartbeatGrace } = this.#settings();
    const lostAt = now + START_PATIENCE * heartbeatGrace * heartbeatPeriodMs;
    this.#contacts.expect(nodeId, { lateAt: now, lostAt });
    // A node that never was here is UNKNOWN by itself.
    if (state === 'unknown' && address === '') return;
    const message = 'not heard of since the manager started';
    this.#setState(nodeId, { state: 'unknown', message, downSince: downSince ?? now });
  }

  /** Opens a session for a node that exists. @throws as `NodeLink.open`. */
  register(hello: NodeHello, handlers: NodeLinkHandlers): Session {
    const { nodeId, address, description } = hello;
    const { store, clock, metrics, writer, opened } = this.#parts;
    if (store.view().get(Node, nodeId) === undefined) {
      throw new SkepError('not-found', `node ${nodeId} does not exist`, { details: { nodeId } });
    }
    const now = clock.now();
    if (!this.#limit.admits(nodeId, now)) {
      throw new SkepError('unavailable', `node ${nodeId} registers too often; try again later`, {
        details: { nodeId },
      });
    }
    const replaced = this.#sessions.get(nodeId);
    if (replaced !== undefined) this.#end(replaced, 'replaced by another session of the node');
    const sessionId = this.#ids.next();
    const periodMs = this.#period();
    const session = new Session({ sessionId, nodeId, periodMs, now, handlers, host: this });
    this.#sessions.set(nodeId, session);
    metrics.sessions.set(this.#sessions.size);
    this.#heard(session);
    const state = this.#states.get(nodeId) ?? 'unknown';
    this.#states.set(nodeId, state);
    const message = state === 'ready' ? {} : { message: 'registered; its tables are not applied' };
    writer.node(nodeId, { address, description, ...message });
    writer.hurry();
    opened(session);
    return session;
  }

  heartbeat(session: Session): HeartbeatReply {
    session.lastHeardAt = this.#parts.clock.now();
    session.periodMs = this.#period();
    this.#heard(session);
    return { periodMs: session.periodMs };
  }

  report({ nodeId }: Session, reports: readonly TaskReport[]): void {
    const { store, clock, metrics, writer } = this.#parts;
    if (reports.length > REPORTS_MAX) {
      throw new SkepError('invalid-argument', `more than ${REPORTS_MAX} reports in one call`, {
        details: { nodeId, reports: reports.length },
      });
    }
    const view = store.view();
    const known = reports.filter((one) => isKnown(one, view.get(Task, one.taskId), nodeId));
    const now = clock.now();
    for (const one of known) writer.task(one.taskId, observationOf(one, now));
    metrics.reports.add(known.length);
  }

  acknowledged(session: Session): void {
    const { nodeId, appliedRevision } = session;
    this.#parts.writer.node(nodeId, { appliedRevision });
    if (this.#states.get(nodeId) === 'ready' || !session.hasAppliedAll) return;
    this.#setState(nodeId, { state: 'ready', message: '', downSince: null });
  }

  describe({ nodeId }: Session, description: NodeDescription): void {
    this.#parts.writer.node(nodeId, { description });
  }

  told({ nodeId }: Session, notices: readonly NodeNotice[]): void {
    this.#notices.take(nodeId, notices);
  }

  /** Puts a question to a node. @throws as `Dispatcher.ask`, at once. */
  ask(nodeId: NodeId, question: NodeQuestion, stream: AnswerStream): AsyncIterable<NodeAnswer> {
    checkQuestion(question);
    const details = { nodeId };
    if (this.#parts.store.view().get(Node, nodeId) === undefined) {
      throw new SkepError('not-found', `node ${nodeId} does not exist`, { details });
    }
    const session = this.#sessions.get(nodeId);
    if (session !== undefined) return session.ask(question, stream);
    const text = `node ${nodeId} has no session: nothing can be asked of it`;
    throw new SkepError('unavailable', text, { details });
  }

  left(session: Session): void {
    this.#disconnect(session, 'the node closed the session');
  }

  failed(session: Session, error: unknown): void {
    const { nodeId } = session;
    this.#parts.logger.warn('a node did not take its assignment', {
      nodeId,
      error: messageOf(error),
    });
    this.#disconnect(session, 'the node did not take its assignment');
  }

  /** The node does not exist any more. */
  forget(nodeId: NodeId): void {
    const session = this.#sessions.get(nodeId);
    if (session !== undefined) this.#end(session, 'the node was removed from the cluster');
    this.#contacts.forget(nodeId);
    this.#limit.forget(nodeId);
    this.#notices.forget(nodeId);
    this.#states.delete(nodeId);
  }

  /** Ends all sessions. With `message`, their nodes become DISCONNECTED. */
  stop(reason: string, message?: string): void {
    this.#contacts.stop();
    for (const session of this.sessions) {
      this.#end(session, reason);
      if (message !== undefined) this.#setDisconnected(session, message);
    }
  }

  #heard({ nodeId, lastHeardAt, periodMs }: Session): void {
    const { heartbeatGrace } = this.#settings();
    this.#contacts.expect(nodeId, {
      lateAt: lastHeardAt + Math.min(LATE_PERIODS, heartbeatGrace) * periodMs,
      lostAt: lastHeardAt + heartbeatGrace * periodMs,
    });
  }

  #period(): number {
    const jitter = (2 * this.#parts.random.next() - 1) * PERIOD_JITTER;
    return Math.round(this.#settings().heartbeatPeriodMs * (1 + jitter));
  }

  /** The node was silent for too long. */
  #lost(nodeId: NodeId): void {
    const { store, clock } = this.#parts;
    const session = this.#sessions.get(nodeId);
    if (session !== undefined) this.#end(session, HEARTBEAT_FAILURE);
    const node = store.view().get(Node, nodeId);
    if (node === undefined) return;
    const downSince = session?.lastHeardAt ?? node.status.downSince ?? clock.now();
    this.#setState(nodeId, { state: 'down', message: HEARTBEAT_FAILURE, downSince });
  }

  /** The session ended in order; the node is lost if it does not come back within its grace. */
  #disconnect(session: Session, message: string): void {
    const { nodeId, lastHeardAt, periodMs } = session;
    if (this.#sessions.get(nodeId) !== session) return;
    this.#end(session, message);
    this.#setDisconnected(session, message);
    const lostAt = lastHeardAt + this.#settings().heartbeatGrace * periodMs;
    this.#contacts.expect(nodeId, { lateAt: this.#parts.clock.now(), lostAt });
  }

  /** A node that was DOWN, and leaves before it was READY, stays DOWN. */
  #setDisconnected({ nodeId, lastHeardAt }: Session, message: string): void {
    const state = this.#states.get(nodeId) === 'down' ? 'down' : 'disconnected';
    this.#setState(nodeId, { state, message, downSince: lastHeardAt });
  }

  #end(session: Session, reason: string): void {
    if (this.#sessions.get(session.nodeId) === session) {
      this.#sessions.delete(session.nodeId);
      this.#parts.metrics.sessions.set(this.#sessions.size);
      this.#parts.ended(session);
    }
    session.end(reason);
  }

  #setState(
    nodeId: NodeId,
    next: {
      readonly state: NodeState;
      readonly message: string;
      readonly downSince: Timestamp | null;
    },
  ): void {
    const { writer, logger } = this.#parts;
    this.#states.set(nodeId, next.state);
    writer.node(nodeId, next);
    writer.hurry();
    logger.info('node state', { nodeId, state: next.state, message: next.message });
  }

  #settings() {
    return settingsOf(this.#parts.store.view());
  }
}

/**
 * Whether the task of a report exists; reports on tasks that are gone are ignored.
 * @throws permission-denied for a task of another node; invalid-argument for a state that only the
 * manager gives.
 */
function isKnown(report: TaskReport, task: Task | undefined, nodeId: NodeId): boolean {
  const { taskId, state } = report;
  if (state === 'remove' || state === 'orphaned') {
    throw new SkepError('invalid-argument', `no node can observe the state ${state}`, {
      details: { nodeId, taskId },
    });
  }
  if (task === undefined) return false;
  if (task.status.nodeId === nodeId) return true;
  throw new SkepError('permission-denied', `node ${nodeId} reported on a task of another node`, {
    details: { nodeId, taskId, owner: task.status.nodeId },
  });
}
