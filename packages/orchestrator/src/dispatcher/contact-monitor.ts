/**
 * Notices that a node is silent, with one timer for each node however often it is heard of.
 */
import type { Clock, NodeId, Timer, Timestamp } from '@skep/api';

/** When silence is unusual, and when it is too long. */
export interface ContactDeadline {
  readonly lateAt: Timestamp;
  readonly lostAt: Timestamp;
}

interface Watch {
  deadline: ContactDeadline;
  timer: Timer;
  /** Whether the timer waits for `lostAt`; otherwise for `lateAt` of some time ago. */
  isLate: boolean;
}

/**
 * Calls `lost` exactly at a node's `lostAt`, unless it is heard of before.
 * While nodes are heard of in time, timers are periodic ones; a node that is late is something that
 * a cluster waits for before it counts as settled.
 */
export class ContactMonitor {
  readonly #clock: Clock;
  readonly #lost: (nodeId: NodeId) => void;
  readonly #watches = new Map<NodeId, Watch>();

  constructor(parts: { readonly clock: Clock; readonly lost: (nodeId: NodeId) => void }) {
    this.#clock = parts.clock;
    this.#lost = parts.lost;
  }

  /** The node was heard of, or is expected. Cost: O(1); no timer in the ordinary case. */
  expect(nodeId: NodeId, deadline: ContactDeadline): void {
    const watch = this.#watches.get(nodeId);
    if (watch !== undefined && !watch.isLate && watch.deadline.lateAt <= deadline.lateAt) {
      watch.deadline = deadline;
      return;
    }
    watch?.timer.cancel();
    const timer = this.#timer(nodeId, deadline.lateAt, true);
    this.#watches.set(nodeId, { deadline, timer, isLate: false });
  }

  /** Nothing is expected of the node any more. */
  forget(nodeId: NodeId): void {
    this.#watches.get(nodeId)?.timer.cancel();
    this.#watches.delete(nodeId);
  }

  /** Forgets all nodes. */
  stop(): void {
    for (const nodeId of [...this.#watches.keys()]) this.forget(nodeId);
  }

  #fire(nodeId: NodeId): void {
    const watch = this.#watches.get(nodeId);
    if (watch === undefined) return;
    const now = this.#clock.now();
    const { lateAt, lostAt } = watch.deadline;
    if (now < lateAt) {
      watch.timer = this.#timer(nodeId, lateAt, true);
    } else if (now < lostAt) {
      watch.isLate = true;
      watch.timer = this.#timer(nodeId, lostAt, false);
    } else {
      this.#watches.delete(nodeId);
      this.#lost(nodeId);
    }
  }

  #timer(nodeId: NodeId, at: Timestamp, isPeriodic: boolean): Timer {
    const label = isPeriodic ? `heartbeat of node ${nodeId}` : `silence of node ${nodeId}`;
    return this.#clock.schedule(at, () => this.#fire(nodeId), { isPeriodic, label });
  }
}
