/**
 * Everything that was ever committed, as text: two runs did the same if their logs are equal.
 */
import { canonicalJson } from '@skep/api';
import type { CommitEvent } from '@skep/store';
import type { TestCluster } from './test-cluster.js';

/**
 * A line of canonical JSON for each commit since the start, oldest first. Lets pending work of the
 * present moment run.
 * @throws compacted when the store has forgotten the oldest: it keeps 10,000.
 */
export async function commitLog(cluster: TestCluster): Promise<readonly string[]> {
  const lines: string[] = [];
  let failure: Error | undefined;
  const watch = cluster.store.subscribe(
    {
      commit: (event) => lines.push(line(event)),
      ended: (reason) => {
        failure = reason;
      },
    },
    { fromRevision: 0 },
  );
  await cluster.clock.flush();
  watch.unsubscribe();
  if (failure !== undefined) throw failure;
  return lines;
}

function line({ revision, actor, events }: CommitEvent): string {
  const changes = events.map(({ type, object }) => ({ type, object }));
  return canonicalJson({ revision, actor, changes });
}
