/**
 * Passes of a controller that does I/O: several at a time, over different keys.
 */
import { isSkepError, SkepError } from '@skep/api';
import type { View } from '@skep/store';
import { addOutcomes, type CommitOutcome } from './committer.js';
import type { AsyncController, ReconcileContext, ReconcileResult } from './contract.js';
import { checkChanges, checkResult } from './answer-form.js';
import type { PassHost } from './pass-host.js';
import type { Runner, RunnerOptions } from './runner.js';

const NO_ANSWER: ReconcileResult = Object.freeze({});
const NOTHING: CommitOutcome = Object.freeze({ committed: 0, revision: 0 });

/** Runs `reconcile` with at most `concurrency` workers. */
export class AsyncRunner implements Runner {
  readonly #host: PassHost;
  readonly #definition: AsyncController;
  readonly #concurrency: number;
  readonly #sliceKeys: number;
  readonly #abort = new AbortController();
  readonly #runs = new Set<Promise<void>>();
  #workers = 0;
  /** Workers that were asked for and have not looked at the queue yet. */
  #starting = 0;

  constructor(host: PassHost, definition: AsyncController, options: RunnerOptions) {
    this.#host = host;
    this.#definition = definition;
    this.#concurrency = definition.concurrency ?? 1;
    this.#sliceKeys = options.sliceKeys;
  }

  wake(): void {
    const { clock, queue } = this.#host;
    while (this.#workers < this.#concurrency && this.#starting < queue.ready) {
      if (this.#abort.signal.aborted) return;
      this.#workers += 1;
      this.#starting += 1;
      clock.defer(() => {
        this.#starting -= 1;
        this.#start();
      });
    }
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#runs);
  }

  #start(): void {
    const run: Promise<void> = this.#work().finally(() => this.#runs.delete(run));
    this.#runs.add(run);
  }

  async #work(): Promise<void> {
    const { clock, queue, view: viewNow, drained } = this.#host;
    for (let keys = 0; !this.#abort.signal.aborted; keys += 1) {
      if (keys === this.#sliceKeys) {
        clock.defer(() => this.#start());
        return;
      }
      const view = viewNow();
      const key = view === undefined ? undefined : queue.take();
      if (view === undefined || key === undefined) break;
      if (this.#host.mayBegin(key)) await this.#pass(key, view);
    }
    this.#workers -= 1;
    if (!this.#abort.signal.aborted) drained();
  }

  async #pass(key: string, view: View): Promise<void> {
    const host = this.#host;
    const startedAt = host.clock.now();
    host.began(key, view);
    const deadline = this.#deadline();
    const written: Writes = { total: NOTHING };
    try {
      const context = this.#context(key, view, written, deadline?.signal);
      const answer = (await this.#definition.reconcile(context, key)) ?? NO_ANSWER;
      checkResult(answer);
      if (written.total === NOTHING) host.unchanged(key, answer, startedAt);
      else host.wrote(key, withoutFaults(written.total), answer, startedAt);
    } catch (error) {
      const isConflict = written.total.conflict !== undefined && isSkepError(error, 'conflict');
      const outcome = isConflict ? written.total : { ...withoutFaults(written.total), error };
      host.wrote(key, outcome, NO_ANSWER, startedAt);
    }
    deadline?.end();
    host.metrics?.took(host.clock.now() - startedAt);
  }

  /** Aborts a pass that takes too long; undefined when it may take for ever. */
  #deadline(): { readonly signal: AbortSignal; end(): void } | undefined {
    const { reconcileTimeoutMs } = this.#definition;
    if (reconcileTimeoutMs === undefined) return undefined;
    const { clock, metrics, name } = this.#host;
    const abort = new AbortController();
    const timer = clock.schedule(
      clock.now() + reconcileTimeoutMs,
      () => {
        metrics?.timedOut();
        const message = `the pass took longer than ${reconcileTimeoutMs} ms`;
        abort.abort(new SkepError('deadline-exceeded', message));
      },
      { label: `time-out of ${name}` },
    );
    const signal = AbortSignal.any([abort.signal, this.#abort.signal]);
    return { signal, end: () => timer.cancel() };
  }

  #context(
    key: string,
    view: View,
    written: Writes,
    signal: AbortSignal = this.#abort.signal,
  ): ReconcileContext {
    const host = this.#host;
    return {
      view,
      now: host.clock.now(),
      signal,
      commit: async (changes, expect) => {
        checkChanges(changes, 'the changes of a commit');
        const outcome = await host.committer.commit(changes, expect, [key]);
        written.total = addOutcomes(written.total, outcome);
        const { conflict, error } = outcome;
        if (error !== undefined) throw error as Error;
        if (conflict !== undefined) {
          throw new SkepError('conflict', conflict.message, { details: { conflict } });
        }
        return outcome.revision;
      },
      event: (draft) => host.record([draft]),
    };
  }
}

/** What one pass wrote so far. */
interface Writes {
  total: CommitOutcome;
}

/** The reconcile decides what its commits' faults mean: one that it caught is none. */
function withoutFaults({ committed, revision, isFenceLost }: CommitOutcome): CommitOutcome {
  return { committed, revision, ...(isFenceLost === undefined ? {} : { isFenceLost }) };
}
