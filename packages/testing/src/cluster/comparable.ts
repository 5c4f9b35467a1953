/**
 * What of a settled cluster must not depend on how it came to be.
 */
import {
  byService,
  EndpointSlice,
  isDeleting,
  isGlobal,
  isRunnable,
  Network,
  Node,
  serviceMode,
  Service,
  slicesByService,
  Task,
  type AllocatedPort,
} from '@skep/api';
import type { View } from '@skep/store';
import { leaks } from './leaks.js';

/** A service, without names and numbers that chance gave it. */
export interface ComparableService {
  /** Running tasks; for global services by the name of the node. */
  readonly running: number | Readonly<Record<string, number>>;
  /** Tasks that are wanted and do not run. */
  readonly waiting: number;
  /** How many run each image. */
  readonly images: Readonly<Record<string, number>>;
  /** `tcp/8080→80 ingress`; a dynamic port as `tcp/dynamic→80 ingress`. */
  readonly ports: readonly string[];
  /** Names of the networks in which it has an address of its own. */
  readonly virtualAddresses: readonly string[];
  /** Backends by the name of the network. */
  readonly backends: Readonly<Record<string, number>>;
}

/** A network, likewise. */
export interface ComparableNetwork {
  readonly subnets: number;
  readonly vxlanIds: number;
  /**
   * Addresses in use: of services, and of tasks on nodes. What a task without a node has depends on
   * when it was made: an update waits where it cannot be placed.
   */
  readonly serviceAddresses: number;
  readonly taskAddresses: number;
  readonly quarantined: number;
}

/** A cluster, likewise. Equal declarations give equal ones, whatever happened before. */
export interface ComparableCluster {
  readonly nodes: Readonly<Record<string, string>>;
  readonly networks: Readonly<Record<string, ComparableNetwork>>;
  readonly services: Readonly<Record<string, ComparableService>>;
  /** Nodes that have an address in the network of published ports. */
  readonly ingressNodes: number;
  /** Whatever is there without a reason; empty. */
  readonly leaks: readonly string[];
}

/** See {@link ComparableCluster}. Cost: O(objects). */
export function comparable(view: View): ComparableCluster {
  return {
    nodes: record(view.list(Node), ({ meta, spec, status }) => [
      meta.name,
      `${status.state} ${spec.availability}`,
    ]),
    networks: record(view.list(Network), (network) => [
      network.meta.name,
      comparableNetwork(view, network),
    ]),
    services: record(view.list(Service), (service) => [
      service.meta.name,
      comparableService(view, service),
    ]),
    ingressNodes: view
      .list(Node)
      .filter(({ status }) =>
        (status.networks ?? []).some(
          ({ networkId }) => view.get(Network, networkId)?.spec.isIngress === true,
        ),
      ).length,
    leaks: leaks(view),
  };
}

function comparableNetwork(view: View, { meta, status }: Network): ComparableNetwork {
  const services = view
    .list(Service)
    .flatMap((service) => service.status.endpoint?.virtualAddresses ?? [])
    .filter(({ networkId }) => networkId === meta.id);
  const tasks = view
    .list(Task)
    .filter(({ status }) => status.releasedAt === undefined && status.nodeId !== undefined)
    .flatMap((task) => task.status.networks ?? [])
    .filter(({ networkId }) => networkId === meta.id);
  return {
    subnets: status.subnets.length,
    vxlanIds: new Set(status.subnets.map(({ vxlanId }) => vxlanId)).size,
    serviceAddresses: services.length,
    taskAddresses: tasks.flatMap(({ addresses }) => addresses).length,
    quarantined: status.quarantine.length,
  };
}

function comparableService(view: View, service: Service): ComparableService {
  const tasks = view
    .list(Task, byService(service.meta.id))
    .filter(({ status }) => isRunnable(status.state));
  const running = tasks.filter(({ status }) => status.state === 'running');
  const slices = view.list(EndpointSlice, slicesByService(service.meta.id));
  const { ports = [], virtualAddresses = [] } = service.status.endpoint ?? {};
  const networkName = (id: string): string => view.get(Network, id)?.meta.name ?? `gone ${id}`;
  const nodeName = ({ status }: Task): string =>
    view.get(Node, status.nodeId ?? '')?.meta.name ?? 'none';
  return {
    running: isGlobal(serviceMode(service.spec)) ? counts(running.map(nodeName)) : running.length,
    waiting: tasks.length - running.length,
    images: counts(running.map(({ spec }) => spec.template.container?.image ?? '')),
    ports: ports.map((port) => portText(service, port)).sort(),
    virtualAddresses: virtualAddresses.map(({ networkId }) => networkName(networkId)).sort(),
    backends: counts(
      slices.flatMap(({ spec }) => spec.backends.map(() => networkName(spec.networkId))),
    ),
  };
}

function portText({ spec }: Service, port: AllocatedPort): string {
  const isAsked = (spec.endpoint?.ports ?? []).some(
    ({ publishedPort }) => publishedPort === port.publishedPort,
  );
  const published = isAsked || port.publishedPort === 0 ? port.publishedPort : 'dynamic';
  return `${port.protocol}/${published}→${port.targetPort} ${port.publishMode}`;
}

function counts(names: readonly string[]): Readonly<Record<string, number>> {
  const result: Record<string, number> = {};
  for (const name of [...names].sort()) result[name] = (result[name] ?? 0) + 1;
  return result;
}

/** By name, in the order of names; what is being removed is marked. */
function record<T extends Service | Network | Node, V>(
  objects: readonly T[],
  entry: (object: T) => readonly [string, V],
): Readonly<Record<string, V>> {
  const entries = objects.map((object): [string, V] => {
    const [name, value] = entry(object);
    return [isDeleting(object) ? `${name} (being removed)` : name, value];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
