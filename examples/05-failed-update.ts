/**
 * What happens when an update fails, and how do I go back?
 *
 * A new version that crashes soon after it starts counts as failed when that is within the monitor
 * time. By default the update then pauses: the other replicas keep the old version, and a person
 * decides. With `failure_action: rollback` the cluster goes back by itself. Ten earlier
 * declarations are kept, so a rollback is always possible by hand as well.
 *
 * Prints:
 *   failure action pause: paused
 *     web.1  example/web:2  ready
 *     web.2  example/web:1  running
 *     web.3  example/web:1  running
 *     2 of 3 replicas are running; the last one that ended: task: non-zero exit (3)
 *     update paused due to failure or early termination of task …
 *   rolled back by hand: rollback-completed
 *     web.1  example/web:1  running
 *     web.2  example/web:1  running
 *     web.3  example/web:1  running
 *   failure action rollback: rollback-completed
 *     web.1  example/web:1  running
 *     web.2  example/web:1  running
 *     web.3  example/web:1  running
 */
import { Service, type UpdateConfig } from '@skep/api';
import { createCluster, type Cluster } from 'skep';

async function newCluster(): Promise<Cluster> {
  const cluster = await createCluster({
    nodes: 2,
    behaviour: { 'example/web:2': { exit: { afterMs: 1000, exitCode: 3 } } },
  });
  await cluster.apply('services: { web: { image: "example/web:1", deploy: { replicas: 3 } } }');
  await cluster.settle();
  return cluster;
}

async function updateTo(image: string, cluster: Cluster, update: UpdateConfig): Promise<void> {
  await cluster.update('web', ({ task, ...spec }) => ({
    ...spec,
    update: { delayMs: 5_000, monitorMs: 10_000, ...update },
    task: { ...task, container: { ...task.container, image } },
  }));
  // What crashes is started again and again, so there is no end to wait for.
  await cluster.advance(30_000);
}

function show(title: string, cluster: Cluster): void {
  console.log(`${title}: ${cluster.get(Service, 'web')?.status.update?.state}`);
  for (const { spec, status } of cluster.tasks('web')) {
    console.log(`  web.${spec.slot}  ${spec.template.container?.image}  ${status.state}`);
  }
}

const paused = await newCluster();
await updateTo('example/web:2', paused, { failureAction: 'pause' });
show('failure action pause', paused);
for (const { message } of paused.problems()) console.log(`  ${message.replace(/k \w+$/, 'k …')}`);

await paused.rollback('web');
await paused.settle();
show('rolled back by hand', paused);
await paused.stop();

const automatic = await newCluster();
await updateTo('example/web:2', automatic, { failureAction: 'rollback' });
show('failure action rollback', automatic);
await automatic.stop();
