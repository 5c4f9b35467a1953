/**
 * The tables of a node from its whole assignment.
 */
import { compareText, type AssignedService } from '@skep/api';
import type { NodeNetworkState } from '../state.js';
import { buildNetworkHeader, buildPeer, isOverlay } from './network-table.js';
import type { NodeLocal } from './node-local.js';
import {
  portKey,
  portOfKey,
  type HostTable,
  type IngressPort,
  type NetworkTable,
  type NodeTables,
  type TableIndex,
  type TablePeer,
  type TaskSandbox,
  type VipTable,
} from './node-tables.js';
import { buildSliceIndex } from './slice-index.js';
import { SortedMap } from './sorted-map.js';
import { hostSysctls } from './sysctls.js';
import { buildTaskSandbox } from './task-sandbox.js';
import {
  buildVipTable,
  placeKey,
  placeOfKey,
  publishedPorts,
  virtualAddressesOf,
  type TableSource,
} from './vip-table.js';

/**
 * Builds the tables of a node. A pure function of its arguments: the same state and local decisions
 * give equal tables, whatever the order of the maps.
 * Cost: O(n log n) in the size of the assignment.
 */
export function buildTables(state: NodeNetworkState, local: NodeLocal): NodeTables {
  const index = buildIndex(state);
  const source: TableSource = { state, local, slices: index.slices };
  const networks = buildNetworks(source, index);
  const tasks: [string, TaskSandbox][] = [];
  for (const [id, task] of state.tasks) {
    const sandbox = buildTaskSandbox(state, local, task);
    if (sandbox !== undefined) tasks.push([id, sandbox]);
  }
  const ports: [string, IngressPort][] = [];
  for (const [key, services] of index.portServices.entries()) {
    const port = buildIngressPort(networks, state, key, services);
    if (port !== undefined) ports.push([key, port]);
  }
  return {
    revision: state.revision,
    nodeId: state.node.id,
    nodeName: state.node.name,
    host: { ...buildHost(local), ingressPorts: SortedMap.from(ports) },
    networks,
    tasks: SortedMap.from(tasks),
    index,
  };
}

/** The host's table without its ports. */
export function buildHost(local: NodeLocal): Omit<HostTable, 'ingressPorts'> {
  const { namespacePrefix, underlayAddress, gatewayBridge } = local;
  return {
    namespacePrefix,
    underlayAddress,
    gatewayBridge,
    sysctls: hostSysctls(gatewayBridge),
  };
}

/** Order of claims: the oldest service first, then by key. */
export function compareClaims(state: NodeNetworkState): (a: string, b: string) => number {
  const order = (key: string): number => state.services.get(key)?.order ?? Number.MAX_SAFE_INTEGER;
  return (a, b) => order(a) - order(b) || compareText(a, b);
}

/** Ports that the service publishes in this network: none but in the ingress network. */
export function portClaims(state: NodeNetworkState, service: AssignedService): readonly string[] {
  return state.networks.get(service.networkId)?.isIngress === true
    ? publishedPorts(service).map(portKey)
    : [];
}

/** `NETWORK/VIP` of each virtual address of the service. */
export function placesOf(service: AssignedService): readonly string[] {
  return virtualAddressesOf(service).map((address) => placeKey(service.networkId, address));
}

function buildIndex(state: NodeNetworkState): TableIndex {
  const serviceVips: [string, readonly string[]][] = [];
  const servicePorts: [string, readonly string[]][] = [];
  const vipServices = new Map<string, string[]>();
  const portServices = new Map<string, string[]>();
  const keys = [...state.services.keys()].sort(compareClaims(state));
  for (const key of keys) {
    const service = state.services.get(key);
    const places = service === undefined ? [] : placesOf(service);
    if (service === undefined || places.length === 0) continue;
    serviceVips.push([key, places]);
    for (const place of places) append(vipServices, place, key);
    const ports = portClaims(state, service);
    if (ports.length > 0) servicePorts.push([key, ports]);
    for (const port of ports) append(portServices, port, key);
  }
  return {
    slices: buildSliceIndex(state),
    serviceVips: SortedMap.from(serviceVips),
    vipServices: SortedMap.from(vipServices),
    servicePorts: SortedMap.from(servicePorts),
    portServices: SortedMap.from(portServices),
  };
}

function append(map: Map<string, string[]>, key: string, item: string): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [item]);
  else list.push(item);
}

/**
 * Overlay networks with all that is in them; only those in `ids` when given.
 * Cost: O(services and peers of the node).
 */
export function buildNetworks(
  source: TableSource,
  index: TableIndex,
  ids?: ReadonlySet<string>,
): SortedMap<NetworkTable> {
  const { state, local } = source;
  const vips = new Map<string, [string, VipTable][]>();
  const peers = new Map<string, [string, TablePeer][]>();
  for (const [id, network] of state.networks) {
    if (!isOverlay(network) || ids?.has(id) === false) continue;
    vips.set(id, []);
    peers.set(id, []);
  }
  for (const [key, keys] of index.vipServices.entries()) {
    const place = placeOfKey(key);
    const list = vips.get(place.networkId);
    if (list === undefined) continue;
    const vip = buildVipTable(source, place, keys);
    if (vip !== undefined) list.push([vip.address, vip]);
  }
  for (const item of state.peers.values()) {
    const list = peers.get(item.networkId);
    list?.push([item.address, buildPeer(item)]);
  }
  const networks: [string, NetworkTable][] = [];
  for (const [id, list] of vips) {
    const network = state.networks.get(id);
    if (network === undefined) continue;
    const header = buildNetworkHeader(state, local, network);
    const table = {
      ...header,
      vips: SortedMap.from(list),
      peers: SortedMap.from(peers.get(id) ?? []),
    };
    networks.push([id, table]);
  }
  return SortedMap.from(networks);
}

/**
 * Whose a published port is: the oldest service that has backends behind it. `services` are those
 * that publish it. Cost: O(services), however many ports they publish.
 */
export function buildIngressPort(
  networks: SortedMap<NetworkTable>,
  state: NodeNetworkState,
  key: string,
  services: readonly string[],
): IngressPort | undefined {
  for (const serviceKey of services) {
    const service = state.services.get(serviceKey);
    if (service === undefined) continue;
    const { networkId } = service;
    const vips = networks.get(networkId)?.vips;
    const [first, second] = virtualAddressesOf(service).flatMap(
      (address) => vips?.get(address) ?? [],
    );
    if (first === undefined) continue;
    return {
      ...portOfKey(key),
      networkId,
      virtualAddress: first.address,
      ...(second === undefined ? {} : { virtualAddress6: second.address }),
      mark: first.mark,
    };
  }
  return undefined;
}
