/**
 * Passes of a controller that decides about one key at a time: one pass after the other.
 */
import type { Timestamp } from '@skep/api';
import type { View } from '@skep/store';
import type { Plan, PlanController } from './contract.js';
import { checkPlan } from './answer-form.js';
import type { PassHost } from './pass-host.js';
import type { Runner, RunnerOptions } from './runner.js';

/** Runs `plan` for one key after the other; see {@link Plan} for what becomes of its answer. */
export class PlanRunner implements Runner {
  readonly #host: PassHost;
  readonly #definition: PlanController;
  readonly #sliceKeys: number;
  #isBusy = false;
  #isStopped = false;
  #run: Promise<void> = Promise.resolve();

  constructor(host: PassHost, definition: PlanController, options: RunnerOptions) {
    this.#host = host;
    this.#definition = definition;
    this.#sliceKeys = options.sliceKeys;
  }

  wake(): void {
    if (this.#isBusy || this.#isStopped) return;
    this.#isBusy = true;
    this.#defer();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#run;
  }

  #defer(): void {
    this.#host.clock.defer(() => {
      this.#run = this.#slice();
    });
  }

  async #slice(): Promise<void> {
    const { queue, view: viewNow } = this.#host;
    for (let keys = 0; !this.#isStopped; keys += 1) {
      if (keys === this.#sliceKeys) {
        this.#defer();
        return;
      }
      const view = viewNow();
      const key = view === undefined ? undefined : queue.take();
      if (view === undefined || key === undefined) break;
      if (!this.#host.mayBegin(key)) continue;
      // Only a pass that writes has something to wait for.
      const commit = this.#pass(key, view);
      if (commit !== undefined) await commit;
    }
    this.#isBusy = false;
    if (!this.#isStopped) this.#host.drained();
  }

  #pass(key: string, view: View): Promise<void> | undefined {
    const host = this.#host;
    const startedAt = host.clock.now();
    host.began(key, view);
    let plan: Plan;
    try {
      plan = this.#definition.plan(view, key, startedAt);
      checkPlan(plan);
    } catch (error) {
      host.failed(key, error, startedAt);
      return undefined;
    }
    if (plan.changes.length > 0) return this.#commit(key, plan, startedAt);
    host.unchanged(key, plan, startedAt);
    host.metrics?.took(host.clock.now() - startedAt);
    host.record(plan.events);
    return undefined;
  }

  async #commit(key: string, plan: Plan, startedAt: Timestamp): Promise<void> {
    const host = this.#host;
    const outcome = await host.committer.commitInPieces(plan.changes, plan.expect, [key]);
    if (host.wrote(key, outcome, plan, startedAt)) host.record(plan.events);
    host.metrics?.took(host.clock.now() - startedAt);
  }
}
