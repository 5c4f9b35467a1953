/**
 * What all forms of passes share: where they read, and what follows from how they end.
 */
import { messageOf, type Clock, type Kind, type Logger, type Revision } from '@skep/api';
import type { StoredObject, Timestamp } from '@skep/api';
import type { Store, View } from '@skep/store';
import type { CommitOutcome, Committer } from './committer.js';
import type { ControllerDefinition, EventDraft, PassResult } from './contract.js';
import type { ControllerMetrics, ReconcileOutcome } from './controller-metrics.js';
import { isPanic, isTerminalError } from './failure.js';
import type { PassTrace } from './trace/pass-trace.js';
import type { EventRecorder } from './event-recorder.js';
import type { ResultStream } from './result-stream.js';
import type { ShardKeys } from './shard-keys.js';
import type { WorkQueue } from './work-queue.js';

/** When a pass wants its key to be looked at again. */
export interface Answer {
  readonly requeueAt?: Timestamp | undefined;
}

/** What a {@link PassHost} is built from. */
export interface PassHostParts {
  readonly definition: ControllerDefinition;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly queue: WorkQueue;
  readonly committer: Committer;
  readonly recorder: EventRecorder;
  readonly results: ResultStream;
  readonly metrics: ControllerMetrics | undefined;
  readonly trace: PassTrace | undefined;
  /** Keys that are shared with others; undefined: all are ours. */
  readonly shards: ShardKeys | undefined;
  /** See {@link PassHost.view}. */
  readonly view: () => View | undefined;
  /** See {@link PassHost.reached}. */
  readonly reached: () => Revision;
  /** See {@link PassHost.drained}. */
  readonly drained: () => void;
}

const DONE = Object.freeze({ again: false });

const NOT_OURS: Answer = Object.freeze({});

/** The surroundings of the passes of one controller. */
export class PassHost {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly queue: WorkQueue;
  readonly committer: Committer;
  readonly metrics: ControllerMetrics | undefined;
  readonly trace: PassTrace | undefined;
  /** The view to decide on; undefined while there is none: a later commit wakes the runner. */
  readonly view: () => View | undefined;
  /** Revision up to which the controller has been told of commits. */
  readonly reached: () => Revision;
  /** To be called when a runner has nothing left to do. */
  readonly drained: () => void;
  readonly #definition: ControllerDefinition;
  readonly #shards: ShardKeys | undefined;
  readonly #store: Store;
  readonly #recorder: EventRecorder;
  readonly #results: ResultStream;

  constructor(parts: PassHostParts) {
    this.name = parts.definition.name;
    this.clock = parts.clock;
    this.logger = parts.logger;
    this.queue = parts.queue;
    this.committer = parts.committer;
    this.metrics = parts.metrics;
    this.trace = parts.trace;
    this.view = parts.view;
    this.reached = parts.reached;
    this.drained = parts.drained;
    this.#definition = parts.definition;
    this.#shards = parts.shards;
    this.#store = parts.store;
    this.#recorder = parts.recorder;
    this.#results = parts.results;
  }

  /** Whether a key that was taken may have a pass; one that another works on is forgotten. */
  mayBegin(key: string): boolean {
    if (this.#shards === undefined || this.#shards.begin(key)) return true;
    this.queue.done(key, NOT_OURS);
    return false;
  }

  /** Whether anybody wants to know what became of each key, beyond that its pass is over. */
  get isFollowed(): boolean {
    return this.trace !== undefined || this.#results.isObserved;
  }

  /** A pass over a key begins; `unchanged`, `wrote` or `failed` ends it. */
  began(key: string, view: View): void {
    this.metrics?.sampled(this.queue.active);
    this.trace?.began(key, view.revision);
  }

  /** A pass found nothing to do. */
  unchanged(key: string, answer: Answer, startedAt: Timestamp): void {
    this.trace?.ended(key, { again: answer.requeueAt !== undefined });
    this.queue.done(key, answer);
    this.#finished(key, answer.requeueAt === undefined ? 'success' : 'requeue_after');
    if (this.#results.isObserved) this.#report(key, 'unchanged', startedAt);
  }

  /**
   * A pass wrote something, or tried to. True when all of it went through.
   * Either way the next pass over the key waits until its view holds what this one wrote.
   */
  wrote(key: string, outcome: CommitOutcome, answer: Answer, startedAt: Timestamp): boolean {
    this.queue.park(key, outcome.revision);
    if (outcome.isFenceLost === true) {
      this.#fenced(key, outcome, startedAt);
      return false;
    }
    if (outcome.error !== undefined) {
      this.failed(key, outcome.error, startedAt, outcome);
      return false;
    }
    if (outcome.conflict !== undefined) {
      this.#conflicted(key, outcome, outcome.conflict.message, startedAt);
      return false;
    }
    this.trace?.ended(
      key,
      answer.requeueAt === undefined ? DONE : { again: false, wroteAt: outcome.revision },
    );
    this.queue.done(key, answer);
    this.#finished(key, answer.requeueAt === undefined ? 'success' : 'requeue_after');
    if (this.#results.isObserved) this.#report(key, 'committed', startedAt, outcome);
    return true;
  }

  /**
   * A pass failed: again after a backoff unless that cannot help, with a log line and an event for
   * people.
   */
  failed(key: string, thrown: unknown, startedAt: Timestamp, outcome?: CommitOutcome): void {
    const error = messageOf(thrown);
    const isTerminal = isTerminalError(thrown);
    this.trace?.ended(key, { again: !isTerminal });
    if (isTerminal) {
      this.queue.giveUp(key, error);
      this.logger.error('reconcile failed for good', { controller: this.name, key, error });
    } else {
      const retryAt = this.queue.fail(key, error);
      this.logger.error('reconcile failed', { controller: this.name, key, error, retryAt });
    }
    this.#finished(key, 'error');
    this.metrics?.threw({ isTerminal, isPanic: isPanic(thrown) });
    const regarding = this.#objectOf(key);
    if (regarding !== undefined) {
      this.record([{ regarding, type: 'warning', reason: 'ReconcileFailed', message: error }]);
    }
    if (this.#results.isObserved) this.#report(key, 'failed', startedAt, outcome, error);
  }

  /** Takes events for people. */
  record(drafts: readonly EventDraft[] | undefined): void {
    if (drafts === undefined) return;
    for (const draft of drafts) this.#recorder.record(draft, this.name);
  }

  /** A commit of a deposed writer: no retry, for nothing can come of it. */
  #fenced(key: string, outcome: CommitOutcome, startedAt: Timestamp): void {
    this.trace?.ended(key, DONE);
    this.queue.done(key);
    this.#finished(key, 'error');
    if (!this.#results.isObserved) return;
    this.#report(key, 'conflict', startedAt, outcome, outcome.conflict?.message);
  }

  /** A commit lost a race: again at once from a view that shows the winner, up to a limit. */
  #conflicted(key: string, outcome: CommitOutcome, error: string, startedAt: Timestamp): void {
    this.trace?.ended(key, { again: true });
    const isRetried = this.queue.conflict(key, this.committer.retryRevision(outcome), error);
    this.metrics?.conflicted();
    this.#finished(key, isRetried ? 'requeue' : 'error');
    if (!isRetried) this.logger.warn('too many conflicts', { controller: this.name, key, error });
    const how = isRetried ? 'conflict' : 'failed';
    if (this.#results.isObserved) this.#report(key, how, startedAt, outcome, error);
  }

  #finished(key: string, outcome: ReconcileOutcome): void {
    this.#shards?.end(key);
    this.metrics?.finished(outcome, this.queue.active);
  }

  #report(
    key: string,
    outcome: PassResult['outcome'],
    startedAt: Timestamp,
    commit?: CommitOutcome,
    error?: string,
  ): void {
    this.#results.emit({
      controller: this.name,
      key,
      outcome,
      changes: commit?.committed ?? 0,
      ...(commit === undefined || commit.revision === 0 ? {} : { revision: commit.revision }),
      durationMs: this.clock.now() - startedAt,
      ...(error === undefined ? {} : { error }),
    });
  }

  /** The object that a key names: an id of the kind in `for`, or `Kind/ID`. */
  #objectOf(key: string): StoredObject | undefined {
    const slash = key.indexOf('/');
    const kindName = this.#definition.for?.name ?? key.slice(0, Math.max(slash, 0));
    const id = this.#definition.for === undefined ? key.slice(slash + 1) : key;
    const kind = this.#store.kinds.find(({ name }) => name === kindName);
    return kind && this.#store.view().get(kind as Kind, id);
  }
}
