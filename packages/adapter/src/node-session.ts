/**
 * Keeps a session with a manager open: registers, beats, comes back after a loss.
 *
 * **Source:** SwarmKit agent/session.go: backoff from 100 ms, doubled plus 100 ms, to at most 8 s,
 * and a wait drawn uniformly below it.
 */
import {
  messageOf,
  type Assignment,
  type Clock,
  type Logger,
  type NodeHello,
  type NodeLink,
  type NodeLinkHandlers,
  type NodeSession,
  type Random,
  type Timer,
} from '@skep/api';

const BACKOFF_STEP_MS = 100;
const BACKOFF_MAX_MS = 8_000;

/** What a session keeper needs. */
export interface SessionKeeperOptions {
  readonly link: NodeLink;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What the node says when it comes; asked again for every session. */
  readonly hello: () => Promise<NodeHello>;
  readonly onOpen: (session: NodeSession) => void;
  readonly onAssignment: (assignment: Assignment) => void;
  /** Answers questions. Default: none are answered. */
  readonly onAsk?: NonNullable<NodeLinkHandlers['ask']>;
}

/** The upper bound of the wait before the next attempt. */
export function nextBackoffMs(backoffMs: number): number {
  return Math.min(backoffMs * 2 + BACKOFF_STEP_MS, BACKOFF_MAX_MS);
}

/** Keeps one session at a time, from `start` to `stop`. */
export class SessionKeeper {
  readonly #options: SessionKeeperOptions;
  #session: NodeSession | undefined;
  #heartbeat: Timer | undefined;
  #retry: Timer | undefined;
  #backoffMs = 0;
  /** Rises with every attempt, so that a late answer of an earlier one is recognised. */
  #attempt = 0;
  #isStopped = true;

  constructor(options: SessionKeeperOptions) {
    this.#options = options;
  }

  /** The open session, if there is one. */
  get session(): NodeSession | undefined {
    return this.#session;
  }

  /** Begins. Harmless when it runs. */
  start(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    void this.#open();
  }

  /** Ends the session and stays away. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const session = this.#drop();
    this.#retry?.cancel();
    await session?.close().catch(() => undefined);
  }

  /** Gives the session up and opens another: it made no sense any more, or a call failed. */
  reopen(reason: string): void {
    if (this.#isStopped) return;
    this.#options.logger.info('session lost', { reason });
    const session = this.#drop();
    void session?.close().catch(() => undefined);
    this.#retryLater();
  }

  #drop(): NodeSession | undefined {
    const session = this.#session;
    this.#session = undefined;
    this.#attempt += 1;
    this.#heartbeat?.cancel();
    return session;
  }

  #retryLater(): void {
    const { clock, random } = this.#options;
    this.#backoffMs = nextBackoffMs(this.#backoffMs);
    this.#retry?.cancel();
    this.#retry = clock.schedule(
      clock.now() + random.int(this.#backoffMs),
      () => void this.#open(),
      { label: 'session retry', isPeriodic: true },
    );
  }

  async #open(): Promise<void> {
    const attempt = (this.#attempt += 1);
    const { onAsk } = this.#options;
    const isCurrent = (): boolean => attempt === this.#attempt && !this.#isStopped;
    try {
      const hello = await this.#options.hello();
      if (!isCurrent()) return;
      const session = await this.#options.link.open(hello, {
        assignment: (assignment) => {
          if (isCurrent()) this.#options.onAssignment(assignment);
        },
        closed: (reason) => {
          if (isCurrent()) this.reopen(reason);
        },
        ...(onAsk === undefined ? {} : { ask: onAsk }),
      });
      if (!isCurrent()) {
        void session.close().catch(() => undefined);
        return;
      }
      this.#session = session;
      this.#backoffMs = 0;
      this.#beatAfter(session, session.heartbeatPeriodMs);
      this.#options.onOpen(session);
    } catch (thrown) {
      if (isCurrent()) this.reopen(messageOf(thrown));
    }
  }

  #beatAfter(session: NodeSession, periodMs: number): void {
    const { clock } = this.#options;
    this.#heartbeat = clock.schedule(clock.now() + periodMs, () => void this.#beat(session), {
      isPeriodic: true,
      label: 'heartbeat',
    });
  }

  async #beat(session: NodeSession): Promise<void> {
    try {
      const reply = await session.heartbeat();
      if (this.#session === session) this.#beatAfter(session, reply.periodMs);
    } catch (thrown) {
      if (this.#session === session) this.reopen(messageOf(thrown));
    }
  }
}
