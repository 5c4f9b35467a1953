/**
 * What nodes tell about themselves, on its way to becoming events: checked, and never too much.
 */
import {
  Node,
  NOTICE_MESSAGE_MAX,
  NOTICE_REASON_MAX,
  NOTICES_MAX,
  SkepError,
  type Clock,
  type Logger,
  type NodeId,
  type NodeNotice,
  type Timestamp,
} from '@skep/api';
import type { EventRecorder } from '@skep/controller';
import type { Store } from '@skep/store';
import type { DispatcherMetrics } from './dispatcher-metrics.js';

/** Notices of one node that are taken within {@link NOTICE_WINDOW_MS}. */
export const NOTICES_PER_WINDOW = 64;
/** The window in which they are counted. */
export const NOTICE_WINDOW_MS = 60_000;

/** The actor of the events. */
const ACTOR = 'agent';
const REASON = /^[A-Z][A-Za-z0-9]*$/;

/** Seams of {@link NoticeBoard}. */
export interface NoticeBoardParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: DispatcherMetrics;
  readonly events: EventRecorder;
}

interface Window {
  readonly since: Timestamp;
  taken: number;
  isFull: boolean;
}

/** Makes events of what nodes tell. Memory: one window for each node. */
export class NoticeBoard {
  readonly #parts: NoticeBoardParts;
  readonly #windows = new Map<NodeId, Window>();

  constructor(parts: NoticeBoardParts) {
    this.#parts = parts;
  }

  /**
   * Takes what a node tells. More than 64 in a minute are dropped and counted: a node that has
   * trouble without end must not drive the events of others out.
   * @throws invalid-argument for more than 32 at a time, and for one that makes no event; nothing
   * is taken then.
   */
  take(nodeId: NodeId, notices: readonly NodeNotice[]): void {
    check(nodeId, notices);
    const { store, events, metrics } = this.#parts;
    const node = store.view().get(Node, nodeId);
    if (node === undefined) return;
    const window = this.#window(nodeId);
    const taken = notices.slice(0, NOTICES_PER_WINDOW - window.taken);
    window.taken += taken.length;
    for (const { type, reason, message } of taken) {
      events.record({ regarding: node, type, reason, message }, ACTOR);
    }
    metrics.notices.add(taken.length);
    if (taken.length < notices.length) this.#drop(nodeId, notices.length - taken.length, window);
  }

  /** Forgets a node that is no more. */
  forget(nodeId: NodeId): void {
    this.#windows.delete(nodeId);
  }

  #window(nodeId: NodeId): Window {
    const now = this.#parts.clock.now();
    const known = this.#windows.get(nodeId);
    if (known !== undefined && now - known.since < NOTICE_WINDOW_MS) return known;
    const fresh = { since: now, taken: 0, isFull: false };
    this.#windows.set(nodeId, fresh);
    return fresh;
  }

  #drop(nodeId: NodeId, dropped: number, window: Window): void {
    const { metrics, logger } = this.#parts;
    metrics.noticesDropped.add(dropped);
    if (!window.isFull) logger.warn('a node tells too much', { nodeId });
    window.isFull = true;
  }
}

function check(nodeId: NodeId, notices: readonly NodeNotice[]): void {
  const details = { nodeId };
  if (notices.length > NOTICES_MAX) {
    const text = `more than ${NOTICES_MAX} notices in one call: ${notices.length}`;
    throw new SkepError('invalid-argument', text, { details });
  }
  for (const { type, reason, message } of notices) {
    const isNamed = reason.length <= NOTICE_REASON_MAX && REASON.test(reason);
    const isType = type === 'normal' || type === 'warning';
    if (isNamed && isType && message.length <= NOTICE_MESSAGE_MAX) continue;
    throw new SkepError(
      'invalid-argument',
      `a notice needs the type 'normal' or 'warning', a CamelCase reason of at most ` +
        `${NOTICE_REASON_MAX} and a message of at most ${NOTICE_MESSAGE_MAX} characters`,
      { details: { ...details, type, reason: String(reason).slice(0, NOTICE_REASON_MAX) } },
    );
  }
}
