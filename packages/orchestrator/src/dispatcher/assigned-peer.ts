/**
 * Peers: which node an address of a network is on.
 *
 * **Source:** libnetwork drivers/overlay peerdb; here the manager declares what nodes used to learn
 * by gossip.
 */
import {
  Node,
  Task,
  byIndex,
  isAtLeast,
  isTerminal,
  tasksByNetwork,
  type AssignedPeer,
  type NetworkId,
} from '@skep/api';
import { macOf } from '@skep/network';
import type { View } from '@skep/store';

/** What uses an address: a task, or the load balancer of a node. */
export interface PeerSource {
  readonly type: 'node' | 'task';
  readonly id: string;
}

/** Key of the peer with this address (with or without a prefix length) in a network. */
export function peerKey(networkId: NetworkId, address: string): string {
  return `${networkId}/${plainAddress(address)}`;
}

/** The address without its prefix length. */
export function plainAddress(address: string): string {
  const slash = address.indexOf('/');
  return slash < 0 ? address : address.slice(0, slash);
}

/** The order of sources; the first one counts should two use one address. */
export function compareSources(a: PeerSource, b: PeerSource): number {
  if (a.type !== b.type) return a.type === 'node' ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** Addresses that a source uses in a network; plain. Empty when it is no peer there. */
export function peerAddresses(
  view: View,
  networkId: NetworkId,
  source: PeerSource,
): readonly string[] {
  if (source.type === 'node') {
    const networks = view.get(Node, source.id)?.status.networks ?? [];
    return networks
      .filter((network) => network.networkId === networkId)
      .map((network) => plainAddress(network.address));
  }
  const task = view.get(Task, source.id);
  if (task === undefined || !isPeerTask(task)) return [];
  const networks = task.status.networks ?? [];
  return networks
    .filter((network) => network.networkId === networkId)
    .flatMap((network) => network.addresses.map(plainAddress));
}

/** Builds the peer of a source, undefined if it does not use the address or has no known node. */
export function assignedPeer(
  view: View,
  networkId: NetworkId,
  address: string,
  source: PeerSource,
): AssignedPeer | undefined {
  const used = peerAddresses(view, networkId, source);
  if (!used.includes(address)) return undefined;
  const nodeId = source.type === 'node' ? source.id : view.get(Task, source.id)?.status.nodeId;
  const node = nodeId === undefined ? undefined : view.get(Node, nodeId);
  if (node === undefined || node.status.address === '') return undefined;
  const peer = { networkId, address, nodeId: node.meta.id, tunnelAddress: node.status.address };
  // An endpoint of both families has one MAC address.
  const four = address.includes(':') ? used.find((other) => !other.includes(':')) : undefined;
  return {
    ...peer,
    ...(four === undefined ? {} : { macAddress: macOf(four) }),
    ...(source.type === 'node' ? { isBalancer: true } : {}),
  };
}

/** Everything that may use an address in the network. Cost: O(its tasks and nodes). */
export function peerSources(view: View, networkId: NetworkId): readonly PeerSource[] {
  const nodes = view.list(Node, byIndex(Node, 'network', networkId));
  const tasks = view.list(Task, tasksByNetwork(networkId));
  return [
    ...nodes.map(({ meta }) => ({ type: 'node', id: meta.id }) as const),
    ...tasks.map(({ meta }) => ({ type: 'task', id: meta.id }) as const),
  ].sort(compareSources);
}

/** Whether a task's addresses are in use on its node: from ASSIGNED until it has ended. */
export function isPeerTask({ status }: Task): boolean {
  if (status.nodeId === undefined || status.releasedAt !== undefined) return false;
  return isAtLeast(status.state, 'assigned') && !isTerminal(status.state);
}
