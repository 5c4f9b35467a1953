/**
 * A task as a backend: its addresses, its names, and its share of new connections.
 */
import {
  compareText,
  isEqual,
  serviceNetworks,
  taskName,
  type Backend,
  type BackendState,
  type EndpointWeight,
  type Service,
  type Task,
  type TaskNetwork,
  type Timestamp,
} from '@skep/api';
import { slowStartFactor, slowStartWeight, type WeightAt } from '@skep/network';

/** Builds the backend of a task in one of its networks. `weight` is of {@link weightOf}. */
export function backendOf(input: {
  readonly task: Task;
  readonly network: TaskNetwork;
  readonly state: BackendState;
  readonly weight: number;
  /** Aliases of the whole service in the network: they are no names of this task alone. */
  readonly serviceAliases: readonly string[];
}): Backend {
  const { task, network } = input;
  const addresses = network.addresses.map((address) => address.split('/')[0] ?? address);
  const address4 = addresses.find((address) => !address.includes(':'));
  const address6 = addresses.find((address) => address.includes(':'));
  return {
    taskId: task.meta.id,
    taskName: taskName(task),
    nodeId: task.status.nodeId ?? '',
    address: address4 ?? address6 ?? '',
    ...(address4 !== undefined && address6 !== undefined ? { address6 } : {}),
    weight: input.weight,
    state: input.state,
    aliases: aliasesOf(task, network, input.serviceAliases),
  };
}

/** Whether two backends say the same. Since when one drains is a matter of its slice. */
export function isSameBackend(a: Backend, b: Backend): boolean {
  return (
    a.taskId === b.taskId &&
    a.taskName === b.taskName &&
    a.nodeId === b.nodeId &&
    a.address === b.address &&
    a.address6 === b.address6 &&
    a.weight === b.weight &&
    a.state === b.state &&
    isEqual(a.aliases, b.aliases)
  );
}

/**
 * The weight of a task: that of the first entry of the service that it matches, else 1. With slow
 * start all weights of the service are multiplied, and a task's rises from 1 in ten steps, counted
 * from when it was first seen running.
 */
export function weightOf(service: Service, task: Task, now: Timestamp): WeightAt {
  const { weights = [], slowStartMs = 0 } = service.spec.endpoint ?? {};
  const declared = weights.find((entry) => isFor(entry, task))?.weight ?? 1;
  const heaviest = weights.reduce((most, { weight }) => Math.max(most, weight), 1);
  const full = declared * slowStartFactor(heaviest, slowStartMs);
  const since = task.status.runningAt;
  return since === undefined
    ? { weight: full }
    : slowStartWeight({ full, since, slowStartMs }, now);
}

/** Aliases that the service's own attachment to the network gives all its tasks. */
export function serviceAliases(
  service: Service,
  network: { readonly id: string; readonly name?: string | undefined },
): readonly string[] {
  return serviceNetworks(service.spec)
    .filter(({ target }) => target === network.id || target === network.name)
    .flatMap((attachment) => attachment.aliases ?? []);
}

function isFor(entry: EndpointWeight, task: Task): boolean {
  if (entry.specVersion === undefined && entry.label === undefined) return false;
  if (entry.specVersion !== undefined && entry.specVersion !== task.spec.specVersion) return false;
  if (entry.label === undefined) return true;
  const { key, value } = entry.label;
  const labels = task.spec.template.container?.labels;
  return task.meta.labels[key] === value || labels?.[key] === value;
}

/** Container id as Docker shortens it, hostname, and what only this task's attachment says. */
function aliasesOf(
  task: Task,
  network: TaskNetwork,
  ofService: readonly string[],
): readonly string[] {
  const hostname = task.spec.template.container?.hostname;
  const names = [
    task.status.container?.containerId?.slice(0, 12),
    // A hostname with a template in it is expanded on the node, and not known here.
    hostname?.includes('{{') === true ? undefined : hostname,
    ...network.aliases.filter((alias) => !ofService.includes(alias)),
  ];
  const known = names.filter((name): name is string => name !== undefined && name !== '');
  return [...new Set(known)].sort(compareText);
}
