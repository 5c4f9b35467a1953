/**
 * The cluster that the recorded files of a real Swarm are from: `vote` with two replicas and
 * published port 8080, `client` with one, on `overlay1`.
 */
import type { NodeNetworkState } from '../state.js';
import { createNodeLocal, type NodeLocal } from '../table/node-local.js';
import { planNodeLocal } from '../table/node-local-plan.js';
import { nodeState, port, type FixtureCluster } from './cluster.js';

export const VOTE_CLUSTER: FixtureCluster = {
  nodes: [
    { id: 'node1', underlay: '192.168.50.11' },
    { id: 'node2', underlay: '192.168.50.12' },
  ],
  networks: [
    {
      id: 'ingress',
      subnet: '10.0.0.0/24',
      gateway: '10.0.0.1',
      vxlanId: 4096,
      isIngress: true,
      balancers: { node1: '10.0.0.2', node2: '10.0.0.3' },
    },
    {
      id: 'overlay1',
      subnet: '10.0.9.0/24',
      gateway: '10.0.9.1',
      vxlanId: 4097,
      balancers: { node1: '10.0.9.6', node2: '10.0.9.5' },
    },
  ],
  services: [
    { id: 'client', order: 1, vips: { overlay1: '10.0.9.7' } },
    {
      id: 'vote',
      order: 2,
      vips: { ingress: '10.0.0.4', overlay1: '10.0.9.2' },
      ports: [port(8080, 80)],
    },
  ],
  tasks: [
    { id: 'client1', service: 'client', node: 'node1', addresses: { overlay1: '10.0.9.8' } },
    {
      id: 'vote1',
      service: 'vote',
      node: 'node2',
      slot: 1,
      addresses: { ingress: '10.0.0.5', overlay1: '10.0.9.3' },
    },
    {
      id: 'vote2',
      service: 'vote',
      node: 'node1',
      slot: 2,
      addresses: { ingress: '10.0.0.6', overlay1: '10.0.9.4' },
    },
  ],
};

/** State and decisions of one of its nodes. */
export function voteNode(
  id: 'node1' | 'node2',
  cluster: FixtureCluster = VOTE_CLUSTER,
): { readonly state: NodeNetworkState; readonly local: NodeLocal } {
  const state = nodeState(cluster, id);
  const underlayAddress = cluster.nodes.find((node) => node.id === id)?.underlay ?? '';
  return { state, local: planNodeLocal(createNodeLocal({ underlayAddress }), state) };
}
