/**
 * Brings a node's tables and names up to date, one application at a time, and says which revision
 * they have reached.
 */
import { messageOf, type Clock, type Logger, type Revision, type Timer } from '@skep/api';
import type { NetworkChange, NodeNetworkState } from '@skep/network';
import { mergeNetworkChanges } from './assignment-state.js';
import type { Dataplane, Resolver } from './contract.js';

const RETRY_MS = 1_000;
const REPAIR_PERIOD_MS = 30_000;

/** What a network applier needs. */
export interface NetworkApplierOptions {
  readonly dataplane: Dataplane;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: () => NodeNetworkState;
  /** Called when tables and names hold everything up to the revision. */
  readonly onApplied: (revision: Revision) => void;
}

/**
 * Applies the newest state again and again while there is something new. Several assignments that
 * arrive during one application are applied together.
 */
export class NetworkApplier {
  readonly #options: NetworkApplierOptions;
  /** `everything` when the kernel's content is not known; otherwise what has to be applied. */
  #pending: NetworkChange | 'everything' | undefined;
  #isRunning = false;
  #isStopped = false;
  #retry: Timer | undefined;
  #repair: Timer | undefined;

  constructor(options: NetworkApplierOptions) {
    this.#options = options;
    this.#scheduleRepair();
  }

  /** There is something new; `undefined` when anything may have changed. */
  request(change: NetworkChange | undefined): void {
    if (change === undefined || this.#pending === 'everything') this.#pending = 'everything';
    else if (this.#pending === undefined) this.#pending = change;
    else this.#pending = mergeNetworkChanges(this.#pending, change);
    void this.#run();
  }

  stop(): void {
    this.#isStopped = true;
    this.#retry?.cancel();
    this.#repair?.cancel();
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#pending !== undefined && !this.#isStopped) {
      const change = this.#pending === 'everything' ? undefined : this.#pending;
      this.#pending = undefined;
      const state = this.#options.state();
      const { revision } = state;
      try {
        await this.#options.dataplane.apply(state, change);
        await this.#options.resolver.apply(state, change);
        if (!this.#isStopped) this.#options.onApplied(revision);
      } catch (thrown) {
        this.#options.logger.error('tables were not applied', { error: messageOf(thrown) });
        this.#pending = 'everything';
        this.#retryLater();
        break;
      }
    }
    this.#isRunning = false;
  }

  #retryLater(): void {
    const { clock } = this.#options;
    this.#retry?.cancel();
    this.#retry = clock.schedule(clock.now() + RETRY_MS, () => void this.#run(), {
      label: 'retry of tables',
    });
  }

  #scheduleRepair(): void {
    const { clock } = this.#options;
    this.#repair = clock.schedule(clock.now() + REPAIR_PERIOD_MS, () => void this.#repairNow(), {
      isPeriodic: true,
      label: 'table repair',
    });
  }

  async #repairNow(): Promise<void> {
    if (this.#isStopped) return;
    if (!this.#isRunning) {
      this.#isRunning = true;
      try {
        const faults = await this.#options.dataplane.repair();
        for (const fault of faults) this.#options.logger.warn('tables repaired', { fault });
      } catch (thrown) {
        this.#options.logger.error('tables were not repaired', { error: messageOf(thrown) });
        this.#pending = 'everything';
      }
      this.#isRunning = false;
      void this.#run();
    }
    if (!this.#isStopped) this.#scheduleRepair();
  }
}
