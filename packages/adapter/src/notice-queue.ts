/**
 * What a node observed that is worth an event, on its way to the manager: never many, never in a
 * hurry.
 */
import {
  NOTICE_MESSAGE_MAX,
  NOTICES_MAX,
  type Clock,
  type NodeNotice,
  type Timer,
  type Timestamp,
} from '@skep/api';

/** Notices are gathered for this long, so that what belongs together goes together. */
const GATHER_MS = 1_000;
/** Pause between two calls: with 32 a call, no more than a manager takes of a node in a minute. */
const PAUSE_MS = 30_000;
/** Notices that wait, the oldest give way. */
const PENDING_MAX = NOTICES_MAX;

/** What a notice queue needs. */
export interface NoticeQueueOptions {
  readonly clock: Clock;
  /** Sends; false when they did not arrive. They are kept then, and wait for the next session. */
  readonly send: (notices: readonly NodeNotice[]) => Promise<boolean>;
}

/**
 * Notices that have not arrived yet: at most 32; equal ones are one. Best effort: those that nobody
 * takes are lost with the agent.
 */
export class NoticeQueue {
  readonly #options: NoticeQueueOptions;
  readonly #pending = new Map<string, NodeNotice>();
  #dropped = 0;
  #timer: Timer | undefined;
  #notBefore: Timestamp = 0;
  #isSending = false;
  #isStopped = false;

  constructor(options: NoticeQueueOptions) {
    this.#options = options;
  }

  /** Takes a notice; its message is cut to what a manager takes. */
  add({ type, reason, message }: NodeNotice): void {
    const text = cut(message);
    const key = `${reason} ${text}`;
    this.#pending.delete(key);
    this.#pending.set(key, { type, reason, message: text });
    const [oldest] = this.#pending.keys();
    if (this.#pending.size > PENDING_MAX && oldest !== undefined) {
      this.#pending.delete(oldest);
      this.#dropped += 1;
    }
    this.#schedule();
  }

  /** There is a new session: what waits is tried again. */
  resend(): void {
    this.#schedule();
  }

  /** Sends nothing any more. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    const isWaiting = this.#timer !== undefined || this.#isSending;
    if (isWaiting || this.#isStopped || this.#pending.size === 0) return;
    const { clock } = this.#options;
    const at = Math.max(clock.now() + GATHER_MS, this.#notBefore);
    const run = (): void => {
      this.#timer = undefined;
      void this.#send();
    };
    // Nothing waits for a notice: a cluster is settled though one is under way.
    this.#timer = clock.schedule(at, run, { label: 'notices', isPeriodic: true });
  }

  async #send(): Promise<void> {
    const sent = [...this.#pending];
    this.#isSending = true;
    const notices = sent.map(([, notice]) => notice);
    const hasArrived = await this.#options.send(this.#withDropped(notices)).catch(() => false);
    this.#isSending = false;
    if (!hasArrived) return;
    this.#dropped = 0;
    this.#notBefore = this.#options.clock.now() + PAUSE_MS;
    for (const [key, notice] of sent) {
      if (this.#pending.get(key) === notice) this.#pending.delete(key);
    }
    this.#schedule();
  }

  /** The last place is for how many are missing. */
  #withDropped(notices: readonly NodeNotice[]): readonly NodeNotice[] {
    if (this.#dropped === 0) return notices;
    const kept = notices.slice(1);
    const missing = this.#dropped + notices.length - kept.length;
    const message = `${missing} more notices of this node were dropped; its log has them all`;
    return [...kept, { type: 'warning', reason: 'NoticesDropped', message }];
  }
}

function cut(message: string): string {
  if (message.length <= NOTICE_MESSAGE_MAX) return message;
  return `${message.slice(0, NOTICE_MESSAGE_MAX - 1)}…`;
}
