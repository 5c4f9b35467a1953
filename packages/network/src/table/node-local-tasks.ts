/**
 * What tasks get from their node: an address on the gateway bridge, bridge ports, host ports.
 */
import {
  compareBy,
  compareText,
  isTerminal,
  type AllocatedPort,
  type AssignedTask,
  type TaskId,
} from '@skep/api';
import type { NodeNetworkState } from '../state.js';
import { isIpv6 } from './ip.js';
import { addressOf, ipv4Number, ipv4Range, ipv4Text } from './ipv4.js';
import { HOST_PORTS, type NodeLocal } from './node-local.js';

/** Who holds the ingress sandbox's address in {@link NodeLocal.legOwners}. */
export const INGRESS_OWNER = 'ingress';

/**
 * Whether the task has a network namespace that the node builds: until it has ended, and unless it
 * uses the node's own.
 */
export function hasSandbox(task: AssignedTask, state: NodeNetworkState): boolean {
  return (
    !isTerminal(task.knownState) &&
    !task.networks.some(({ networkId }) => state.networks.get(networkId)?.driver === 'host')
  );
}

/** Networks of the task that have a segment on this node, ingress first, then as it names them. */
export function overlaysOf(
  task: AssignedTask,
  state: NodeNetworkState,
): readonly {
  readonly networkId: string;
  /** CIDR form; IPv4, or IPv6 when there is no other. */
  readonly address: string;
  /** CIDR form; IPv6, when there are both. */
  readonly address6?: string;
  readonly isIngress: boolean;
}[] {
  const overlays = task.networks.flatMap(({ networkId, addresses }) => {
    const network = state.networks.get(networkId);
    const address4 = addresses.find((address) => !isIpv6(address));
    const address6 = addresses.find(isIpv6);
    const address = address4 ?? address6;
    if (network?.driver !== 'overlay' || address === undefined) return [];
    const both = address4 !== undefined && address6 !== undefined ? { address6 } : {};
    return [{ networkId, address, ...both, isIngress: network.isIngress }];
  });
  return [
    ...overlays.filter(({ isIngress }) => isIngress),
    ...overlays.filter(({ isIngress }) => !isIngress),
  ];
}

/** Whether the task has a leg on the gateway bridge: unless every network of it is internal. */
export function wantsLeg(task: AssignedTask, state: NodeNetworkState): boolean {
  if (!hasSandbox(task, state)) return false;
  const networks = task.networks.map(({ networkId }) => state.networks.get(networkId));
  if (networks.some((network) => network?.driver === 'none' || network?.driver === 'null')) {
    return false;
  }
  const overlays = networks.filter((network) => network?.driver === 'overlay');
  return overlays.length === 0 || overlays.some((network) => network?.isInternal === false);
}

function compareTasks(state: NodeNetworkState): (a: AssignedTask, b: AssignedTask) => number {
  const order = (task: AssignedTask): number =>
    task.networks.reduce((least, { networkId }) => {
      const service = state.services.get(`${task.serviceId ?? ''}/${networkId}`);
      return Math.min(least, service?.order ?? Number.MAX_SAFE_INTEGER);
    }, Number.MAX_SAFE_INTEGER);
  return compareBy(
    (a, b) => order(a) - order(b),
    (a, b) => a.slot - b.slot,
    (a, b) => compareText(a.id, b.id),
  );
}

function presentTasks(
  state: NodeNetworkState,
  ids: readonly TaskId[],
  isMeant: (task: AssignedTask) => boolean,
): { readonly present: readonly AssignedTask[]; readonly absent: readonly TaskId[] } {
  const present: AssignedTask[] = [];
  const absent: TaskId[] = [];
  for (const id of new Set(ids)) {
    const task = state.tasks.get(id);
    if (task !== undefined && isMeant(task)) present.push(task);
    else absent.push(id);
  }
  return { present: present.sort(compareTasks(state)), absent };
}

/** Addresses on the gateway bridge: the ingress sandbox's first, then the tasks'. */
export function planLegs(
  previous: NodeLocal,
  state: NodeNetworkState,
  ids: readonly TaskId[],
): NodeLocal {
  const { present, absent } = presentTasks(state, ids, (task) => wantsLeg(task, state));
  let local = previous;
  for (const id of absent) local = releaseLeg(local, id);
  const hasIngress = [...state.networks.values()].some(
    (network) => network.isIngress && network.loadBalancerAddress !== undefined,
  );
  if (hasIngress && local.ingressLeg === undefined) {
    const address = nextLeg(local);
    if (address !== undefined) {
      local = { ...takeLeg(local, address, INGRESS_OWNER), ingressLeg: address };
    }
  } else if (!hasIngress && local.ingressLeg !== undefined) {
    const { ingressLeg, ...rest } = local;
    local = { ...rest, legOwners: rest.legOwners.without(ingressLeg) };
  }
  for (const { id } of present) {
    if (local.legs.has(id)) continue;
    const address = nextLeg(local);
    if (address === undefined) break;
    local = { ...takeLeg(local, address, id), legs: local.legs.with(id, address) };
  }
  return local;
}

function takeLeg(local: NodeLocal, address: string, owner: string): NodeLocal {
  return { ...local, legOwners: local.legOwners.with(address, owner), lastLeg: address };
}

function releaseLeg(local: NodeLocal, id: TaskId): NodeLocal {
  const address = local.legs.get(id);
  if (address === undefined) return local;
  return { ...local, legs: local.legs.without(id), legOwners: local.legOwners.without(address) };
}

/** The next free address of the gateway bridge; undefined when all are taken. */
function nextLeg(local: NodeLocal): string | undefined {
  const { base, prefix } = ipv4Range(local.gatewayBridge.address);
  const own = ipv4Number(addressOf(local.gatewayBridge.address));
  const size = 2 ** (32 - prefix);
  let at = (ipv4Number(local.lastLeg) ?? base) - base;
  for (let tries = 0; tries < size; tries += 1) {
    at = (at + 1) % size;
    // The network's own address and the broadcast address are not for use.
    if (at === 0 || at === size - 1 || base + at === own) continue;
    const address = ipv4Text(base + at);
    if (!local.legOwners.has(address)) return address;
  }
  return undefined;
}

/** Numbers of bridge ports, from 1 in each network. */
export function planBridgePorts(
  previous: NodeLocal,
  state: NodeNetworkState,
  touched: { readonly tasks: readonly TaskId[]; readonly networks: readonly string[] },
): NodeLocal {
  let { bridgePorts, nextBridgePorts } = previous;
  for (const networkId of touched.networks) {
    if (!state.networks.has(networkId)) nextBridgePorts = nextBridgePorts.without(networkId);
  }
  const { present, absent } = presentTasks(state, touched.tasks, (task) => hasSandbox(task, state));
  const wanted = new Map(present.map((task) => [task.id, overlaysOf(task, state)]));
  for (const id of [...absent, ...wanted.keys()]) {
    const networks = new Set(wanted.get(id)?.map(({ networkId }) => networkId));
    for (const networkId of networksOfTask(previous, id)) {
      if (!networks.has(networkId)) bridgePorts = bridgePorts.without(`${networkId}/${id}`);
    }
  }
  for (const [id, overlays] of wanted) {
    for (const { networkId } of overlays) {
      const key = `${networkId}/${id}`;
      if (bridgePorts.has(key)) continue;
      const number = nextBridgePorts.get(networkId) ?? 1;
      bridgePorts = bridgePorts.with(key, number);
      nextBridgePorts = nextBridgePorts.with(networkId, number + 1);
    }
  }
  return { ...previous, bridgePorts, nextBridgePorts };
}

function networksOfTask(local: NodeLocal, id: TaskId): readonly string[] {
  return local.nextBridgePorts.keys().filter((networkId) => {
    return local.bridgePorts.has(`${networkId}/${id}`);
  });
}

/** Numbers for host-mode ports that nobody named. */
export function planHostPorts(
  previous: NodeLocal,
  state: NodeNetworkState,
  ids: readonly TaskId[],
): NodeLocal {
  const isMeant = (task: AssignedTask): boolean =>
    hasSandbox(task, state) && task.ports.some((port) => port.publishMode === 'host');
  const { present, absent } = presentTasks(state, ids, isMeant);
  let local = previous;
  for (const id of absent) local = releaseHostPorts(local, id);
  for (const task of present) {
    if (local.hostPorts.has(task.id)) continue;
    const ports: AllocatedPort[] = [];
    for (const port of task.ports) {
      if (port.publishMode !== 'host') continue;
      const publishedPort = port.publishedPort > 0 ? port.publishedPort : nextHostPort(local, port);
      if (publishedPort === undefined) continue;
      ports.push({ ...port, publishedPort });
      if (port.publishedPort > 0) continue;
      const hostPortOwners = local.hostPortOwners.with(
        `${port.protocol}/${publishedPort}`,
        task.id,
      );
      local = { ...local, hostPortOwners, lastHostPort: publishedPort };
    }
    local = { ...local, hostPorts: local.hostPorts.with(task.id, ports) };
  }
  return local;
}

function releaseHostPorts(local: NodeLocal, id: TaskId): NodeLocal {
  const ports = local.hostPorts.get(id);
  if (ports === undefined) return local;
  let { hostPortOwners } = local;
  for (const { protocol, publishedPort } of ports) {
    const key = `${protocol}/${publishedPort}`;
    if (hostPortOwners.get(key) === id) hostPortOwners = hostPortOwners.without(key);
  }
  return { ...local, hostPorts: local.hostPorts.without(id), hostPortOwners };
}

function nextHostPort(local: NodeLocal, port: AllocatedPort): number | undefined {
  const { first, last } = HOST_PORTS;
  const size = last - first + 1;
  let at = local.lastHostPort;
  for (let tries = 0; tries < size; tries += 1) {
    at = at >= last || at < first ? first : at + 1;
    if (!local.hostPortOwners.has(`${port.protocol}/${at}`)) return at;
  }
  return undefined;
}
