/**
 * A world of all nodes of a cluster, programmed with what we render for each.
 */
import { World } from '../interpreter/world.js';
import { renderNode } from '../ipvs/render.js';
import { buildTables } from '../table/build.js';
import { createNodeLocal, type NodeLocal } from '../table/node-local.js';
import { planNodeLocal } from '../table/node-local-plan.js';
import type { NodeTables } from '../table/node-tables.js';
import { nodeState, sixOf, type FixtureCluster } from './cluster.js';

/** The decisions of a node that has decided nothing: its gateway bridge has what the cluster has. */
export function freshLocal(cluster: FixtureCluster, nodeId: string): NodeLocal {
  const underlayAddress = cluster.nodes.find(({ id }) => id === nodeId)?.underlay ?? '';
  const { families = 'ipv4' } = cluster;
  if (families === 'ipv4') return createNodeLocal({ underlayAddress });
  const gatewayBridge = {
    name: 'docker_gwbridge',
    address: '172.18.0.1/16',
    address6: `${sixOf('172.18.0.1')}/64`,
  };
  return createNodeLocal({ underlayAddress, gatewayBridge });
}

/** Tables of one node of a cluster, freshly made. */
export function tablesOf(cluster: FixtureCluster, nodeId: string): NodeTables {
  const state = nodeState(cluster, nodeId);
  return buildTables(state, planNodeLocal(freshLocal(cluster, nodeId), state));
}

/** See the module comment. */
export function worldOf(cluster: FixtureCluster): World {
  const world = new World();
  for (const { id, underlay } of cluster.nodes) {
    const address6 = `${sixOf(underlay)}/64`;
    world.addNode({ name: id, address: `${underlay}/24`, address6 });
    world.setNode(id, renderNode(tablesOf(cluster, id)));
  }
  return world;
}

/** The cluster with a task `probe` on node1 in every network but ingress, to send from. */
export function withProbe(cluster: FixtureCluster): FixtureCluster {
  const networks = cluster.networks.filter(({ isIngress }) => isIngress !== true);
  const at = (last: string): Record<string, string> =>
    Object.fromEntries(
      networks.map(({ id, subnet }) => [id, subnet.replace(/\.0\/24$/, `.${last}`)]),
    );
  return {
    ...cluster,
    services: [...cluster.services, { id: 'probe', order: 99, vips: at('99') }],
    tasks: [
      ...cluster.tasks,
      { id: 'probe', service: 'probe', node: 'node1', addresses: at('100') },
    ],
  };
}
