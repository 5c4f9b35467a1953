/**
 * How do I run something to its end: a batch, a migration, something once on every node?
 *
 * A `replicated-job` wants so many completions, so many at a time; a `global-job` one on each node,
 * be it that the node comes later. What fails is tried again, as the restart policy says. A change
 * of what the tasks are made from, or `forceUpdate`, starts the next iteration.
 *
 * Prints:
 *   after 10 s: 2 of 6 complete, 2 nodes are warm
 *     0 complete, 1 complete, 2 running, 3 running
 *   after 20 s: 3 of 6 complete, 2 nodes are warm
 *     0 complete, 1 complete, 2 failed, 2 running, 3 complete, 4 running
 *   after 30 s: 6 of 6 complete, 2 nodes are warm
 *     0 complete, 1 complete, 2 failed, 2 complete, 3 complete, 4 complete, 5 complete
 *   problems: 0
 *   node3 joins: 6 of 6 complete, 3 nodes are warm
 *     0 complete, 1 complete, 2 failed, 2 complete, 3 complete, 4 complete, 5 complete
 *   the batch once more: 6 of 6 complete, 3 nodes are warm
 *     0 complete, 1 complete, 2 complete, 3 complete, 4 complete, 5 complete
 */
import { Service, Task } from '@skep/api';
import { createCluster } from 'skep';

let tries = 0;
const cluster = await createCluster({
  nodes: 2,
  behaviour: ({ serviceName, slot }) => {
    if (serviceName === 'warm-up') return { exit: { afterMs: 2_000, exitCode: 0 } };
    // The third part of the batch, number 2, fails the first time.
    tries += slot === 2 ? 1 : 0;
    return { exit: { afterMs: 6_500, exitCode: slot === 2 && tries === 1 ? 1 : 0 } };
  },
});

// Compose has one number for a job; the manifest form of skep has both.
await cluster.apply(`
apiVersion: skep/v1
kind: Service
metadata: { name: batch }
spec:
  mode: { type: replicated-job, totalCompletions: 6, maxConcurrent: 2 }
  task: { container: { image: example/batch:1 } }
---
apiVersion: skep/v1
kind: Service
metadata: { name: warm-up }
spec:
  mode: { type: global-job }
  task: { container: { image: example/warm-up:1 } }
`);
for (let seconds = 10; seconds <= 30; seconds += 10) {
  await cluster.advance(10_000);
  show(`after ${seconds} s`);
}
console.log(`problems: ${cluster.problems().length}`);

await cluster.addNode({ name: 'node3' });
await cluster.settle();
show('node3 joins');

await cluster.forceUpdate('batch');
await cluster.settle();
show('the batch once more');
await cluster.stop();

/** Parts of the batch by their state, and on how many nodes the warm-up is done. */
function show(title: string): void {
  const { iteration = 0, completed = 0 } = cluster.get(Service, 'batch')?.status.job ?? {};
  const tasks = [...cluster.view().list(Task)].sort(
    (a, b) => a.spec.slot - b.spec.slot || a.meta.createdAt - b.meta.createdAt,
  );
  const parts = tasks
    .filter(({ spec }) => spec.serviceName === 'batch' && spec.jobIteration === iteration)
    .map(({ spec, status }) => `${spec.slot} ${status.state}`);
  const warm = tasks.filter(
    ({ spec, status }) => spec.serviceName === 'warm-up' && status.state === 'complete',
  );
  console.log(`${title}: ${completed} of 6 complete, ${warm.length} nodes are warm`);
  console.log(`  ${parts.join(', ')}`);
}
