/**
 * Everything that the resolver of a node has to know, kept up to date at the cost of what changes.
 */
import { compareText, type AllocatedPort, type AssignedTask } from '@skep/api';
import type { NetworkChange, NodeNetworkState } from '../state.js';
import { buildSliceIndex, updateSliceIndex, type SliceIndex } from '../table/slice-index.js';
import { SortedMap } from '../table/sorted-map.js';
import { buildClaims, type NameClaims } from './name-claims.js';

/** What services say about one name: usually one does. */
export type NameRecord = readonly {
  /** Key of the service in the network. */
  readonly service: string;
  readonly values: readonly string[];
}[];

/** Names of one network. */
export interface NetworkNames {
  readonly id: string;
  /** Lower case. */
  readonly name: string;
  readonly isInternal: boolean;
  readonly isIngress: boolean;
  /** Name, lower case → addresses. */
  readonly records: SortedMap<NameRecord>;
  /** Address → names of tasks. */
  readonly reverse: SortedMap<NameRecord>;
}

/** Who asks: its networks in the order in which they are searched. */
export interface NameClient {
  readonly networks: readonly string[];
  /** `ndots` as the user set it; absent: not set. */
  readonly ndots?: number;
}

/** See the module comment. */
export interface NameView {
  readonly ttlMs: number;
  /** By network id. */
  readonly networks: SortedMap<NetworkNames>;
  /** Tasks of the node, by id. */
  readonly clients: SortedMap<NameClient>;
  /** Service id → its published ports, for SRV. */
  readonly ports: SortedMap<readonly AllocatedPort[]>;
  /** Key of a service → what it says. Not part of what is resolved. */
  readonly claims: SortedMap<NameClaims>;
  readonly slices: SliceIndex;
}

/** The view of a whole state. Cost: O(n log n). */
export function buildNameView(state: NodeNetworkState): NameView {
  const slices = buildSliceIndex(state);
  const claims: [string, NameClaims][] = [];
  for (const key of state.services.keys()) {
    const claim = buildClaims(state, slices, key);
    if (claim !== undefined) claims.push([key, claim]);
  }
  claims.sort(([a], [b]) => compareText(a, b));
  const clients: [string, NameClient][] = [];
  for (const [id, task] of state.tasks) clients.push([id, clientOf(state, task)]);
  return {
    ttlMs: state.node.dnsTtlMs,
    networks: buildNetworks(state, claims),
    clients: SortedMap.from(clients),
    ports: updatePorts(SortedMap.empty(), state, state.services.keys()),
    claims: SortedMap.from(claims),
    slices,
  };
}

/**
 * The view after a change: equal to `buildNameView(state)`. Assumes that `change` names every item
 * in
 * which the states differ. Cost: O(change · log n), a touched service costing its backends; a
 * changed network costs all of its services and the tasks of the node.
 */
export function updateNameView(
  previous: NameView,
  state: NodeNetworkState,
  change: NetworkChange | undefined,
): NameView {
  if (change === undefined) return buildNameView(state);
  const slices = updateSliceIndex(previous.slices, state, change);
  const changed = new Set(change.networks);
  const touched = new Set([...slices.services, ...change.services]);
  let { networks, claims, clients } = previous;
  if (changed.size > 0) {
    for (const [key, service] of state.services)
      if (changed.has(service.networkId)) touched.add(key);
    for (const id of changed) networks = networks.put(id, headerOf(state, networks.get(id), id));
  }
  for (const key of touched) {
    const before = claims.get(key);
    const after = buildClaims(state, slices.index, key);
    claims = claims.put(key, after);
    networks = replaceClaims(networks, key, before, after);
  }
  const tasks = changed.size > 0 ? [...change.tasks, ...state.tasks.keys()] : change.tasks;
  for (const id of new Set(tasks)) {
    const task = state.tasks.get(id);
    clients = clients.put(id, task === undefined ? undefined : clientOf(state, task));
  }
  const ports = updatePorts(previous.ports, state, touched);
  const ttlMs = state.node.dnsTtlMs;
  return { ttlMs, networks, clients, ports, claims, slices: slices.index };
}

function headerOf(
  state: NodeNetworkState,
  present: NetworkNames | undefined,
  id: string,
): NetworkNames | undefined {
  const network = state.networks.get(id);
  if (network === undefined) return undefined;
  return {
    id,
    name: network.name.toLowerCase(),
    isInternal: network.isInternal,
    isIngress: network.isIngress,
    records: present?.records ?? SortedMap.empty(),
    reverse: present?.reverse ?? SortedMap.empty(),
  };
}

function buildNetworks(
  state: NodeNetworkState,
  claims: readonly (readonly [string, NameClaims])[],
): SortedMap<NetworkNames> {
  const records = new Map<string, Map<string, { service: string; values: readonly string[] }[]>>();
  const add = (
    place: string,
    service: string,
    [name, values]: NameClaims['names'][number],
  ): void => {
    const map = records.get(place) ?? new Map<string, []>();
    records.set(place, map);
    const list = map.get(name);
    if (list === undefined) map.set(name, [{ service, values }]);
    else list.push({ service, values });
  };
  for (const [service, { networkId, names, reverse }] of claims) {
    for (const name of names) add(`records/${networkId}`, service, name);
    for (const address of reverse) add(`reverse/${networkId}`, service, address);
  }
  return SortedMap.from(
    [...state.networks.keys()].flatMap((id): [string, NetworkNames][] => {
      const header = headerOf(state, undefined, id);
      if (header === undefined) return [];
      return [
        [
          id,
          {
            ...header,
            records: SortedMap.from(records.get(`records/${id}`) ?? []),
            reverse: SortedMap.from(records.get(`reverse/${id}`) ?? []),
          },
        ],
      ];
    }),
  );
}

function replaceClaims(
  networks: SortedMap<NetworkNames>,
  service: string,
  before: NameClaims | undefined,
  after: NameClaims | undefined,
): SortedMap<NetworkNames> {
  const id = (after ?? before)?.networkId ?? '';
  const network = networks.get(id);
  if (network === undefined) return networks;
  return networks.with(id, {
    ...network,
    records: replaceRecords(network.records, service, before?.names, after?.names),
    reverse: replaceRecords(network.reverse, service, before?.reverse, after?.reverse),
  });
}

function replaceRecords(
  records: SortedMap<NameRecord>,
  service: string,
  before: NameClaims['names'] | undefined,
  after: NameClaims['names'] | undefined,
): SortedMap<NameRecord> {
  const wanted = new Map(after);
  let result = records;
  for (const name of new Set([...(before ?? []).map(([name]) => name), ...wanted.keys()])) {
    const values = wanted.get(name);
    const others = (result.get(name) ?? []).filter((claim) => claim.service !== service);
    const list =
      values === undefined
        ? others
        : [...others, { service, values }].sort((a, b) => compareText(a.service, b.service));
    result = result.put(name, list.length === 0 ? undefined : list);
  }
  return result;
}

/** Published ports of the services that the keys name; they are told with the ingress network. */
function updatePorts(
  previous: SortedMap<readonly AllocatedPort[]>,
  state: NodeNetworkState,
  keys: Iterable<string>,
): SortedMap<readonly AllocatedPort[]> {
  const ingress = [...state.networks.values()].filter(({ isIngress }) => isIngress);
  let ports = previous;
  for (const id of new Set([...keys].map((key) => key.slice(0, key.indexOf('/'))))) {
    const list = ingress.flatMap(
      (network) => state.services.get(`${id}/${network.id}`)?.ports ?? [],
    );
    ports = ports.put(id, list.length === 0 ? undefined : list);
  }
  return ports;
}

/** User networks as the task names them, then ingress. */
function clientOf(state: NodeNetworkState, task: AssignedTask): NameClient {
  const ids = task.networks
    .map(({ networkId }) => networkId)
    .filter((id) => state.networks.has(id));
  const isIngress = (id: string): boolean => state.networks.get(id)?.isIngress === true;
  const ndots = (task.template.container?.dns?.options ?? [])
    .map((option) => /^ndots:(\d+)$/.exec(option)?.[1])
    .findLast((value) => value !== undefined);
  return {
    networks: [...ids.filter((id) => !isIngress(id)), ...ids.filter(isIngress)],
    ...(ndots === undefined ? {} : { ndots: Number(ndots) }),
  };
}
