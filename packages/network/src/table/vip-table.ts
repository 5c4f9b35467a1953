/**
 * One VIP of one network, from the services that claim it and their slices.
 */
import { compareText, type AssignedService, type Backend } from '@skep/api';
import type { NodeNetworkState } from '../state.js';
import { compareAddresses, isIpv6 } from './ip.js';
import { addressOf } from './ipv4.js';
import type { NodeLocal } from './node-local.js';
import type { PublishedPort, TableBackend, VipTable } from './node-tables.js';
import { slicesOf, type SliceIndex } from './slice-index.js';

/** Where tables come from: the assignment, the node's own decisions, and which slices are whose. */
export interface TableSource {
  readonly state: NodeNetworkState;
  readonly local: NodeLocal;
  readonly slices: SliceIndex;
}

const NONE: readonly string[] = [];

/** Ingress-mode ports of an assigned service, by protocol and number. */
export function publishedPorts(service: AssignedService): readonly PublishedPort[] {
  return service.ports
    .filter((port) => port.publishMode === 'ingress' && port.publishedPort > 0)
    .map(({ protocol, publishedPort, targetPort }) => ({ protocol, publishedPort, targetPort }))
    .sort((a, b) => compareText(a.protocol, b.protocol) || a.publishedPort - b.publishedPort);
}

/** Virtual addresses of an assigned service, without prefix length: IPv4 first. */
export function virtualAddressesOf(service: AssignedService): readonly string[] {
  const { virtualAddress, virtualAddress6 } = service;
  if (virtualAddress === undefined) {
    return virtualAddress6 === undefined ? NONE : [addressOf(virtualAddress6)];
  }
  const first = addressOf(virtualAddress);
  return virtualAddress6 === undefined ? [first] : [first, addressOf(virtualAddress6)];
}

/** Where a virtual address is: a network, and the address without prefix length. */
export interface VipPlace {
  readonly networkId: string;
  readonly address: string;
}

/** Name of a place: `NETWORK/VIP`. */
export function placeKey(networkId: string, address: string): string {
  return `${networkId}/${address}`;
}

/** The place that {@link placeKey} made the name of. */
export function placeOfKey(key: string): VipPlace {
  const slash = key.indexOf('/');
  return { networkId: key.slice(0, slash), address: key.slice(slash + 1) };
}

interface Owner {
  readonly key: string;
  readonly service: AssignedService;
  readonly mark: number;
}

/**
 * The table of a VIP; undefined when nothing is behind it, and then the node knows no such address.
 * `keys` are the services that claim it, oldest first: the VIP lives as long as one of them has a
 * backend, so a service that goes does not take it from one that comes (defect 27).
 * Cost: O(backends of the services).
 */
export function buildVipTable(
  source: TableSource,
  { networkId, address }: VipPlace,
  keys: readonly string[],
): VipTable | undefined {
  const { state, local } = source;
  const owners: Owner[] = [];
  const found: TableBackend[] = [];
  let mark = Infinity;
  for (const key of keys) {
    const service = state.services.get(key);
    const own = local.marks.get(key);
    if (service === undefined || own === undefined) continue;
    owners.push({ key, service, mark: own });
    mark = Math.min(mark, own);
    collectBackends(source, { key, service, isIpv6: isIpv6(address) }, found);
  }
  const first = owners[0]?.service;
  if (first === undefined || found.length === 0) return undefined;
  return {
    address,
    mark,
    services: owners.map(({ service: { serviceId, serviceName } }) => ({ serviceId, serviceName })),
    ports:
      state.networks.get(networkId)?.isIngress === true
        ? owners.flatMap(({ service }) => publishedPorts(service))
        : 'all',
    backends: mergeBackends(found),
    algorithm: first.algorithm,
    ...(first.affinity === undefined ? {} : { affinity: first.affinity }),
    ...(first.isLocalOnly ? { isLocalOnly: true as const } : {}),
  };
}

/** Adds the backends of a service, in one family, to `found`. */
function collectBackends(
  { state, slices }: TableSource,
  of: { readonly key: string; readonly service: AssignedService; readonly isIpv6: boolean },
  found: TableBackend[],
): void {
  for (const id of slicesOf(slices, of.key)) {
    for (const backend of state.slices.get(id)?.backends ?? []) {
      if (backend.state === 'starting') continue;
      if (of.service.isLocalOnly && backend.nodeId !== state.node.id) continue;
      const address = addressIn(backend, of.isIpv6);
      if (address === undefined) continue;
      const { taskId, taskName, nodeId } = backend;
      found.push({ address, weight: weightOf(backend), taskId, taskName, nodeId });
    }
  }
}

/** The backend's address of a family. */
function addressIn(backend: Backend, isWantedIpv6: boolean): string | undefined {
  if (isIpv6(backend.address) === isWantedIpv6) return backend.address;
  return isWantedIpv6 ? backend.address6 : undefined;
}

function weightOf(backend: Backend): number {
  return backend.state === 'serving' ? Math.max(0, Math.trunc(backend.weight)) : 0;
}

/**
 * One entry per address, by address. When a new task has the address of one that drains, the new
 * one counts: what is declared decides, not what was there first (defect 26).
 */
function mergeBackends(all: TableBackend[]): readonly TableBackend[] {
  all.sort((a, b) => compareAddresses(a.address, b.address) || (isPreferred(a, b) ? -1 : 1));
  return all.filter((backend, at) => backend.address !== all[at - 1]?.address);
}

function isPreferred(a: TableBackend, b: TableBackend): boolean {
  return a.weight === b.weight ? a.taskId < b.taskId : a.weight > b.weight;
}
