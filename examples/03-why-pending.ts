/**
 * Why is my task pending, and what would help?
 *
 * Every reason is data in the object's status; `cluster.problems()` collects whatever keeps the
 * cluster from being as declared, with what each node lacks, and `cluster.explain(task)` tells the
 * whole story of one task. A task that waits is placed as soon as something changes that lets it.
 *
 * Prints:
 *   as declared: 4 problems
 *     Service model: replicas-missing
 *     Service proxy: replicas-missing
 *     Task model.1: no-suitable-node
 *       node1: memory needs 6 GiB, has 3 GiB; constraint needs node.labels.gpu == true, has ''
 *       node2, node3: constraint needs node.labels.gpu == true, has ''
 *     Task proxy.4: no-suitable-node
 *       node1, node2, node3: room for replicas on the node needs 1, has 0
 *   node2 gets the label: 2 problems
 *     Service proxy: replicas-missing
 *     Task proxy.4: no-suitable-node
 *       node1, node2, node3: room for replicas on the node needs 1, has 0
 *   node4 joins: 0 problems
 */
import { Node } from '@skep/api';
import { createCluster, findNode } from 'skep';

const cluster = await createCluster({ nodes: 3 });
await cluster.apply(`
services:
  cache:
    image: example/cache:1
    deploy:
      resources: { reservations: { memory: 5G } }
  model:
    image: example/model:1
    deploy:
      placement: { constraints: [node.labels.gpu == true] }
      resources: { reservations: { memory: 6G } }
  proxy:
    image: example/proxy:1
    deploy:
      replicas: 4
      placement: { max_replicas_per_node: 1 }
`);
await cluster.settle();
showProblems('as declared');

// node1 has the cache and would need more memory; for node2 the label will do.
const { spec } = findNode(cluster.view(), 'node2');
await cluster.declare([{ kind: Node, name: 'node2', labels: { gpu: 'true' }, spec }]);
await cluster.settle();
showProblems('node2 gets the label');

await cluster.addNode({ name: 'node4' });
await cluster.settle();
showProblems('node4 joins');

await cluster.stop();

function showProblems(title: string): void {
  const problems = cluster.problems();
  console.log(`${title}: ${problems.length} problems`);
  for (const { kind, name, code, shortfalls = [] } of problems) {
    console.log(`  ${kind} ${name.split('.').slice(0, 2).join('.')}: ${code}`);
    for (const { nodes, lacks } of shortfalls) {
      console.log(`    ${nodes.join(', ')}: ${lacks.join('; ')}`);
    }
  }
}
