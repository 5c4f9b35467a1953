/**
 * The keyed queue in the middle of every controller.
 *
 * **Source:** client-go util/workqueue for the dirty and processing sets and the backoff;
 * controller-runtime pkg/controller/priorityqueue for priorities. Parking is ours.
 */
import { assert, TextMap, type Clock, type Revision, type Timestamp } from '@skep/api';
import type { KeyExplanation } from './contract.js';
import { DueTimes } from './due-times.js';
import { KeyHistory } from './key-history.js';
import { PassOrder } from './pass-order.js';
import { QueueEntry } from './queue-entry.js';
import { QueueMetrics } from './queue-metrics.js';
import { checkQueueOptions, checkQueueTime, priorityOf } from './queue-options.js';
import type { AddOptions, WorkQueueOptions } from './queue-options.js';
import { HeapNode, RankHeap } from './rank-heap.js';
import { ReadyLane } from './ready-lane.js';

/** Finished keys whose reasons `explain` still knows. */
const HISTORY_MAX = 1024;

/**
 * Keys that want a pass. What it guarantees:
 *
 * - A key is in at most one pass at a time and queued at most once. Added during its pass, it is
 *   queued again when the pass ends: nothing is lost.
 * - Each key has at most one requeue time, one backoff and one revision that it is parked for. They
 *   are kept apart: an ordinary `add` does not take the requeue away, and cuts a backoff short.
 * - Of several requeue times the earliest wins. The answer of a pass (`done` with an answer)
 *   replaces what had been asked for before the pass began.
 * - A parked key is not given out before `reached` has named its revision, but may be added.
 * - Order: priority with ageing, then first come, first served (see {@link ReadyLane}).
 * - At `keysMax` keys, `add` and `addAt` of a new key return false and change nothing: whoever
 *   listens has to list again when there is room.
 *
 * Keys are forgotten when there is nothing left to remember, so memory follows the work at hand.
 * Cost: O(1) for a key of priority 0 without a time; O(log n) for the others. Not re-entrant from
 * `onReady`.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #metrics: QueueMetrics | undefined;
  readonly #onReady: (() => void) | undefined;
  readonly #keysMax: number;
  readonly #backoffMsMin: number;
  readonly #backoffMsMax: number;
  readonly #conflictsMax: number;

  readonly #entries = new TextMap<QueueEntry>();
  readonly #lane: ReadyLane<QueueEntry>;
  readonly #times: DueTimes<QueueEntry>;
  readonly #parked = new RankHeap<QueueEntry>();
  /** Entries in a pass; kept only for the metrics. */
  readonly #running = new Set<QueueEntry>();
  readonly #history = new KeyHistory(HISTORY_MAX);
  readonly #passes = new PassOrder<QueueEntry>();
  readonly #origin: Timestamp;
  #order = 0;
  #depth = 0;
  #active = 0;
  #reached: Revision = 0;
  #isClosed = false;

  constructor(options: WorkQueueOptions) {
    checkQueueOptions(options);
    this.#clock = options.clock;
    this.#origin = options.clock.now();
    this.#metrics = options.metrics && new QueueMetrics(options.name, options.metrics);
    this.#onReady = options.onReady;
    this.#keysMax = options.keysMax ?? 1_000_000;
    this.#backoffMsMin = options.backoffMsMin ?? 5;
    this.#backoffMsMax = options.backoffMsMax ?? 1_000_000;
    this.#conflictsMax = options.conflictsMax ?? 5;
    this.#lane = new ReadyLane(options.agingMs ?? 1000);
    this.#times = new DueTimes(options.clock, `requeue of ${options.name}`, (entry, reason) => {
      entry.note(reason);
      entry.isUrgent = true;
      if (!entry.isDirty) this.#mark(entry);
    });
  }

  /** Keys that the queue knows, in whatever state. */
  get size(): number {
    return this.#entries.size;
  }

  /** Keys that wait for a pass: ready, parked, or woken during their pass. */
  get depth(): number {
    return this.#depth;
  }

  /** Keys that `take` would give out now. */
  get ready(): number {
    return this.#lane.size;
  }

  /** Keys in a pass. */
  get active(): number {
    return this.#active;
  }

  /** Keys that failed and wait for the end of their backoff. */
  get failing(): number {
    return this.#times.retries;
  }

  /** Keys that wait for a revision, whether they are queued or not. */
  get parked(): number {
    return this.#parked.size;
  }

  /** Keys that have a requeue time. */
  get scheduled(): number {
    return this.#times.requeues;
  }

  /** Whether a new key would be refused. */
  get isFull(): boolean {
    return this.#entries.size >= this.#keysMax;
  }

  /** Soonest requeue time. */
  get nextRequeueAt(): Timestamp | undefined {
    return this.#times.nextRequeueAt;
  }

  /** Soonest end of a backoff. */
  get nextRetryAt(): Timestamp | undefined {
    return this.#times.nextRetryAt;
  }

  /** Queues a key. False when the queue is full and does not know the key. */
  add(key: string, reason: string, options?: AddOptions): boolean {
    const entry = this.#entry(key);
    if (entry === undefined) return false;
    entry.note(reason);
    const mayWait = options?.mayWait === true;
    const priority = priorityOf(options);
    if (entry.isDirty) {
      entry.isUrgent ||= !mayWait;
      if (priority > entry.priority) this.#raise(entry, priority);
      return true;
    }
    if (mayWait && entry.isBackingOff) return true;
    entry.priority = priority;
    entry.isUrgent = !mayWait;
    this.#mark(entry);
    return true;
  }

  /** Queues a key at a time. False when the queue is full and does not know the key. */
  addAt(key: string, at: Timestamp, reason = 'requeue'): boolean {
    checkQueueTime(at);
    if (at <= this.#clock.now()) return this.add(key, reason);
    const entry = this.#entry(key);
    if (entry === undefined) return false;
    this.#times.requeueAt(entry, at);
    entry.rare().isRequeueNew = true;
    return true;
  }

  /** Begins a pass over the next key; `done`, `conflict` or `fail` ends it. */
  take(): string | undefined {
    const entry = this.#lane.peek();
    if (entry === undefined) return undefined;
    this.#lane.remove(entry);
    this.#depth -= 1;
    this.#active += 1;
    entry.began();
    this.#passes.began(entry);
    if (this.#metrics !== undefined) {
      const facts = entry.rare();
      facts.runningSince = this.#clock.now();
      this.#running.add(entry);
      this.#metrics.taken(this.#depth, facts.runningSince - facts.dirtySince);
    }
    return entry.key;
  }

  /**
   * Begins a pass over several keys. A key that has failed comes alone, so that one that always
   * fails cannot take others down with it.
   */
  takeMany(max: number): string[] {
    const keys: string[] = [];
    while (keys.length < max) {
      const isFailing = (this.#lane.peek()?.attempts ?? 0) > 0;
      if (isFailing && keys.length > 0) break;
      const key = this.take();
      if (key === undefined) break;
      keys.push(key);
      if (isFailing) break;
    }
    return keys;
  }

  /**
   * Ends a pass that went well and resets the backoff.
   * With an answer: look at the key again at `requeueAt`, at the soonest in a millisecond (a pass
   * that always asks for this moment must not stop the clock); absent: not before something wakes
   * it. Without an answer: an earlier requeue time stays.
   */
  done(key: string, answer?: { readonly requeueAt?: Timestamp | undefined }): void {
    const entry = this.#finish(key);
    entry.succeeded();
    if (answer !== undefined) {
      const { requeueAt } = answer;
      const at = requeueAt === undefined ? undefined : Math.max(requeueAt, this.#clock.now() + 1);
      if (!entry.isRequeueNew) this.#times.replaceRequeue(entry, at);
      else if (at !== undefined) this.#times.requeueAt(entry, at);
    }
    this.#settle(entry);
  }

  /**
   * Ends a pass that lost a race: the key is queued again at once, to run when `revision` is
   * reached. After `conflictsMax` conflicts in a row it is a failure. True when it runs again.
   */
  conflict(key: string, revision: Revision, message: string): boolean {
    const entry = this.#require(key);
    const facts = entry.rare();
    facts.conflicts += 1;
    this.park(key, revision);
    entry.note('conflict');
    if (facts.conflicts > this.#conflictsMax) {
      this.fail(key, message);
      return false;
    }
    facts.lastError = message;
    this.again(key, 'conflict');
    return true;
  }

  /** Ends a pass that came to nothing and queues the key again at once; resets nothing. */
  again(key: string, reason: string): void {
    const entry = this.#finish(key);
    entry.note(reason);
    entry.isUrgent = true;
    this.#metrics?.retried();
    if (entry.isDirty) this.#settle(entry);
    else this.#mark(entry);
  }

  /**
   * Ends a pass that failed: the key waits `backoffMsMin` × 2ⁿ. Something that woke it during the
   * pass cuts this short, unless it may wait. Gives the end of the wait.
   */
  fail(key: string, error: string): Timestamp {
    const entry = this.#finish(key);
    const facts = entry.rare();
    const delayMs = Math.min(
      this.#backoffMsMin * 2 ** Math.min(facts.attempts, 1000),
      this.#backoffMsMax,
    );
    const retryAt = this.#clock.now() + delayMs;
    facts.attempts += 1;
    facts.lastError = error;
    entry.note('error');
    this.#metrics?.retried();
    if (entry.isDirty && !entry.isUrgent) {
      entry.isDirty = false;
      this.#depth -= 1;
    }
    if (!entry.isDirty) this.#times.retryAt(entry, retryAt);
    this.#settle(entry);
    return retryAt;
  }

  /** Ends a pass that failed for good: the key waits until something wakes it. */
  giveUp(key: string, error: string): void {
    const entry = this.#finish(key);
    entry.succeeded();
    entry.rare().lastError = error;
    entry.note('error');
    this.#settle(entry);
  }

  /** Does not give the key out before `reached` names this revision or a later one. */
  park(key: string, revision: Revision): void {
    if (revision <= this.#reached) return;
    const entry = this.#entry(key);
    if (entry === undefined) return;
    if (entry.isParked && (entry.parkNode?.rank ?? 0) >= revision) return;
    entry.parkNode ??= new HeapNode(entry);
    this.#parked.push(entry.parkNode, revision, (this.#order += 1));
    this.#lane.remove(entry);
  }

  /** Says that the view holds this revision: keys parked for it are free. */
  reached(revision: Revision): void {
    if (revision <= this.#reached) return;
    this.#reached = revision;
    for (;;) {
      const node = this.#parked.peek();
      if (node === undefined || node.rank > revision) return;
      this.#parked.remove(node);
      this.#settle(node.owner);
    }
  }

  /** Where a key stands, and why. Finished keys are known for a while. */
  explain(key: string): KeyExplanation {
    const entry = this.#entries.get(key) ?? this.#history.find(key) ?? new QueueEntry(key);
    return entry.explain();
  }

  /** The first keys that keep the queue from being idle, in the order in which they came. */
  pending(limit = 10): readonly KeyExplanation[] {
    const found: KeyExplanation[] = [];
    for (const entry of this.#entries.values()) {
      if (found.length >= limit) break;
      if (entry.isDirty || entry.isRunning || entry.isBackingOff || entry.isParked) {
        found.push(entry.explain());
      }
    }
    return found;
  }

  /** Tells the metrics about the passes under way. Cost: O(active). */
  sample(): void {
    if (this.#metrics === undefined) return;
    const now = this.#clock.now();
    let sum = 0;
    let longest = 0;
    for (const entry of this.#running) {
      const age = now - entry.rare().runningSince;
      sum += age;
      longest = Math.max(longest, age);
    }
    this.#metrics.sampled({ depth: this.#depth, unfinishedMs: sum, longestMs: longest });
  }

  /** Stops the timer and takes nothing more in. Passes under way may still end. */
  close(): void {
    this.#isClosed = true;
    this.#times.close();
  }

  #entry(key: string): QueueEntry | undefined {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      if (this.isFull || this.#isClosed) return undefined;
      entry = new QueueEntry(key);
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #require(key: string): QueueEntry {
    const entry = this.#passes.find(key) ?? this.#entries.get(key);
    assert(entry !== undefined && entry.isRunning, `no pass over key '${key}' is under way`);
    return entry;
  }

  #finish(key: string): QueueEntry {
    const entry = this.#require(key);
    this.#passes.ended(entry);
    entry.isRunning = false;
    this.#active -= 1;
    if (this.#metrics !== undefined) {
      this.#running.delete(entry);
      this.#metrics.finished(this.#clock.now() - entry.rare().runningSince);
    }
    return entry;
  }

  /** Makes a key dirty; the backoff, if any, is over with that. */
  #mark(entry: QueueEntry): void {
    entry.isDirty = true;
    this.#depth += 1;
    this.#times.dropRetry(entry);
    if (this.#metrics !== undefined) {
      entry.rare().dirtySince = this.#clock.now();
      this.#metrics.added(this.#depth);
    }
    this.#settle(entry);
  }

  /** Puts an entry where it belongs after its state has changed. */
  #settle(entry: QueueEntry): void {
    if (entry.isDirty) {
      if (entry.isRunning || entry.isParked) return;
      // Counted from the start of the queue: small integers are cheaper than times.
      entry.readySince = this.#clock.now() - this.#origin;
      entry.order = this.#order += 1;
      this.#lane.add(entry);
      if (!this.#isClosed) this.#onReady?.();
    } else if (entry.isIdle) {
      this.#entries.delete(entry.key);
      this.#history.add(entry);
    }
  }

  #raise(entry: QueueEntry, priority: number): void {
    const isReady = !entry.isRunning && !entry.isParked;
    if (isReady) this.#lane.remove(entry);
    entry.priority = priority;
    if (isReady) this.#lane.add(entry);
  }
}
