/**
 * A store that counts what is written to it.
 */
import type { Clock, Counter, Histogram, Metrics } from '@skep/api';
import type { BatchResult, CommitResult, Store, Transaction } from './contract.js';

/** What a metered store needs. */
export interface MeteredStoreParts {
  readonly clock: Clock;
  readonly metrics: Metrics;
}

const BUCKETS = Object.freeze([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]);
const RESULTS = Object.freeze({
  ok: Object.freeze({ result: 'ok' }),
  conflict: Object.freeze({ result: 'conflict' }),
  error: Object.freeze({ result: 'error' }),
});

/**
 * The same store, whose commits and batches are timed and counted. Reads and watches go to the
 * inner store as they are. A commit resolves no later than without.
 *
 * **Source:** SwarmKit manager/state/store/memory.go for the names `swarm_store_*`.
 */
export function meteredStore(inner: Store, { clock, metrics }: MeteredStoreParts): Store {
  const timer = (name: string, help: string): Histogram =>
    metrics.histogram({ name, help, buckets: BUCKETS });
  const commits = timer('swarm_store_write_tx_latency_seconds', 'How long commits took.');
  const batches = timer('swarm_store_batch_latency_seconds', 'How long batches took.');
  const results = metrics.counter({
    name: 'skep_store_commits_total',
    help: 'Commits and batches by how they ended.',
    labelNames: ['result'],
  });
  const changes: Counter = metrics.counter({
    name: 'skep_store_changes_total',
    help: 'Changes that were committed.',
  });
  for (const result of Object.values(RESULTS)) results.add(0, result);

  const timed = <R extends CommitResult | BatchResult>(
    histogram: Histogram,
    result: Promise<R>,
    count: (result: R) => number,
  ): Promise<R> => {
    const startedAt = clock.now();
    const ended = (): void => histogram.observe((clock.now() - startedAt) / 1000);
    // Beside the result that the caller gets, not before it.
    result.then(
      (value) => {
        ended();
        results.add(1, 'conflict' in value ? RESULTS.conflict : RESULTS.ok);
        changes.add(count(value));
      },
      () => {
        ended();
        results.add(1, RESULTS.error);
      },
    );
    return result;
  };
  return {
    kinds: inner.kinds,
    view: () => inner.view(),
    commit: (transaction: Transaction) =>
      timed(commits, inner.commit(transaction), ({ ok }) => (ok ? transaction.changes.length : 0)),
    batch: (transaction: Transaction) =>
      timed(batches, inner.batch(transaction), ({ committed }) => committed),
    watch: (selector, fromRevision) => inner.watch(selector, fromRevision),
    watchAsync: (selector, fromRevision, signal) =>
      inner.watchAsync(selector, fromRevision, signal),
    subscribe: (listener, options) => inner.subscribe(listener, options),
    waitFor: (revision) => inner.waitFor(revision),
    compact: (revision) => inner.compact(revision),
    close: () => inner.close(),
  };
}
