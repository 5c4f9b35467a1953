/**
 * What each object waits for, so that exactly the event it waits for wakes it: no retry by time.
 */
import {
  compareText,
  isDeleting,
  isNodeLocal,
  isTerminal,
  networkDriver,
  type Network,
  type NetworkId,
  type Service,
  type Task,
} from '@skep/api';
import { isAskedToEnd } from '../endpoints/task-facts.js';
import { taskClaims } from './claims.js';

/** Name of this loop as a finalizer. */
export const FINALIZER = 'allocator';

/** Buckets of the index of waiting keys. */
export const BUCKETS = Object.freeze({
  /** Networks without subnets: for a range that becomes free, or a new pool. */
  networks: 'networks',
  /** Networks that are being deleted: for their last user. */
  deleting: 'deleting',
  /** Services without an endpoint for their spec: for a network, an address, a port. */
  services: 'services',
  /** Tasks of services that may publish ports: for the ingress network. */
  ingress: 'ingress',
  /** Tasks whose networks are said by their service: for any network. */
  anyNetwork: 'any-network',
  /** Tasks: for the endpoint of their service. */
  service: (id: string) => `service:${id}`,
  /** Tasks: for a network that they name. */
  target: (name: string) => `target:${name.toLowerCase()}`,
  /** Nodes: for an address in a network. */
  lacks: (id: NetworkId) => `lacks:${id}`,
  /** Everything that goes: for the nodes of a network to apply a revision. */
  tables: (id: NetworkId) => `tables:${id}`,
});

/** Whether the cluster gives this network addresses. */
export function isAllocatable({ spec }: Network): boolean {
  return !isNodeLocal(spec) && spec.isConfigOnly !== true;
}

/** Whether the segments of the network are VXLAN segments. */
export function isOverlay({ spec }: Network): boolean {
  return networkDriver(spec) === 'overlay';
}

/** Whether the network has yet to be given its subnets. */
export function isNetworkPending(network: Network): boolean {
  return isAllocatable(network) && !isDeleting(network) && network.status.subnets.length === 0;
}

/** Whether the service has yet to be given what its spec asks for. */
export function isServicePending(service: Service): boolean {
  if (isDeleting(service)) return false;
  return (service.status.endpoint?.observedGeneration ?? 0) < service.meta.generation;
}

/** Whether tables may still route ports to the service that it gave up. */
export function hasHeldPorts({ status }: Service): boolean {
  return (status.endpoint?.heldPorts ?? []).length > 0;
}

/** Whether nothing but the release of its addresses keeps the service. */
export function isServiceLeaving({ meta }: Service): boolean {
  return (
    meta.deletionRequestedAt !== undefined &&
    meta.finalizers.length === 1 &&
    meta.finalizers[0] === FINALIZER
  );
}

/** Whether the task has yet to be given addresses. */
export function isTaskPending(task: Task): boolean {
  return task.status.state === 'new' && !isAskedToEnd(task);
}

/**
 * Whether the task will not use its addresses any more: it has ended, or was never given a node and
 * is not wanted. A task that was given a node keeps them until it ends.
 */
export function isTaskLeaving(task: Task): boolean {
  const { state, networks, releasedAt, nodeId } = task.status;
  if (networks === undefined || networks.length === 0 || releasedAt !== undefined) return false;
  return isTerminal(state) || (nodeId === undefined && isAskedToEnd(task));
}

/** Buckets of a network. */
export function networkBuckets(network: Network | undefined): readonly string[] {
  if (network === undefined) return [];
  const buckets: string[] = [];
  if (isNetworkPending(network)) buckets.push(BUCKETS.networks);
  if (isDeleting(network)) buckets.push(BUCKETS.deleting);
  if (network.status.quarantine.some(({ removedIn }) => removedIn !== undefined)) {
    buckets.push(BUCKETS.tables(network.meta.id));
  }
  return buckets;
}

/** Buckets of a service; `ingress` are the ingress networks. */
export function serviceBuckets(
  service: Service | undefined,
  ingress: Iterable<NetworkId>,
): readonly string[] {
  if (service === undefined) return [];
  if (!isServiceLeaving(service)) {
    const held = hasHeldPorts(service) ? [...ingress].sort(compareText) : [];
    const waiting = isServicePending(service) ? [BUCKETS.services] : [];
    return [...waiting, ...held.map(BUCKETS.tables)];
  }
  const { virtualAddresses = [], ports = [] } = service.status.endpoint ?? {};
  const networks = new Set(virtualAddresses.map(({ networkId }) => networkId));
  if (ports.length > 0 || hasHeldPorts(service)) for (const id of ingress) networks.add(id);
  return [...networks].sort(compareText).map(BUCKETS.tables);
}

/** Buckets of a task. */
export function taskBuckets(task: Task | undefined): readonly string[] {
  if (task === undefined) return [];
  if (isTaskPending(task)) {
    const { serviceId, template } = task.spec;
    const targets = (template.networks ?? []).map(({ target }) => BUCKETS.target(target));
    if (serviceId === undefined) return [...new Set(targets)];
    const any = template.networks === undefined ? [BUCKETS.anyNetwork] : [];
    return [...new Set([BUCKETS.service(serviceId), BUCKETS.ingress, ...any, ...targets])];
  }
  if (!isTaskLeaving(task)) return [];
  return [...new Set(taskClaims(task).map(({ networkId }) => BUCKETS.tables(networkId)))];
}
