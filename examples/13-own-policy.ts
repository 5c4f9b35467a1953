/**
 * How do I replace the scheduling policy of a cluster?
 *
 * A policy is a value: filters say where a task can run at all, rank terms where it runs best. It
 * is one of the parts that a plugin may replace. This one packs, so that few nodes are in use, and
 * keeps batch work off managers. Reasons and explanations come with it for free.
 *
 * Prints:
 *   swarm
 *     node1  batch.1 web.2 web.5
 *     node2  batch.2 web.3
 *     node3  web.1 web.4
 *     web.1: fewer active tasks in total (0, node1 1), of 3 nodes
 *   packing
 *     node1  web.4 web.5
 *     node2  batch.1 batch.2 web.1 web.2 web.3
 *     node3
 *     web.1: less CPU left (3, node1 4), of 3 nodes
 */
import { renderPlacementReason, swarmPolicy, type Filter, type Policy } from '@skep/scheduler';
import { ContainerModule } from 'inversify';
import { createCluster, identifiers } from 'skep';

const batchFilter: Filter = {
  name: 'batch',
  describe: (nodes) => `batch work stays off ${nodes} managers`,
  prepare: ({ serviceName }) => {
    if (!serviceName.startsWith('batch')) return undefined;
    const lacks = [{ what: 'role', needed: 'worker', available: 'manager' }];
    return {
      // A promise: the verdict follows from this key and the node. Groups may then share it.
      key: 'batch',
      check: ({ node }) => (node.spec.role === 'manager' ? lacks : undefined),
    };
  },
};

const packing: Policy = {
  name: 'packing',
  filters: [...swarmPolicy().filters, batchFilter],
  rank: [
    {
      scope: 'node',
      name: 'cpu-left',
      label: 'less CPU left',
      value: ({ availableCpuNanos }) => availableCpuNanos / 1e9,
    },
  ],
};

for (const policy of [swarmPolicy(), packing]) {
  const plugin = new ContainerModule(({ rebindSync }) => {
    rebindSync(identifiers.policy).toConstantValue(policy);
  });
  const cluster = await createCluster({ nodes: 3, plugins: [plugin] });
  await cluster.apply(`
services:
  batch:
    image: example/batch:1
    deploy: { replicas: 2, resources: { reservations: { cpus: "0.5" } } }
  web:
    image: example/web:1
    deploy: { replicas: 5, resources: { reservations: { cpus: "1" } } }
`);
  await cluster.settle();
  console.log(policy.name);
  for (const { id, name } of cluster.simulator.hosts) {
    const here = [...cluster.tasks('batch'), ...cluster.tasks('web')]
      .filter(({ status }) => status.nodeId === id)
      .map(({ spec }) => `${spec.serviceName}.${spec.slot}`);
    console.log(`  ${name}  ${here.join(' ')}`);
  }
  const placement = cluster.tasks('web')[0]?.status.placement;
  const words = { policy, nodeName: (id: string) => cluster.host(id).name };
  if (placement !== undefined) console.log(`  web.1: ${renderPlacementReason(placement, words)}`);
  await cluster.stop();
}
