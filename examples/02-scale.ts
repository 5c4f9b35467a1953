/**
 * How do I scale a service, and which tasks go when I scale down?
 *
 * Scaling up fills the lowest free slots. Scaling down takes from the node that has the most tasks
 * of the service, there from the highest slot; what does not run goes before what does. The order
 * is total, so the same cluster always makes the same choice. As in Swarm, nothing moves by itself:
 * a node that joins late gets tasks only when there are new ones.
 *
 * Prints:
 *   5 replicas on two nodes
 *     node1  web.1 web.3 web.5
 *     node2  web.2 web.4
 *   node3 joins: nothing moves
 *     node1  web.1 web.3 web.5
 *     node2  web.2 web.4
 *     node3
 *   8 replicas: the new ones go where there are fewest
 *     node1  web.1 web.3 web.5
 *     node2  web.2 web.4 web.8
 *     node3  web.6 web.7
 *   node1 is lost: its slots are filled elsewhere
 *     node1
 *     node2  web.2 web.3 web.4 web.8
 *     node3  web.1 web.5 web.6 web.7
 *   4 replicas: the fullest nodes give up most, the highest slots first
 *     node1
 *     node2  web.2 web.3
 *     node3  web.1 web.5
 */
import { createCluster } from 'skep';

const cluster = await createCluster({ nodes: 2 });
await cluster.apply('services: { web: { image: example/web:1, deploy: { replicas: 5 } } }');
await show('5 replicas on two nodes');

await cluster.addNode({ name: 'node3' });
await show('node3 joins: nothing moves');

await cluster.scale('web', 8);
await show('8 replicas: the new ones go where there are fewest');

cluster.lose('node1');
await show('node1 is lost: its slots are filled elsewhere');

await cluster.scale('web', 4);
await show('4 replicas: the fullest nodes give up most, the highest slots first');

await cluster.stop();

/** Lets things settle, then shows which slots each node holds. */
async function show(title: string): Promise<void> {
  await cluster.settle();
  console.log(title);
  for (const { id, name } of cluster.simulator.hosts) {
    const here = cluster.tasks('web').filter(({ status }) => status.nodeId === id);
    console.log(`  ${name}  ${here.map(({ spec }) => `web.${spec.slot}`).join(' ')}`);
  }
}
