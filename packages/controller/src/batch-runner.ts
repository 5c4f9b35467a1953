/**
 * Passes of a controller that decides about all dirty keys at once: one pass after the other.
 */
import { messageOf, SkepError, type Revision, type Timestamp } from '@skep/api';
import { CHANGES_MAX, type View } from '@skep/store';
import { addOutcomes, type CommitOutcome } from './committer.js';
import type { BatchController, BatchPlan, PlanGroup } from './contract.js';
import { checkBatchPlan } from './answer-form.js';
import type { Answer, PassHost } from './pass-host.js';
import type { Runner } from './runner.js';

const NO_ANSWER: Answer = Object.freeze({});

/**
 * Runs `planBatch` for the keys that are ready, and commits its groups in order.
 *
 * The next pass waits until the watch has delivered all that this one wrote: what it decided about
 * one key counts for the others (a node is full, an address is taken).
 *
 * When `planBatch` throws, nobody knows which key is to blame: the keys are tried again in passes
 * of half the size, down to one. That one fails and has a pass to itself from then on; once all
 * suspects had their turn, the size doubles again with every pass. So one poisoned key makes
 * log₂(keys) passes fail.
 */
export class BatchRunner implements Runner {
  readonly #host: PassHost;
  readonly #definition: BatchController;
  readonly #batchMax: number;
  #limit: number;
  /** Keys that may be to blame for a pass that threw and have not gone through since. */
  readonly #suspects = new Set<string>();
  #writtenRevision: Revision = 0;
  #isBusy = false;
  #isStopped = false;
  #isFenceLost = false;
  #run: Promise<void> = Promise.resolve();

  constructor(host: PassHost, definition: BatchController) {
    this.#host = host;
    this.#definition = definition;
    this.#batchMax = definition.batchMax ?? Infinity;
    this.#limit = this.#batchMax;
  }

  wake(): void {
    if (this.#isBusy || this.#isStopped) return;
    this.#isBusy = true;
    this.#host.clock.defer(() => {
      this.#run = this.#pass();
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#run;
  }

  async #pass(): Promise<void> {
    const { queue, reached, view: viewNow } = this.#host;
    const view = reached() < this.#writtenRevision || this.#isStopped ? undefined : viewNow();
    const keys = view === undefined ? [] : queue.takeMany(this.#limit);
    if (view !== undefined && keys.length > 0) {
      const startedAt = this.#host.clock.now();
      for (const key of keys) this.#host.began(key, view);
      const plan = this.#plan(view, keys, startedAt);
      if (plan !== undefined) {
        const outcomes = new Map<string, CommitOutcome>();
        for (const group of plan.groups) {
          if (this.#isFenceLost) break;
          if (group.changes.length > 0) await this.#commit(group, outcomes);
        }
        this.#finish(keys, plan, outcomes, startedAt);
      }
      this.#host.metrics?.took(this.#host.clock.now() - startedAt);
    }
    this.#isBusy = false;
    if (this.#isStopped || view === undefined) return;
    if (queue.ready > 0) this.wake();
    else this.#host.drained();
  }

  #plan(view: View, keys: readonly string[], startedAt: Timestamp): BatchPlan | undefined {
    try {
      const plan = this.#definition.planBatch(view, keys, startedAt);
      checkBatchPlan(plan);
      if (this.#suspects.size > 0) for (const key of keys) this.#suspects.delete(key);
      if (this.#suspects.size === 0) this.#limit = Math.min(this.#limit * 2, this.#batchMax);
      return plan;
    } catch (error) {
      this.#planFailed(keys, error, startedAt);
      return undefined;
    }
  }

  #planFailed(keys: readonly string[], error: unknown, startedAt: Timestamp): void {
    const { queue, logger, name } = this.#host;
    const [first] = keys;
    if (keys.length === 1 && first !== undefined) {
      this.#suspects.delete(first);
      this.#host.failed(first, error, startedAt);
      return;
    }
    for (const key of keys) this.#suspects.add(key);
    this.#limit = Math.ceil(keys.length / 2);
    logger.warn('batch failed, trying smaller ones', {
      controller: name,
      keys: keys.length,
      error: messageOf(error),
    });
    for (const key of keys) {
      this.#host.trace?.ended(key, { again: true });
      queue.again(key, 'batch failed');
    }
  }

  async #commit(group: PlanGroup, outcomes: Map<string, CommitOutcome>): Promise<void> {
    const outcome =
      group.changes.length > CHANGES_MAX
        ? tooLarge(group)
        : await this.#host.committer.commit(group.changes, group.expect, group.keys);
    this.#writtenRevision = Math.max(this.#writtenRevision, outcome.revision);
    this.#isFenceLost ||= outcome.isFenceLost === true;
    // Most commits go through, and then a key has nothing to be told but that its pass is over.
    const isPlain = outcome.conflict === undefined && outcome.error === undefined;
    if (isPlain && !this.#host.isFollowed) return;
    for (const key of group.keys) {
      // A key is as badly off as the worst of its groups.
      const before = outcomes.get(key);
      outcomes.set(key, before === undefined ? outcome : addOutcomes(before, outcome));
    }
  }

  #finish(
    keys: readonly string[],
    plan: BatchPlan,
    outcomes: ReadonlyMap<string, CommitOutcome>,
    startedAt: Timestamp,
  ): void {
    const host = this.#host;
    for (const key of keys) {
      const outcome = outcomes.size === 0 ? undefined : outcomes.get(key);
      const requeueAt = plan.requeueAt?.get(key);
      const answer = requeueAt === undefined ? NO_ANSWER : { requeueAt };
      if (outcome === undefined) host.unchanged(key, answer, startedAt);
      else host.wrote(key, outcome, answer, startedAt);
    }
    this.#wakeOthers(keys, outcomes);
    host.record(plan.events);
  }

  /** Keys that a group named, that had no pass, and whose changes did not go through. */
  #wakeOthers(keys: readonly string[], outcomes: ReadonlyMap<string, CommitOutcome>): void {
    let taken: ReadonlySet<string> | undefined;
    outcomes.forEach(({ conflict, error }, key) => {
      if (error === undefined && conflict === undefined) return;
      taken ??= new Set(keys);
      if (taken.has(key)) return;
      this.#host.trace?.woke(key, { type: 'conflict', revision: conflict?.version ?? 0 });
      this.#host.queue.add(key, 'conflict', { mayWait: true });
    });
  }
}

function tooLarge(group: PlanGroup): CommitOutcome {
  const message = `a group of ${group.changes.length} changes; most is ${CHANGES_MAX}`;
  const error = new SkepError('resource-exhausted', message);
  return { committed: 0, revision: 0, error };
}
