/**
 * Brings a node's tables and names up to date, one application at a time, and says which revision
 * they have reached.
 */
import {
  messageOf,
  type Clock,
  type Logger,
  type NodeNotice,
  type Revision,
  type Timer,
} from '@skep/api';
import type { NetworkChange, NodeNetworkState } from '@skep/network';
import { mergeNetworkChanges } from './assignment-state.js';
import type { Dataplane, Resolver } from './contract.js';
import {
  tablesApplied,
  tablesNotApplied,
  tablesNotRepaired,
  tablesRepaired,
} from './observations.js';

const RETRY_MS = 1_000;
const REPAIR_PERIOD_MS = 30_000;

/** What a network applier needs. */
export interface NetworkApplierOptions {
  readonly dataplane: Dataplane;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: () => NodeNetworkState;
  /** Called when tables and names hold everything up to the revision. Must not throw. */
  readonly onApplied: (revision: Revision) => void;
  /** Told what is worth an event. Must not throw. Default: nobody is. */
  readonly onNotice?: (notice: NodeNotice) => void;
}

/**
 * Applies the newest state again and again while there is something new. Several assignments that
 * arrive during one application are applied together. After a failure everything is applied anew, a
 * second later at the earliest.
 */
export class NetworkApplier {
  readonly #options: NetworkApplierOptions;
  /** `everything` when the kernel's content is not known; otherwise what has to be applied. */
  #pending: NetworkChange | 'everything' | undefined;
  #isRunning = false;
  /** The application or repair that began last. */
  #running = Promise.resolve();
  #isStopped = false;
  /** Set from a failure until the next attempt. */
  #retry: Timer | undefined;
  #repair: Timer | undefined;
  /** Why the last application failed, as it was told; undefined when it did not. */
  #fault: string | undefined;

  constructor(options: NetworkApplierOptions) {
    this.#options = options;
    this.#scheduleRepair();
  }

  /** There is something new; `undefined` when anything may have changed. */
  request(change: NetworkChange | undefined): void {
    if (change === undefined || this.#pending === 'everything') this.#pending = 'everything';
    else if (this.#pending === undefined) this.#pending = change;
    else this.#pending = mergeNetworkChanges(this.#pending, change);
    this.#run();
  }

  /** Begins nothing any more; resolves when what is under way has ended, well or not. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#retry?.cancel();
    this.#repair?.cancel();
    await this.#running;
  }

  #run(): void {
    if (this.#pending === undefined || this.#retry !== undefined) return;
    this.#begin(() => this.#applyAll());
  }

  /** Begins what calls the data plane, unless something does already. */
  #begin(work: () => Promise<void>): void {
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    this.#running = work().finally(() => {
      this.#isRunning = false;
      // A request that came after the last look found us running.
      this.#run();
    });
  }

  async #applyAll(): Promise<void> {
    let isWell = true;
    while (isWell && this.#pending !== undefined && !this.#isStopped) {
      isWell = await this.#apply(this.#pending);
    }
  }

  /** Applies what is pending; false when it failed. Never rejects. */
  async #apply(pending: NetworkChange | 'everything'): Promise<boolean> {
    const { dataplane, resolver, logger, onApplied } = this.#options;
    const change = pending === 'everything' ? undefined : pending;
    this.#pending = undefined;
    const state = this.#options.state();
    const { revision } = state;
    try {
      await dataplane.apply(state, change);
      await resolver.apply(state, change);
    } catch (thrown) {
      if (this.#isStopped) return false;
      logger.error('tables were not applied', { error: messageOf(thrown) });
      this.#failed(thrown);
      this.#pending = 'everything';
      this.#retryLater();
      return false;
    }
    if (this.#fault !== undefined) this.#notice(tablesApplied());
    this.#fault = undefined;
    if (!this.#isStopped) onApplied(revision);
    return true;
  }

  /** It is tried every second: what goes on as it was is not told again. */
  #failed(thrown: unknown): void {
    const fault = messageOf(thrown);
    if (fault !== this.#fault) this.#notice(tablesNotApplied(thrown));
    this.#fault = fault;
  }

  #notice(notice: NodeNotice): void {
    this.#options.onNotice?.(notice);
  }

  #retryLater(): void {
    const { clock } = this.#options;
    const again = (): void => {
      this.#retry = undefined;
      this.#run();
    };
    this.#retry = clock.schedule(clock.now() + RETRY_MS, again, { label: 'retry of tables' });
  }

  #scheduleRepair(): void {
    const { clock } = this.#options;
    this.#repair = clock.schedule(clock.now() + REPAIR_PERIOD_MS, () => this.#repairNow(), {
      isPeriodic: true,
      label: 'table repair',
    });
  }

  #repairNow(): void {
    this.#scheduleRepair();
    this.#begin(() => this.#repairAll());
  }

  async #repairAll(): Promise<void> {
    const { dataplane, logger } = this.#options;
    try {
      const faults = await dataplane.repair();
      for (const fault of faults) logger.warn('tables repaired', { fault });
      if (faults.length > 0) this.#notice(tablesRepaired(faults));
    } catch (thrown) {
      logger.error('tables were not repaired', { error: messageOf(thrown) });
      this.#notice(tablesNotRepaired(thrown));
      this.#pending = 'everything';
    }
  }
}
