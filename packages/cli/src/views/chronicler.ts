/**
 * Listens to a cluster and keeps what happened.
 */
import type { Timestamp } from '@skep/api';
import type { Cluster } from 'skep';
import { chronicleOf, type ChronicleLine } from './chronicle.js';

/** Keeps the chronicle of a cluster from its making until `stop`. */
export class Chronicler {
  readonly start: Timestamp;
  #lines: ChronicleLine[] = [];
  readonly #subscription: { unsubscribe(): void };

  constructor(cluster: Cluster) {
    this.start = cluster.clock.now();
    this.#subscription = cluster.store.subscribe({
      commit: (event) => this.#lines.push(...chronicleOf(event, cluster.store.view())),
      ended: () => undefined,
    });
  }

  /** Everything so far. */
  get lines(): readonly ChronicleLine[] {
    return this.#lines;
  }

  /** Everything since the last call. */
  take(): readonly ChronicleLine[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  stop(): void {
    this.#subscription.unsubscribe();
  }
}
