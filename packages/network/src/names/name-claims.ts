/**
 * The names that one service brings into one network.
 *
 * **Source:** moby daemon/libnetwork service_common (endpoint name resolution) for which names
 * there
 * are; that a name of a service without tasks is known, and has no address, is ours.
 */
import { compareText, type Backend } from '@skep/api';
import type { NodeNetworkState } from '../state.js';
import { compareAddresses } from '../table/ip.js';
import { virtualAddressesOf } from '../table/vip-table.js';
import { slicesOf, type SliceIndex } from '../table/slice-index.js';

/** What a service says about names, each lower case and without a dot at the end. */
export interface NameClaims {
  readonly networkId: string;
  /** Name → addresses of both families; no address: the name is there and has none. */
  readonly names: readonly (readonly [string, readonly string[]])[];
  /** Address → names of tasks. */
  readonly reverse: readonly (readonly [string, readonly string[]])[];
}

/**
 * The claims of a service in a network; undefined when there are none: in the ingress network, and
 * for services that are gone. Cost: O(backends of the service).
 */
export function buildClaims(
  state: NodeNetworkState,
  slices: SliceIndex,
  key: string,
): NameClaims | undefined {
  const service = state.services.get(key);
  const network = state.networks.get(service?.networkId ?? '');
  if (service === undefined || network === undefined || network.isIngress) return undefined;
  const backends = slicesOf(slices, key)
    .flatMap((id) => state.slices.get(id)?.backends ?? [])
    .filter(({ state: of }) => of !== 'starting');
  const serving = backends.filter(({ state: of }) => of === 'serving');
  const names = new Map<string, readonly string[]>();
  const reverse = new Map<string, readonly string[]>();
  for (const backend of serving) {
    const addresses = addressesOf(backend);
    for (const name of [backend.taskName, ...backend.aliases]) {
      append(names, name.toLowerCase(), addresses);
    }
    for (const address of addresses) append(reverse, address, [backend.taskName]);
  }
  const vips = virtualAddressesOf(service);
  // A VIP is known as long as one task is behind it, even if that one is ending.
  const front =
    vips.length === 0
      ? addressList(serving.filter(({ weight }) => weight > 0))
      : backends.length > 0
        ? vips
        : [];
  const all = addressList(serving);
  for (const alias of [service.serviceName, ...service.aliases]) {
    const name = alias.toLowerCase();
    names.set(name, front);
    names.set(`tasks.${name}`, all);
  }
  return {
    networkId: service.networkId,
    names: [...names].sort(([a], [b]) => compareText(a, b)),
    reverse: [...reverse].sort(([a], [b]) => compareText(a, b)),
  };
}

function addressesOf(backend: Backend): readonly string[] {
  return backend.address6 === undefined ? [backend.address] : [backend.address, backend.address6];
}

/** Addresses of the backends, each once, in order. */
function addressList(backends: readonly Backend[]): readonly string[] {
  return [...new Set(backends.flatMap(addressesOf))].sort(compareAddresses);
}

function append(map: Map<string, readonly string[]>, key: string, more: readonly string[]): void {
  map.set(key, [...new Set([...(map.get(key) ?? []), ...more])].sort(compareAddresses));
}
