/**
 * One VIP of one network, from the services that claim it and their slices.
 */
import { compareText, type AssignedService, type Backend } from '@skep/api';
import type { NodeNetworkState } from '../state.js';
import { addressOf, compareAddresses } from './ipv4.js';
import type { NodeLocal } from './node-local.js';
import type { PublishedPort, TableBackend, VipTable } from './node-tables.js';
import { slicesOf, type SliceIndex } from './slice-index.js';

/** Where tables come from: the assignment, the node's own decisions, and which slices are whose. */
export interface TableSource {
  readonly state: NodeNetworkState;
  readonly local: NodeLocal;
  readonly slices: SliceIndex;
}

/** Ingress-mode ports of an assigned service, by protocol and number. */
export function publishedPorts(service: AssignedService): readonly PublishedPort[] {
  return service.ports
    .filter((port) => port.publishMode === 'ingress' && port.publishedPort > 0)
    .map(({ protocol, publishedPort, targetPort }) => ({ protocol, publishedPort, targetPort }))
    .sort((a, b) => compareText(a.protocol, b.protocol) || a.publishedPort - b.publishedPort);
}

/**
 * The table of a VIP; undefined when nothing is behind it, and then the node knows no such address.
 * `keys` are the services that claim it, oldest first: the VIP lives as long as one of them has a
 * backend, so a service that goes does not take it from one that comes (defect 27).
 * Cost: O(backends of the services).
 */
export function buildVipTable(
  source: TableSource,
  networkId: string,
  keys: readonly string[],
): VipTable | undefined {
  const { state, local } = source;
  const owners = keys.flatMap((key) => {
    const service = state.services.get(key);
    const mark = local.marks.get(key);
    return service === undefined || mark === undefined ? [] : [{ key, service, mark }];
  });
  const first = owners[0]?.service;
  if (first?.virtualAddress === undefined) return undefined;
  const address = addressOf(first.virtualAddress);
  const backends = mergeBackends(
    owners.flatMap(({ key, service }) => candidates(source, key, service, address)),
  );
  if (backends.length === 0) return undefined;
  return {
    address,
    mark: Math.min(...owners.map(({ mark }) => mark)),
    services: owners.map(({ service: { serviceId, serviceName } }) => ({ serviceId, serviceName })),
    ports:
      state.networks.get(networkId)?.isIngress === true
        ? owners.flatMap(({ service }) => publishedPorts(service))
        : 'all',
    backends,
    algorithm: first.algorithm,
    ...(first.affinity === undefined ? {} : { affinity: first.affinity }),
  };
}

function candidates(
  { state, slices }: TableSource,
  key: string,
  service: AssignedService,
  vip: string,
): readonly TableBackend[] {
  const found: TableBackend[] = [];
  const isIpv6 = vip.includes(':');
  for (const id of slicesOf(slices, key)) {
    for (const backend of state.slices.get(id)?.backends ?? []) {
      const address = isIpv6 ? backend.address6 : backend.address;
      if (address === undefined || backend.state === 'starting') continue;
      if (service.isLocalOnly && backend.nodeId !== state.node.id) continue;
      found.push({
        address,
        weight: weightOf(backend),
        taskId: backend.taskId,
        taskName: backend.taskName,
        nodeId: backend.nodeId,
      });
    }
  }
  return found;
}

function weightOf(backend: Backend): number {
  return backend.state === 'serving' ? Math.max(0, Math.trunc(backend.weight)) : 0;
}

/**
 * One entry per address, by address. When a new task has the address of one that drains, the new
 * one counts: what is declared decides, not what was there first (defect 26).
 */
function mergeBackends(all: readonly TableBackend[]): readonly TableBackend[] {
  const byAddress = new Map<string, TableBackend>();
  for (const backend of all) {
    const other = byAddress.get(backend.address);
    if (other === undefined || isPreferred(backend, other)) byAddress.set(backend.address, backend);
  }
  return [...byAddress.values()].sort((a, b) => compareAddresses(a.address, b.address));
}

function isPreferred(a: TableBackend, b: TableBackend): boolean {
  return a.weight === b.weight ? a.taskId < b.taskId : a.weight > b.weight;
}
