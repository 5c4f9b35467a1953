/**
 * Times at which the keys of a queue want to be looked at, with one timer for all of them.
 */
import type { Clock, Timer, Timestamp } from '@skep/api';
import { HeapNode, RankHeap } from './rank-heap.js';

/** Something with times in a {@link DueTimes}, which owns both fields. */
export interface TimedItem<Self> {
  requeueNode: HeapNode<Self> | undefined;
  retryNode: HeapNode<Self> | undefined;
}

/**
 * Per item at most one requeue time (asked for by a pass) and one retry time (end of a backoff).
 * The two are apart, so neither takes the other away. Cost: O(log n).
 */
export class DueTimes<Item extends TimedItem<Item>> {
  readonly #clock: Clock;
  readonly #label: string;
  readonly #onDue: (item: Item, reason: 'requeue' | 'retry') => void;
  readonly #requeues = new RankHeap<Item>();
  readonly #retries = new RankHeap<Item>();
  #order = 0;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #isClosed = false;

  constructor(
    clock: Clock,
    label: string,
    onDue: (item: Item, reason: 'requeue' | 'retry') => void,
  ) {
    this.#clock = clock;
    this.#label = label;
    this.#onDue = onDue;
  }

  /** Items with a requeue time. */
  get requeues(): number {
    return this.#requeues.size;
  }

  /** Items with a retry time. */
  get retries(): number {
    return this.#retries.size;
  }

  /** Soonest requeue time. */
  get nextRequeueAt(): Timestamp | undefined {
    return this.#requeues.peek()?.rank;
  }

  /** Soonest retry time. */
  get nextRetryAt(): Timestamp | undefined {
    return this.#retries.peek()?.rank;
  }

  /** Sets the requeue time; an earlier one stays. */
  requeueAt(item: Item, at: Timestamp): void {
    const node = (item.requeueNode ??= new HeapNode(item));
    if (node.index >= 0 && node.rank <= at) return;
    this.#requeues.push(node, at, (this.#order += 1));
    this.#arm();
  }

  /** Sets the retry time. */
  retryAt(item: Item, at: Timestamp): void {
    const node = (item.retryNode ??= new HeapNode(item));
    this.#retries.push(node, at, (this.#order += 1));
    this.#arm();
  }

  /** Sets the requeue time whatever it was; undefined forgets it. */
  replaceRequeue(item: Item, at: Timestamp | undefined): void {
    const node = item.requeueNode;
    if (at === undefined) {
      if (node === undefined || node.index < 0) return;
      this.#requeues.remove(node);
    } else {
      this.#requeues.push((item.requeueNode ??= new HeapNode(item)), at, (this.#order += 1));
    }
    this.#arm();
  }

  /** Forgets the retry time, if there is one. */
  dropRetry(item: Item): void {
    if (item.retryNode === undefined || item.retryNode.index < 0) return;
    this.#retries.remove(item.retryNode);
    this.#arm();
  }

  /** Stops the timer for good. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }

  #arm(): void {
    if (this.#isClosed) return;
    const at = Math.min(this.nextRequeueAt ?? Infinity, this.nextRetryAt ?? Infinity);
    if (at === this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer =
      at === Infinity
        ? undefined
        : this.#clock.schedule(at, () => this.#run(), { label: this.#label });
  }

  #run(): void {
    this.#timer = undefined;
    this.#timerAt = Infinity;
    if (this.#isClosed) return;
    const now = this.#clock.now();
    this.#drain(this.#requeues, now, 'requeue');
    this.#drain(this.#retries, now, 'retry');
    // A real timer may come a little early; whatever is not due yet is waited for again.
    this.#arm();
  }

  #drain(heap: RankHeap<Item>, now: Timestamp, reason: 'requeue' | 'retry'): void {
    for (;;) {
      const node = heap.peek();
      if (node === undefined || node.rank > now) return;
      heap.remove(node);
      this.#onDue(node.owner, reason);
    }
  }
}
