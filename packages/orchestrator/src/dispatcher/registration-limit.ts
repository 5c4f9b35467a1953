/**
 * How often a node may open a session.
 *
 * **Source:** SwarmKit manager/dispatcher/nodes.go (CheckRateLimit).
 */
import type { NodeId, Timestamp } from '@skep/api';

/** Sessions that a node may open within {@link REGISTRATION_WINDOW_MS}. */
export const REGISTRATIONS_MAX = 3;
/** The window in which they are counted. */
export const REGISTRATION_WINDOW_MS = 8_000;

/** Counts registrations in a sliding window. Memory: three times for each node. */
export class RegistrationLimit {
  readonly #times = new Map<NodeId, readonly Timestamp[]>();

  /** Whether the node may register now; if so, it counts. Refused attempts do not. */
  admits(nodeId: NodeId, now: Timestamp): boolean {
    const recent = (this.#times.get(nodeId) ?? []).filter(
      (time) => now - time < REGISTRATION_WINDOW_MS,
    );
    if (recent.length >= REGISTRATIONS_MAX) return false;
    this.#times.set(nodeId, [...recent, now]);
    return true;
  }

  /** Forgets a node that is no more. */
  forget(nodeId: NodeId): void {
    this.#times.delete(nodeId);
  }
}
