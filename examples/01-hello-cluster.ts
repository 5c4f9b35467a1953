/**
 * How do I get a cluster, and reach a service in it?
 *
 * Two simulated nodes, a stack file, and requests through the routing mesh: every node takes
 * connections for a published port, wherever the tasks are. Nothing real runs and no real time
 * passes: `settle` lets virtual time go by until there is nothing left to do.
 *
 * Prints:
 *   create Network front
 *   create Service client
 *   create Service web
 *   settled: true, problems: 0
 *   $ curl node1:8080            hello from web.3 on node2
 *   $ curl node1:8080            hello from web.1 on node2
 *   $ curl node1:8080            hello from web.2 on node1
 *   $ curl node2:8080            hello from web.3 on node2
 *   client$ curl http://web/     hello from web.3 on node2
 */
import { createCluster } from 'skep';

const cluster = await createCluster({
  nodes: 2,
  // What containers answer. By default it is the first digits of their ids.
  behaviour: (task, nodeName) => ({
    respond: () => ({ status: 200, body: `hello from web.${task.slot} on ${nodeName}` }),
  }),
});

const { results } = await cluster.apply(`
services:
  web:
    image: example/web:1
    networks: [front]
    ports: ["8080:80"]
    deploy: { replicas: 3 }
  client:
    image: example/client:1
    networks: [front]
networks:
  front: {}
`);
for (const { action, kind, name } of results) console.log(action, kind, name);

const { isSettled } = await cluster.settle();
console.log(`settled: ${isSettled}, problems: ${cluster.problems().length}`);

// From outside, at any node; connections go round the three tasks.
for (const target of ['node1:8080', 'node1:8080', 'node1:8080', 'node2:8080']) {
  console.log(`$ curl ${target}`.padEnd(28), cluster.request(target).body);
}
// From a container, by name.
console.log('client$ curl http://web/'.padEnd(28), cluster.request('web', { from: 'client' }).body);

await cluster.stop();
