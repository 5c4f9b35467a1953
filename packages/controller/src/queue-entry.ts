/**
 * What a work queue knows about one key.
 */
import type { KeyExplanation } from './contract.js';
import type { HeapNode } from './rank-heap.js';
import type { LaneItem } from './ready-lane.js';
import type { TimedItem } from './due-times.js';

/** Most reasons that are remembered for a key; the oldest goes first. */
export const REASONS_MAX = 10;

/** What most keys never need, kept apart: a hundred thousand queued keys should stay small. */
class RareFacts {
  attempts = 0;
  conflicts = 0;
  lastError: string | undefined = undefined;
  isRequeueNew = false;
  dirtySince = 0;
  runningSince = 0;
  rankNode: HeapNode<QueueEntry> | undefined = undefined;
  requeueNode: HeapNode<QueueEntry> | undefined = undefined;
  retryNode: HeapNode<QueueEntry> | undefined = undefined;
  parkNode: HeapNode<QueueEntry> | undefined = undefined;
}

/** One key. It exists as long as there is something to remember about it. */
export class QueueEntry implements LaneItem<QueueEntry>, TimedItem<QueueEntry> {
  readonly key: string;
  /** Whether the key wants a pass. */
  isDirty = false;
  /** Whether a pass over the key is under way. */
  isRunning = false;
  /** Whether something other than the controller's own writes woke it. */
  isUrgent = false;
  isInLine = false;
  priority = 0;
  readySince = 0;
  order = 0;
  before: QueueEntry | undefined = undefined;
  behind: QueueEntry | undefined = undefined;
  /** The only reason so far, or all of them. */
  #reasons: string | string[] | undefined = undefined;
  #rare: RareFacts | undefined = undefined;

  constructor(key: string) {
    this.key = key;
  }

  /** Failures in a row. */
  get attempts(): number {
    return this.#rare === undefined ? 0 : this.#rare.attempts;
  }

  /** Whether a requeue was asked for since the pass began. */
  get isRequeueNew(): boolean {
    return this.#rare !== undefined && this.#rare.isRequeueNew;
  }

  get rankNode(): HeapNode<QueueEntry> | undefined {
    return this.#rare?.rankNode;
  }

  set rankNode(node: HeapNode<QueueEntry> | undefined) {
    this.rare().rankNode = node;
  }

  get requeueNode(): HeapNode<QueueEntry> | undefined {
    return this.#rare?.requeueNode;
  }

  set requeueNode(node: HeapNode<QueueEntry> | undefined) {
    this.rare().requeueNode = node;
  }

  get retryNode(): HeapNode<QueueEntry> | undefined {
    return this.#rare?.retryNode;
  }

  set retryNode(node: HeapNode<QueueEntry> | undefined) {
    this.rare().retryNode = node;
  }

  get parkNode(): HeapNode<QueueEntry> | undefined {
    return this.#rare?.parkNode;
  }

  set parkNode(node: HeapNode<QueueEntry> | undefined) {
    this.rare().parkNode = node;
  }

  /** Whether the key waits for a revision. */
  get isParked(): boolean {
    return isIn(this.#rare?.parkNode);
  }

  /** Whether the key waits for the end of a backoff. */
  get isBackingOff(): boolean {
    return isIn(this.#rare?.retryNode);
  }

  /** Whether the key has a time at which it is looked at again. */
  get isScheduled(): boolean {
    return isIn(this.#rare?.requeueNode);
  }

  /** Whether nothing about the key has to be remembered. */
  get isIdle(): boolean {
    if (this.isDirty || this.isRunning) return false;
    if (this.#rare === undefined) return true;
    return this.attempts === 0 && !this.isParked && !this.isBackingOff && !this.isScheduled;
  }

  /** The facts that most keys never need; makes room for them. */
  rare(): RareFacts {
    return (this.#rare ??= new RareFacts());
  }

  /** A pass begins: what is asked for from now on is new. */
  began(): void {
    this.isDirty = false;
    this.isRunning = true;
    if (this.#rare !== undefined) this.#rare.isRequeueNew = false;
  }

  /** A pass went well: failures before it do not count any more. */
  succeeded(): void {
    if (this.#rare === undefined) return;
    this.#rare.attempts = 0;
    this.#rare.conflicts = 0;
    this.#rare.lastError = undefined;
  }

  /** Remembers why the key was woken; a repetition of the last reason is not repeated. */
  note(reason: string): void {
    const before = this.#reasons;
    if (before === undefined) {
      this.#reasons = reason;
    } else if (typeof before === 'string') {
      if (before !== reason) this.#reasons = [before, reason];
    } else if (before[before.length - 1] !== reason) {
      if (before.length === REASONS_MAX) before.shift();
      before.push(reason);
    }
  }

  /** The same for people. */
  explain(): KeyExplanation {
    const state = this.#state();
    const { lastError } = this.#rare ?? {};
    const node = this.isBackingOff
      ? this.retryNode
      : this.isScheduled
        ? this.requeueNode
        : undefined;
    return {
      key: this.key,
      state,
      reasons: typeof this.#reasons === 'string' ? [this.#reasons] : [...(this.#reasons ?? [])],
      attempts: this.attempts,
      ...(node === undefined ? {} : { at: node.rank }),
      ...(this.isParked ? { parkedUntil: this.parkNode?.rank ?? 0 } : {}),
      ...(lastError === undefined ? {} : { lastError }),
    };
  }

  #state(): KeyExplanation['state'] {
    if (this.isRunning) return 'running';
    if (this.isDirty) return this.isParked ? 'parked' : 'queued';
    if (this.isBackingOff) return 'backoff';
    return this.isScheduled ? 'scheduled' : 'idle';
  }
}

function isIn(node: HeapNode<QueueEntry> | undefined): boolean {
  return node !== undefined && node.index >= 0;
}
