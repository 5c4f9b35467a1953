/**
 * How do I empty a node for maintenance without hurting anyone?
 *
 * `drain` replaces the node's tasks elsewhere. What has to go is first taken out of the tables;
 * every node says which revision its kernel holds, and only when no table sends anything to a task
 * any more is it stopped. Swarm waits a fixed time instead, and hopes.
 *
 * Prints:
 *   30  new task: wanted ready
 *   30  new task: new
 *   30  old task: wanted shutdown
 *   31  new task: pending
 *   32  tables of 32: draining, serving, serving
 *   33  new task: assigned
 *   34  new task: ready
 *   34  in force: 33
 *   35  old task: in no table any more, may be stopped
 *   36  old task: shutdown
 *   37  new task: wanted running
 *   38  tables of 38: serving, serving
 *   39  new task: starting
 *   39  in force: 38
 *   43  new task: running
 *   44  tables of 44: serving, serving, serving
 *   45  in force: 42
 *   47  in force: 44
 *   100 requests to node1 in this second, 0 lost
 */
import { EndpointSlice, Node, Task } from '@skep/api';
import type { ObjectEvent } from '@skep/store';
import { createCluster } from 'skep';

const cluster = await createCluster({ nodes: 3 });
await cluster.apply(`
services:
  web: { image: example/web:1, ports: ["8080:80"], deploy: { replicas: 3 } }
`);
await cluster.settle();
const node1 = cluster.host('node1').id;
const old = cluster.tasks('web').find(({ status }) => status.nodeId === node1)?.meta.id;

let inForce = lowestRevision();
cluster.commits$.subscribe(({ revision, events }) => {
  // One line for what several objects say: there is a slice for each network.
  for (const line of new Set(events.flatMap(linesOf))) console.log(`${revision}  ${line}`);
  if (lowestRevision() > inForce) console.log(`${revision}  in force: ${lowestRevision()}`);
  inForce = lowestRevision();
});
await cluster.drain('node1');
let lost = 0;
for (let asked = 0; asked < 100; asked += 1) {
  await cluster.advance(10);
  if (cluster.request('node1:8080').outcome !== 'answered') lost += 1;
}
console.log(`100 requests to node1 in this second, ${lost} lost`);
await cluster.stop();

/** Every node has at least the tables of this revision in its kernel. */
function lowestRevision(): number {
  const nodes = cluster.view().list(Node);
  return Math.min(...nodes.map(({ status }) => status.tables?.appliedRevision ?? 0));
}

/** What a commit tells of tables and tasks. */
function linesOf({ object, previous }: ObjectEvent): readonly string[] {
  if (object.kind === EndpointSlice.name) {
    const states = (object as EndpointSlice).spec.backends.map(({ state }) => state).sort();
    return [`tables of ${object.meta.version}: ${states.join(', ')}`];
  }
  if (object.kind !== Task.name) return [];
  const { meta, spec, status } = object as Task;
  const before = previous as Task | undefined;
  const news = [
    spec.desiredState === before?.spec.desiredState ? '' : `wanted ${spec.desiredState}`,
    status.drainedAt === before?.status.drainedAt ? '' : 'in no table any more, may be stopped',
    status.state === before?.status.state ? '' : status.state,
  ];
  return news.filter(Boolean).map((text) => `${meta.id === old ? 'old' : 'new'} task: ${text}`);
}
