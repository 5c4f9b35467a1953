/**
 * Tasks of nodes that are DOWN for so long that the truth about them will not be known.
 *
 * **Source:** SwarmKit manager/dispatcher/dispatcher.go (moveTasksToOrphaned). Its timer starts
 * anew with every leader, and it gives up at the first conflict (defect 4); here the time is a
 * fact of the node, and every task is written for itself.
 */
import {
  Task,
  byNode,
  isAtLeast,
  isTerminal,
  type Clock,
  type Node,
  type NodeId,
  type TaskId,
  type Timer,
  type Timestamp,
} from '@skep/api';
import type { View } from '@skep/store';
import { settingsOf } from './assigned-network.js';
import { observationOf, type TaskObservation } from './task-observation.js';

/** Seams of {@link Orphanage}. */
export interface OrphanageParts {
  readonly clock: Clock;
  readonly view: () => View;
  /** A node with a session is heard of, though it is not READY yet. */
  readonly isConnected: (nodeId: NodeId) => boolean;
  readonly orphan: (taskId: TaskId, observation: TaskObservation) => void;
}

/** When the tasks of a node become orphans, undefined while the node is not DOWN. */
export function orphanTime(view: View, node: Node): Timestamp | undefined {
  const { state, downSince } = node.status;
  if (state !== 'down' || downSince === undefined) return undefined;
  return downSince + settingsOf(view).orphanAfterMs;
}

/** Tasks of the node that would become orphans: assigned, and not known to have ended. */
export function orphans(view: View, nodeId: NodeId): readonly Task[] {
  return view
    .list(Task, byNode(nodeId))
    .filter(({ status }) => status.nodeId === nodeId)
    .filter(({ status }) => isAtLeast(status.state, 'assigned') && !isTerminal(status.state));
}

/** Watches nodes that are DOWN. Level-based: `look` again whenever a node or a setting changed. */
export class Orphanage {
  readonly #parts: OrphanageParts;
  readonly #timers = new Map<NodeId, Timer>();

  constructor(parts: OrphanageParts) {
    this.#parts = parts;
  }

  /** Sets, moves or removes the timer of a node; acts at once when the time has come. */
  look(node: Node): void {
    const { clock, view } = this.#parts;
    const nodeId = node.meta.id;
    this.forget(nodeId);
    const at = orphanTime(view(), node);
    if (at === undefined) return;
    if (at <= clock.now()) return this.#orphanAll(nodeId);
    // Nobody waits a day for a cluster to settle, so the timer counts as periodic.
    const options = { isPeriodic: true, label: `orphans of node ${nodeId}` };
    const timer = clock.schedule(at, () => this.#orphanAll(nodeId), options);
    this.#timers.set(nodeId, timer);
  }

  /** Removes the timer of a node. */
  forget(nodeId: NodeId): void {
    this.#timers.get(nodeId)?.cancel();
    this.#timers.delete(nodeId);
  }

  /** Removes all timers. */
  stop(): void {
    for (const nodeId of [...this.#timers.keys()]) this.forget(nodeId);
  }

  #orphanAll(nodeId: NodeId): void {
    const { clock, view, orphan, isConnected } = this.#parts;
    this.#timers.delete(nodeId);
    // Should it leave again, `downSince` moves, and it is looked at again.
    if (isConnected(nodeId)) return;
    const now = clock.now();
    for (const task of orphans(view(), nodeId)) {
      const taskId = task.meta.id;
      const message = 'node has been down for too long; its tasks are given up';
      orphan(taskId, observationOf({ taskId, state: 'orphaned', timestamp: now, message }, now));
    }
  }
}
