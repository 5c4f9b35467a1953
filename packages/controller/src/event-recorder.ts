/**
 * Takes what controllers have to tell and writes it as Event objects, beside the loops.
 */
import { ACTORS, Event, messageOf, silentLogger } from '@skep/api';
import type { Clock, Logger, ObjectId, Timer, Timestamp } from '@skep/api';
import { CHANGES_MAX, type Expectation, type Store } from '@skep/store';
import { Committer } from './committer.js';
import type { EventDraft, FenceLost } from './contract.js';
import { eventId, mergePending, planEvents, type PendingEvent } from './event-plan.js';

/** Different events that may wait to be written; further ones are dropped and counted. */
const PENDING_MAX = 1000;
/** Failures in a row after which what waits is dropped. */
const ATTEMPTS_MAX = 3;

/** What an {@link EventRecorder} needs. */
export interface EventRecorderParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
  readonly fence?: (() => readonly Expectation[]) | undefined;
  /** Told when the fence stops a commit; the events are dropped then. */
  readonly onFenceLost?: FenceLost | undefined;
  /** How long events are gathered before they are written together. Default: 100. */
  readonly flushMs?: number | undefined;
}

/**
 * Records events: equal ones (same object, reason and message) are counted, at most 20 are kept for
 * an object and 1,000 in all. Best effort: nothing waits for it, and what cannot be written after
 * three tries is dropped with a log line. Without the kind `Event` in the store it does nothing.
 */
export class EventRecorder {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #committer: Committer;
  readonly #flushMs: number;
  readonly #isUsable: boolean;
  #pending = new Map<ObjectId, PendingEvent>();
  #timer: Timer | undefined;
  #timerAt: Timestamp | undefined;
  #writing: Promise<void> | undefined;
  #attempts = 0;
  #dropped = 0;
  #isStopped = false;

  constructor(parts: EventRecorderParts) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#logger = parts.logger ?? silentLogger;
    this.#flushMs = parts.flushMs ?? 100;
    this.#committer = new Committer({
      store: parts.store,
      actor: ACTORS.events,
      fence: parts.fence,
      onFenceLost: parts.onFenceLost,
    });
    this.#isUsable = parts.store.kinds.some((kind) => kind.name === Event.name);
  }

  /** Whether everything recorded is written (or dropped). */
  get isIdle(): boolean {
    return this.#pending.size === 0 && this.#writing === undefined;
  }

  /** When it writes next. */
  get nextAt(): Timestamp | undefined {
    return this.#timerAt;
  }

  /** Events that were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes an event; it is written a little later. Cost: O(1). */
  record(draft: EventDraft, actor: string): void {
    if (!this.#isUsable || this.#isStopped) return;
    const now = this.#clock.now();
    this.#keep({ id: eventId(draft), draft, actor, count: 1, firstAt: now, lastAt: now });
    this.#arm(this.#flushMs);
  }

  /** Writes what is left, once, and takes nothing more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#disarm();
    await this.#writing;
    await this.#flush();
    this.#disarm();
  }

  #keep(event: PendingEvent): void {
    const before = this.#pending.get(event.id);
    if (before === undefined && this.#pending.size >= PENDING_MAX) {
      this.#dropped += 1;
      return;
    }
    this.#pending.set(event.id, before === undefined ? event : mergePending(before, event));
  }

  #arm(delayMs: number): void {
    if (this.#timer !== undefined || this.#writing !== undefined || this.#isStopped) return;
    const at = this.#clock.now() + delayMs;
    this.#timerAt = at;
    this.#timer = this.#clock.schedule(
      at,
      () => {
        this.#disarm();
        void this.#flush();
      },
      { label: 'events' },
    );
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = undefined;
  }

  async #flush(): Promise<void> {
    if (this.#pending.size === 0) return;
    const batch = [...this.#pending.values()];
    this.#pending = new Map();
    this.#writing = this.#write(batch);
    await this.#writing;
    this.#writing = undefined;
    if (this.#pending.size > 0) this.#arm(this.#flushMs * 2 ** this.#attempts);
  }

  /** Never throws. */
  async #write(batch: readonly PendingEvent[]): Promise<void> {
    let at = 0;
    try {
      // One piece at a time, each planned on the view after the one before.
      for (; at < batch.length; at += CHANGES_MAX / 2) {
        const piece = batch.slice(at, at + CHANGES_MAX / 2);
        const changes = planEvents(this.#store.view(), piece);
        const outcome = await this.#committer.commitInPieces(changes, undefined);
        if (outcome.committed < changes.length) {
          const { conflict, error, isFenceLost } = outcome;
          // Nothing of ours will go through any more.
          if (isFenceLost === true) this.#attempts = ATTEMPTS_MAX;
          this.#failed(batch.slice(at), conflict?.message ?? messageOf(error));
          return;
        }
      }
      this.#attempts = 0;
    } catch (error) {
      this.#failed(batch.slice(at), messageOf(error));
    }
  }

  #failed(batch: readonly PendingEvent[], error: string): void {
    this.#attempts += 1;
    if (this.#attempts >= ATTEMPTS_MAX || this.#isStopped) {
      this.#attempts = 0;
      this.#dropped += batch.length;
      this.#logger.warn('events dropped', { events: batch.length, error });
      return;
    }
    for (const event of batch) this.#keep(event);
  }
}
