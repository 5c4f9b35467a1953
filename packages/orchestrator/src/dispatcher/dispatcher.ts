/**
 * The manager's end of the links to the nodes: sessions and node states, assignments down, reports
 * and acknowledgements up.
 *
 * **Source:** SwarmKit manager/dispatcher and api/dispatcher.proto; tables in the assignment, their
 * acknowledgement, and readiness that follows from it are ours.
 */
import {
  SkepError,
  silentLogger,
  silentMetrics,
  type Clock,
  type Logger,
  type Metrics,
  type NodeAnswer,
  type NodeHello,
  type NodeId,
  type NodeLink,
  type NodeLinkHandlers,
  type NodeQuestion,
  type NodeSession,
  type Random,
  type Runnable,
} from '@skep/api';
import type { FenceLost } from '@skep/controller';
import type { Expectation, Store } from '@skep/store';
import { AnswerStream } from './answer-stream.js';
import { dispatcherMetrics, type DispatcherMetrics } from './dispatcher-metrics.js';
import { DispatcherTerm } from './dispatcher-term.js';
import type { SessionStatus } from './session.js';

/** Seams of {@link Dispatcher}. */
export interface DispatcherParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** Default: drops everything. */
  readonly logger?: Logger;
  /** Default: counts nothing. */
  readonly metrics?: Metrics;
  /**
   * Fence of the leader: added to the `expect` of every commit. Asked once at each start.
   * Default: none.
   */
  readonly fence?: (() => readonly Expectation[]) | undefined;
  /** Told when the store refuses a commit because of the fence; the dispatcher has ended then. */
  readonly onFenceLost?: FenceLost | undefined;
}

/**
 * The dispatcher. One runs at a time, in the manager that leads.
 *
 * A node is READY from when it holds everything that the first complete assignment of a session
 * said, DISCONNECTED when a session ends in order, DOWN when it is silent for `heartbeatGrace`
 * periods, UNKNOWN after a change of manager until it comes back. Tasks of a node that is DOWN for
 * `orphanAfterMs` become ORPHANED.
 *
 * Reports and acknowledgements are written within 100 ms, repeated on conflicts, never dropped;
 * changes are sent within 100 ms. Memory: the tasks of each connected node, and once for each of
 * their networks its services, slices and peers.
 */
export class Dispatcher implements NodeLink, Runnable {
  readonly #parts: DispatcherParts;
  readonly #metrics: DispatcherMetrics;
  #terms = 0;
  #term: DispatcherTerm | undefined;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#metrics = dispatcherMetrics(parts.metrics ?? silentMetrics);
  }

  /** Open sessions, by node id. */
  get sessions(): readonly SessionStatus[] {
    return (this.#term?.sessions ?? []).map((session) => ({
      nodeId: session.nodeId,
      sessionId: session.sessionId,
      lastHeardAt: session.lastHeardAt,
      sentRevision: session.sentRevision,
      appliedRevision: session.appliedRevision,
    }));
  }

  /** Nodes and tasks whose status waits to be written. */
  get pendingWrites(): number {
    return this.#term?.pendingWrites ?? 0;
  }

  /**
   * Takes over: nodes that are not DOWN become UNKNOWN until they register, or DOWN after twice the
   * usual grace. Resolves when that is written. Stops when `signal` aborts.
   * @throws failed-precondition when it runs already.
   */
  async start(signal?: AbortSignal): Promise<void> {
    if (this.#term !== undefined) {
      throw new SkepError('failed-precondition', 'the dispatcher runs already');
    }
    if (signal?.aborted === true) return;
    const { store, clock, random, logger, fence, onFenceLost } = this.#parts;
    this.#terms += 1;
    const term = new DispatcherTerm({
      store,
      clock,
      random: random.fork(`dispatcher/${this.#terms}`),
      logger: logger ?? silentLogger,
      metrics: this.#metrics,
      fence: fence?.() ?? [],
      onFenceLost: onFenceLost ?? (() => undefined),
      ended: () => {
        if (this.#term === term) this.#term = undefined;
      },
    });
    this.#term = term;
    signal?.addEventListener('abort', () => void this.stop(), { once: true });
    await term.flush();
  }

  /**
   * Ends all sessions and writes what is known. Nodes become DISCONNECTED. Harmless when it does
   * not run.
   */
  async stop(): Promise<void> {
    const term = this.#term;
    this.#term = undefined;
    await term?.stop();
  }

  /**
   * Ends all sessions and writes nothing: another manager may lead by now. Nodes come back to
   * whoever does. Harmless when it does not run.
   */
  abandon(reason: string): void {
    this.#term?.abandon(reason);
  }

  /**
   * Registers a node and opens its session, which replaces an earlier one. The complete assignment
   * follows as soon as the caller has the session.
   * @throws not-found for an unknown node; unavailable when it registers for the fourth time within
   * 8 s, or when the dispatcher does not run.
   */
  async open(hello: NodeHello, handlers: NodeLinkHandlers): Promise<NodeSession> {
    return this.#running().register(hello, handlers);
  }

  /**
   * Puts a question to a node when the first answer is read. The node goes on as answers are read;
   * it stops when the reader returns the iterator, or `signal` fires (`aborted`). A silent node is
   * waited for until its session is over: give a signal with a time of your own.
   * @throws (when read) not-found for an unknown node; unavailable when it has no session, or that
   * ends meanwhile, or the dispatcher does not run; invalid-argument for a question that no node
   * could answer; unimplemented when this one answers none; resource-exhausted when it answers 64
   * already; what the node says.
   */
  ask(
    nodeId: NodeId,
    question: NodeQuestion,
    signal?: AbortSignal,
  ): AsyncIterableIterator<NodeAnswer> {
    const open = (stream: AnswerStream): AsyncIterable<NodeAnswer> => {
      this.#metrics.questions.add(1, { type: question.type });
      return this.#running().ask(nodeId, question, stream);
    };
    return new AnswerStream({ open, signal });
  }

  #running(): DispatcherTerm {
    if (this.#term !== undefined) return this.#term;
    throw new SkepError('unavailable', 'the dispatcher does not run');
  }
}

/** A link to a dispatcher in the same process, with nothing in between. */
export function connectInProcess(dispatcher: Dispatcher): NodeLink {
  return { open: (hello, handlers) => dispatcher.open(hello, handlers) };
}
