/**
 * The whole assignment of a node as a pure function of the view: the law that the differences which
 * are sent have to obey.
 */
import {
  ASSIGNMENT_KINDS,
  EndpointSlice,
  Network,
  Node,
  Service,
  Task,
  byNode,
  compareText,
  servicesByNetwork,
  slicesByNetwork,
  type AssignmentItem,
  type AssignmentKind,
  type AssignmentRemoval,
  type NetworkId,
  type NodeId,
} from '@skep/api';
import type { View } from '@skep/store';
import { assignedFile, assignedNetwork, assignedNode, tableNetworks } from './assigned-network.js';
import { assignedPeer, peerAddresses, peerKey, peerSources } from './assigned-peer.js';
import { assignedService, assignedSlice, frontKey } from './assigned-service.js';
import { assignedTask, isAssignedTo, usesOf } from './assigned-task.js';

/**
 * Everything that the node has to have: itself, its tasks with their files and networks; and for
 * each network in which it has a load-balancer address the services, slices and peers.
 * Ordered by `ASSIGNMENT_KINDS`, then by key. Nothing for a node that does not exist.
 * Cost: O(result).
 */
export function assignmentItems(view: View, nodeId: NodeId): readonly AssignmentItem[] {
  const node = view.get(Node, nodeId);
  if (node === undefined) return [];
  const items = [...ownItems(view, node)];
  for (const networkId of new Set(tableNetworks(node))) {
    items.push(...networkItems(view, networkId).filter((item) => !isOwnPeer(item, nodeId)));
  }
  return items.sort(compareItems);
}

/** Whether the item is a peer on the node itself, which needs no tunnel. */
export function isOwnPeer(item: AssignmentItem, nodeId: NodeId): boolean {
  return item.kind === 'peer' && item.value.nodeId === nodeId;
}

/** The order of items: dependencies before tasks, then by key. */
export function compareItems(a: AssignmentRemoval, b: AssignmentRemoval): number {
  if (a.kind === b.kind) return compareText(a.key, b.key);
  return KIND_RANK[a.kind] - KIND_RANK[b.kind];
}

const KIND_RANK = Object.freeze(
  Object.fromEntries(ASSIGNMENT_KINDS.map((kind, rank) => [kind, rank])),
) as Readonly<Record<AssignmentKind, number>>;

/** Items that are the same for every node of a network, peers on the node itself included. */
export function networkItems(view: View, networkId: NetworkId): readonly AssignmentItem[] {
  const peers = new Map<string, AssignmentItem>();
  for (const source of peerSources(view, networkId)) {
    for (const address of peerAddresses(view, networkId, source)) {
      const key = peerKey(networkId, address);
      const value = assignedPeer(view, networkId, address, source);
      if (value !== undefined && !peers.has(key)) peers.set(key, { kind: 'peer', key, value });
    }
  }
  const items = [...peers.values()];
  for (const service of servicesIn(view, networkId)) {
    const value = assignedService(view, service, networkId);
    const key = frontKey(service.meta.id, networkId);
    if (value !== undefined) items.push({ kind: 'service', key, value });
  }
  for (const slice of view.list(EndpointSlice, slicesByNetwork(networkId))) {
    items.push({ kind: 'slice', key: slice.meta.id, value: assignedSlice(slice) });
  }
  return items;
}

/** Items that only this node has. */
function ownItems(view: View, node: Node): readonly AssignmentItem[] {
  const nodeId = node.meta.id;
  const items = new Map<string, AssignmentItem>();
  const add = (item: AssignmentItem): void => {
    items.set(`${item.kind}/${item.key}`, item);
  };
  const addNetwork = (networkId: NetworkId): void => {
    const value = assignedNetwork(view, node, networkId);
    if (value !== undefined) add({ kind: 'network', key: networkId, value });
  };
  add({ kind: 'node', key: nodeId, value: assignedNode(view, node) });
  tableNetworks(node).forEach(addNetwork);
  for (const task of view.list(Task, byNode(nodeId))) {
    if (!isAssignedTo(task, nodeId)) continue;
    add({ kind: 'task', key: task.meta.id, value: assignedTask(view, task) });
    const uses = usesOf(task);
    uses.network.forEach(addNetwork);
    for (const kind of ['secret', 'config'] as const) {
      for (const reference of uses[kind]) {
        const value = assignedFile(view, kind, reference);
        if (value !== undefined) add({ kind, key: value.id, value });
      }
    }
  }
  return [...items.values()];
}

/** Services that may have a front in the network: they name it, have an address or slices in it. */
function servicesIn(view: View, networkId: NetworkId): ReadonlySet<Service> {
  const name = view.get(Network, networkId)?.meta.name;
  const services = new Set(view.list(Service, servicesByNetwork(networkId)));
  if (name !== undefined) {
    for (const service of view.list(Service, servicesByNetwork(name))) services.add(service);
  }
  for (const { spec } of view.list(EndpointSlice, slicesByNetwork(networkId))) {
    const service = view.get(Service, spec.serviceId);
    if (service !== undefined) services.add(service);
  }
  return services;
}
