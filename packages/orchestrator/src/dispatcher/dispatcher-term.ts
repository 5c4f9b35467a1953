/**
 * A dispatcher at work, from a start to the stop: what it knows is forgotten with it.
 */
import {
  Cluster,
  Node,
  isSkepError,
  type Clock,
  type Logger,
  type NodeAnswer,
  type NodeHello,
  type NodeId,
  type NodeLinkHandlers,
  type NodeQuestion,
  type Random,
} from '@skep/api';
import { EventRecorder, type FenceLost } from '@skep/controller';
import type { CommitEvent, Expectation, ObjectEvent, Store } from '@skep/store';
import type { AnswerStream } from './answer-stream.js';
import { AssignmentTracker } from './assignment-tracker.js';
import type { DispatcherMetrics } from './dispatcher-metrics.js';
import { NodeRegistry } from './node-registry.js';
import { Orphanage } from './orphanage.js';
import type { Session } from './session.js';
import { StatusWriter } from './status-writer.js';

/** Seams of {@link DispatcherTerm}. */
export interface DispatcherTermParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: DispatcherMetrics;
  readonly fence: readonly Expectation[];
  readonly onFenceLost: FenceLost;
  /** The term ended by itself: the store closed, or another manager leads. */
  readonly ended: () => void;
}

/** Wires sessions, assignments, orphans and the writing of status to the commits of a store. */
export class DispatcherTerm {
  readonly #parts: DispatcherTermParts;
  readonly #writer: StatusWriter;
  readonly #registry: NodeRegistry;
  readonly #orphanage: Orphanage;
  readonly #events: EventRecorder;
  #tracker: AssignmentTracker;
  #subscription: { unsubscribe(): void };
  #isOver = false;

  constructor(parts: DispatcherTermParts) {
    const { store, clock, logger, metrics, fence } = parts;
    this.#parts = parts;
    this.#writer = new StatusWriter({
      store,
      clock,
      logger,
      conflicts: metrics.conflicts,
      fence,
      onFenceLost: (conflict, lost) => {
        this.abandon('not the leader any more');
        parts.onFenceLost(conflict, lost);
      },
    });
    this.#events = new EventRecorder({ store, clock, logger, fence: () => fence });
    this.#registry = new NodeRegistry({
      ...parts,
      writer: this.#writer,
      events: this.#events,
      opened: (session) => this.#serve(session),
      ended: (session) => this.#tracker.close(session.nodeId),
    });
    this.#orphanage = new Orphanage({
      clock,
      view: () => store.view(),
      isConnected: (nodeId) => this.#registry.isConnected(nodeId),
      orphan: (taskId, observation) => this.#writer.task(taskId, observation),
    });
    // Subscribe before the snapshot.
    this.#subscription = this.#subscribe();
    this.#tracker = this.#makeTracker();
    for (const node of store.view().list(Node)) {
      this.#registry.takeOver(node);
      this.#orphanage.look(node);
    }
  }

  /** Open sessions, by node id. */
  get sessions(): readonly Session[] {
    return this.#registry.sessions;
  }

  /** Objects whose status waits to be written. */
  get pendingWrites(): number {
    return this.#writer.size;
  }

  /** Resolves when what is known now is written. */
  flush(): Promise<void> {
    return this.#writer.flush();
  }

  /** Registers a node. @throws as `NodeLink.open`. */
  register(hello: NodeHello, handlers: NodeLinkHandlers): Session {
    return this.#registry.register(hello, handlers);
  }

  /** Puts a question to a node. @throws as `Dispatcher.ask`, at once. */
  ask(nodeId: NodeId, question: NodeQuestion, stream: AnswerStream): AsyncIterable<NodeAnswer> {
    return this.#registry.ask(nodeId, question, stream);
  }

  /** Ends all sessions; nodes become DISCONNECTED. Resolves when that is written. */
  async stop(): Promise<void> {
    if (this.#isOver) return;
    this.#close();
    this.#registry.stop('dispatcher stopped', 'the manager stopped');
    await this.#writer.close();
    await this.#events.stop();
  }

  #close(): void {
    this.#isOver = true;
    this.#subscription.unsubscribe();
    this.#tracker.stop();
    this.#orphanage.stop();
  }

  /** Ends without writing: it may not, or cannot. Nodes go to another manager. */
  abandon(reason: string): void {
    if (this.#isOver) return;
    this.#parts.logger.warn('the dispatcher gives up', { reason });
    this.#close();
    this.#writer.abandon();
    // What it still has is refused by the fence, or the store is closed.
    void this.#events.stop();
    this.#registry.stop(reason);
    this.#parts.ended();
  }

  #subscribe(): { unsubscribe(): void } {
    return this.#parts.store.subscribe({
      commit: (commit) => this.#observe(commit),
      ended: (reason) => this.#unsubscribed(reason),
    });
  }

  #makeTracker(): AssignmentTracker {
    const { store, clock } = this.#parts;
    return new AssignmentTracker({ clock, view: () => store.view() });
  }

  #serve(session: Session): void {
    const { metrics } = this.#parts;
    this.#tracker.open(session.nodeId, (assignment) => {
      metrics.assignments.add(1, { type: assignment.type });
      metrics.items.add(assignment.upserts.length + assignment.removals.length);
      session.deliver(assignment);
    });
  }

  /** Commits were missed. What follows from the newest view was not: every node gets it whole. */
  #unsubscribed(reason: Error): void {
    if (isSkepError(reason, 'unavailable')) return this.abandon(reason.message);
    const { store, logger } = this.#parts;
    logger.warn('the dispatcher lost its watch and starts it again', { reason: reason.message });
    this.#tracker.stop();
    this.#subscription = this.#subscribe();
    this.#tracker = this.#makeTracker();
    const view = store.view();
    for (const nodeId of this.#registry.nodeIds) {
      if (view.get(Node, nodeId) === undefined) this.#registry.forget(nodeId);
    }
    for (const session of this.#registry.sessions) this.#serve(session);
    this.#lookForOrphans();
  }

  #observe(commit: CommitEvent): void {
    for (const event of commit.events) {
      if (event.object.kind === Node.name) this.#observeNode(event);
      else if (event.object.kind === Cluster.name) this.#lookForOrphans();
    }
    this.#tracker.observe(commit);
  }

  #observeNode({ type, object, previous }: ObjectEvent): void {
    const node = object as Node;
    if (type === 'deleted') {
      this.#registry.forget(node.meta.id);
      this.#orphanage.forget(node.meta.id);
      return;
    }
    const before = (previous as Node | undefined)?.status;
    const { state, downSince } = node.status;
    if (state !== before?.state || downSince !== before.downSince) this.#orphanage.look(node);
  }

  #lookForOrphans(): void {
    for (const node of this.#parts.store.view().list(Node)) this.#orphanage.look(node);
  }
}
