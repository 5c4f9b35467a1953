/**
 * What happens when a container crashes, never gets healthy, or cannot even be pulled?
 *
 * A task that ended is never started again: its slot gets a new one, as the restart policy says.
 * The new one gets ready at once, image and all, and runs after the delay. How often a slot was
 * tried again is kept with its tasks, so that another manager goes on counting; one that ran out of
 * attempts stays empty, and the reason is told.
 *
 * Prints:
 *   crashes
 *     failed after 4 s: task: non-zero exit (139)
 *     failed after 9 s: task: non-zero exit (139)
 *     failed after 14 s: task: non-zero exit (139)
 *   finishes
 *     complete after 3 s: finished
 *   missing
 *     rejected after 1 s: No such image: example/missing:1
 *     rejected after 1 s: No such image: example/missing:1
 *     rejected after 3 s: No such image: example/missing:1
 *   sick
 *     failed after 4 s: unhealthy container
 *     failed after 9 s: unhealthy container
 *     failed after 14 s: unhealthy container
 *   crashes: 0 of 1 replica is running; the last one that ended: task: non-zero exit (139)
 *   crashes: 1 slot is given up: 2 restarts were allowed
 *   missing: 0 of 1 replica is running; the last one that ended: No such image: example/missing:1
 *   missing: 1 slot is given up: 2 restarts were allowed
 *   sick: 0 of 1 replica is running; the last one that ended: unhealthy container
 *   sick: 1 slot is given up: 2 restarts were allowed
 *   finishes: running
 */
import { Service, Task, byService } from '@skep/api';
import { createCluster } from 'skep';

const cluster = await createCluster({
  nodes: 2,
  behaviour: {
    'example/crashes': { exit: { afterMs: 3_000, exitCode: 139 } },
    'example/finishes': { exit: { afterMs: 3_000, exitCode: 0 } },
    'example/sick': { healthyAfterMs: 'never' },
    'example/missing': { pullError: 'No such image: example/missing:1' },
  },
});
const policy = 'restart_policy: { condition: on-failure, delay: 2s, max_attempts: 2 }';
await cluster.apply(`
services:
  crashes: { image: "example/crashes:1", deploy: { ${policy} } }
  finishes: { image: "example/finishes:1", deploy: { ${policy} } }
  sick:
    image: example/sick:1
    healthcheck: { test: [CMD, check], interval: 1s, retries: 3 }
    deploy: { ${policy} }
  missing: { image: "example/missing:1", deploy: { ${policy} } }
`);
const start = cluster.clock.now();
await cluster.settle();

for (const { meta } of cluster.view().list(Service)) {
  console.log(meta.name);
  const tasks = [...cluster.view().list(Task, byService(meta.id))];
  for (const { status } of tasks.sort((a, b) => a.meta.createdAt - b.meta.createdAt)) {
    const seconds = Math.round((status.timestamp - start) / 1000);
    console.log(`  ${status.state} after ${seconds} s: ${status.error ?? status.message}`);
  }
}
for (const { name, message } of cluster.problems()) console.log(`${name}: ${message}`);

// A crash from outside is no different.
await cluster.update('finishes', ({ task, ...spec }) => ({
  ...spec,
  task: { ...task, container: { image: 'example/stable:1' } },
}));
await cluster.settle();
cluster.crash('finishes', 1);
await cluster.settle();
console.log(
  'finishes:',
  cluster
    .tasks('finishes')
    .map(({ status }) => status.state)
    .join(),
);
await cluster.stop();
