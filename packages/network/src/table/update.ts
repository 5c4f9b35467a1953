/**
 * The tables of a node after a change of its assignment.
 */
import type { NetworkChange, NodeNetworkState } from '../state.js';
import {
  buildHost,
  buildIngressPort,
  buildNetworks,
  buildTables,
  compareClaims,
  placesOf,
  portClaims,
} from './build.js';
import { buildPeer } from './network-table.js';
import type { NodeLocal } from './node-local.js';
import type { NetworkTable, NodeTables, TableIndex, TaskSandbox } from './node-tables.js';
import { listWith, listWithout, updateSliceIndex } from './slice-index.js';
import type { SortedMap } from './sorted-map.js';
import { buildTaskSandbox } from './task-sandbox.js';
import { buildVipTable, placeOfKey, type TableSource } from './vip-table.js';

/**
 * The tables after a change: equal to `buildTables(state, local)`, but only what the change names
 * is looked at, and the rest is shared with `previous`.
 * Assumes that `change` names every item in which `state` differs from the state `previous` was
 * made from, and that `local` was planned for it. Without `change` everything is built.
 * Cost: O(change · log n), a touched service costing its backends; a changed network costs all of
 * its services, and the tasks of the node.
 */
export function updateTables(
  previous: NodeTables,
  state: NodeNetworkState,
  change: NetworkChange | undefined,
  local: NodeLocal,
): NodeTables {
  if (change === undefined) return buildTables(state, local);
  const { index, services } = updateIndex(previous.index, state, change);
  const source: TableSource = { state, local, slices: index.slices };
  const places = new Set<string>();
  const ports = new Set<string>();
  for (const key of services) {
    for (const { serviceVips, servicePorts } of [previous.index, index]) {
      for (const place of serviceVips.get(key) ?? []) places.add(place);
      for (const port of servicePorts.get(key) ?? []) ports.add(port);
    }
  }
  const networks = updateNetworks(previous, source, index, { change, places });
  let { ingressPorts } = previous.host;
  for (const port of ports) {
    const claims = index.portServices.get(port) ?? [];
    ingressPorts = ingressPorts.put(port, buildIngressPort(networks, state, port, claims));
  }
  return {
    revision: state.revision,
    nodeId: state.node.id,
    nodeName: state.node.name,
    host: { ...buildHost(local), ingressPorts },
    networks,
    tasks: updateTasks(previous.tasks, source, change),
    index,
  };
}

/** The index after the change, and the keys of all services that it touches. */
function updateIndex(
  previous: TableIndex,
  state: NodeNetworkState,
  change: NetworkChange,
): { readonly index: TableIndex; readonly services: ReadonlySet<string> } {
  const slices = updateSliceIndex(previous.slices, state, change);
  const renewed = new Set(change.services);
  if (change.networks.length > 0) {
    const networks = new Set(change.networks);
    for (const [key, { networkId }] of state.services)
      if (networks.has(networkId)) renewed.add(key);
  }
  let { serviceVips, vipServices, servicePorts, portServices } = previous;
  const compare = compareClaims(state);
  for (const key of renewed) {
    const service = state.services.get(key);
    for (const place of serviceVips.get(key) ?? []) {
      vipServices = vipServices.put(place, listWithout(vipServices.get(place), key));
    }
    for (const port of servicePorts.get(key) ?? []) {
      portServices = portServices.put(port, listWithout(portServices.get(port), key));
    }
    serviceVips = serviceVips.without(key);
    servicePorts = servicePorts.without(key);
    const places = service === undefined ? [] : placesOf(service);
    if (service === undefined || places.length === 0) continue;
    serviceVips = serviceVips.with(key, places);
    for (const place of places) {
      vipServices = vipServices.with(place, listWith(vipServices.get(place), key, compare));
    }
    const ports = portClaims(state, service);
    if (ports.length > 0) servicePorts = servicePorts.with(key, ports);
    for (const port of ports) {
      portServices = portServices.with(port, listWith(portServices.get(port), key, compare));
    }
  }
  return {
    index: { slices: slices.index, serviceVips, vipServices, servicePorts, portServices },
    services: new Set([...slices.services, ...renewed]),
  };
}

function updateNetworks(
  previous: NodeTables,
  source: TableSource,
  index: TableIndex,
  touched: { readonly change: NetworkChange; readonly places: ReadonlySet<string> },
): SortedMap<NetworkTable> {
  let { networks } = previous;
  const { change, places } = touched;
  if (change.networks.length > 0) {
    const rebuilt = buildNetworks(source, index, new Set(change.networks));
    for (const id of change.networks) networks = networks.put(id, rebuilt.get(id));
  }
  const edit = (id: string, change: (table: NetworkTable) => NetworkTable): void => {
    const table = networks.get(id);
    if (table !== undefined) networks = networks.with(id, change(table));
  };
  for (const key of places) {
    const place = placeOfKey(key);
    const vip = buildVipTable(source, place, index.vipServices.get(key) ?? []);
    edit(place.networkId, (table) => ({ ...table, vips: table.vips.put(place.address, vip) }));
  }
  for (const key of change.peers) {
    const item = source.state.peers.get(key);
    const peer = item === undefined ? undefined : buildPeer(item);
    const slash = key.indexOf('/');
    const address = key.slice(slash + 1);
    edit(key.slice(0, slash), (table) => ({ ...table, peers: table.peers.put(address, peer) }));
  }
  return networks;
}

function updateTasks(
  previous: SortedMap<TaskSandbox>,
  { state, local }: TableSource,
  change: NetworkChange,
): SortedMap<TaskSandbox> {
  const ids = new Set(change.tasks);
  if (change.networks.length > 0) for (const id of state.tasks.keys()) ids.add(id);
  let tasks = previous;
  for (const id of ids) {
    const task = state.tasks.get(id);
    tasks = tasks.put(id, task === undefined ? undefined : buildTaskSandbox(state, local, task));
  }
  return tasks;
}
