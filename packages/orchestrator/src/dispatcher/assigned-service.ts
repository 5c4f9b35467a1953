/**
 * The front of a service in a network: what its name and its virtual address mean there.
 */
import {
  EndpointSlice,
  Network,
  isDeleting,
  serviceNetworks,
  slicesByService,
  type AssignedService,
  type AssignedSlice,
  type NetworkId,
  type Service,
} from '@skep/api';
import type { View } from '@skep/store';
import { serviceAliases } from '../endpoints/backend.js';
import { inFamilies } from './assigned-network.js';

/** Key of the front of a service in a network. */
export function frontKey(serviceId: string, networkId: NetworkId): string {
  return `${serviceId}/${networkId}`;
}

/**
 * Networks in which the service may have a front: those it names, those it has an address in, and
 * those it still has slices in; ingress as long as it holds ports that it gave up.
 */
export function frontNetworks(view: View, service: Service): ReadonlySet<NetworkId> {
  const ids = new Set<NetworkId>();
  for (const { target } of serviceNetworks(service.spec)) {
    const network = view.get(Network, target) ?? view.getByName(Network, target);
    if (network !== undefined) ids.add(network.meta.id);
  }
  const { virtualAddresses = [], heldPorts = [] } = service.status.endpoint ?? {};
  for (const { networkId } of virtualAddresses) ids.add(networkId);
  if (heldPorts.length > 0) {
    for (const { meta, spec } of view.list(Network)) if (spec.isIngress === true) ids.add(meta.id);
  }
  for (const { spec } of view.list(EndpointSlice, slicesByService(service.meta.id))) {
    ids.add(spec.networkId);
  }
  return ids;
}

/**
 * Builds the front of a service in a network. There is one once the service is allocated: with its
 * virtual address, or, for dnsrr, with none, as long as it names the network or has backends there.
 * The front of a service that is being deleted goes with its last backend.
 */
export function assignedService(
  view: View,
  service: Service,
  networkId: NetworkId,
): AssignedService | undefined {
  const network = view.get(Network, networkId);
  const endpoint = service.status.endpoint;
  if (network === undefined || endpoint === undefined) return undefined;
  const { first: virtual, second: virtual6 } = inFamilies(
    endpoint.virtualAddresses
      .filter((one) => one.networkId === networkId)
      .map(({ address }) => address),
  );
  if (virtual === undefined && endpoint.mode === 'vip') return undefined;
  const names = [networkId, network.meta.name];
  const isNamed = serviceNetworks(service.spec).some(({ target }) => names.includes(target));
  const isWanted = !isDeleting(service) && (virtual !== undefined || isNamed);
  if (!isWanted && !hasBackends(view, service, networkId)) return undefined;
  const spec = service.spec.endpoint;
  return {
    serviceId: service.meta.id,
    serviceName: service.meta.name,
    networkId,
    order: service.meta.createdAt,
    ...(virtual === undefined ? {} : { virtualAddress: virtual }),
    ...(virtual6 === undefined ? {} : { virtualAddress6: virtual6 }),
    aliases: serviceAliases(service, { id: networkId, name: network.meta.name }),
    ports:
      network.spec.isIngress === true
        ? endpoint.ports.filter((port) => port.publishMode === 'ingress')
        : [],
    algorithm: spec?.algorithm ?? 'round-robin',
    ...(spec?.affinity === undefined ? {} : { affinity: spec.affinity }),
    isLocalOnly: spec?.isLocalOnly ?? false,
  };
}

/** Builds the item of a slice. */
export function assignedSlice(slice: EndpointSlice): AssignedSlice {
  return { ...slice.spec, id: slice.meta.id, revision: slice.meta.version };
}

function hasBackends(view: View, service: Service, networkId: NetworkId): boolean {
  return view
    .list(EndpointSlice, slicesByService(service.meta.id))
    .some(({ spec }) => spec.networkId === networkId && spec.backends.length > 0);
}
