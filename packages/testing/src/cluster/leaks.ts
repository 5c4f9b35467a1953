/**
 * What is there in a settled cluster without a reason.
 */
import {
  byNode,
  Cluster,
  clusterSettings,
  EndpointSlice,
  isDeleting,
  isRunnable,
  isTerminal,
  Network,
  Node,
  restartPolicy,
  Service,
  serviceNetworks,
  slotKey,
  Task,
  taskName,
} from '@skep/api';
import type { View } from '@skep/store';

/**
 * Addresses, ports, records and wishes that nobody needs any more, as sentences, sorted. Empty for
 * a settled cluster whose nodes are all in contact. Cost: O(objects).
 */
export function leaks(view: View): readonly string[] {
  return [
    ...view.list(Service).flatMap((service) => serviceLeaks(view, service)),
    ...view.list(Network).flatMap((network) => networkLeaks(network)),
    ...view.list(Node).flatMap((node) => nodeLeaks(view, node)),
    ...view.list(Task).flatMap((task) => taskLeaks(view, task)),
    ...view.list(EndpointSlice).flatMap((slice) => sliceLeaks(view, slice)),
    ...historyLeaks(view),
  ].sort();
}

function serviceLeaks(view: View, { meta, spec, status }: Service): string[] {
  const found: string[] = [];
  const name = `service ${meta.name}`;
  if (meta.deletionRequestedAt !== undefined) found.push(`${name} is still being removed`);
  // An update that cannot be placed goes on; that is in its status.
  const isUpdating = status.update?.state === 'updating';
  if (status.observedGeneration !== meta.generation && !isUpdating) {
    found.push(`${name} was not acted on`);
  }
  if (status.endpoint?.observedGeneration !== meta.generation) {
    found.push(`${name} was not given its endpoint`);
  }
  const hasIngressPort = (spec.endpoint?.ports ?? []).some(
    ({ publishMode }) => publishMode !== 'host',
  );
  const targets = serviceNetworks(spec).map(({ target }) => target);
  for (const { networkId } of status.endpoint?.virtualAddresses ?? []) {
    const network = view.get(Network, networkId);
    const isNamed =
      network !== undefined &&
      (targets.includes(networkId) ||
        targets.includes(network.meta.name) ||
        (network.spec.isIngress === true && hasIngressPort));
    if (!isNamed) found.push(`${name} has an address in ${network?.meta.name ?? networkId}`);
  }
  if (status.endpoint?.heldPorts !== undefined) {
    found.push(`${name} holds ports that it gave up`);
  }
  if ((status.endpoint?.ports.length ?? 0) > (spec.endpoint?.ports?.length ?? 0)) {
    found.push(`${name} has more ports than it wants`);
  }
  return found;
}

function networkLeaks(network: Network): string[] {
  const found: string[] = [];
  const name = `network ${network.meta.name}`;
  if (isDeleting(network)) found.push(`${name} is still being removed`);
  if (network.status.observedGeneration !== network.meta.generation) {
    found.push(`${name} was not acted on`);
  }
  for (const { address } of network.status.quarantine) {
    found.push(`${name} keeps ${address} in quarantine`);
  }
  return found;
}

/** A node has an address in a network for the tasks there, and always in ingress. */
function nodeLeaks(view: View, node: Node): string[] {
  const tasks = view
    .list(Task, byNode(node.meta.id))
    .filter(({ status }) => status.nodeId !== undefined && isRunnable(status.state));
  const needed = new Set(
    tasks.flatMap(({ status }) => (status.networks ?? []).map(({ networkId }) => networkId)),
  );
  const ingress = view.list(Network).find(({ spec }) => spec.isIngress === true);
  if (ingress !== undefined) needed.add(ingress.meta.id);
  const given = (node.status.networks ?? []).map(({ networkId }) => networkId);
  const nameOf = (id: string): string => view.get(Network, id)?.meta.name ?? id;
  return [
    ...given
      .filter((id) => !needed.has(id))
      .map((id) => `${node.meta.name} keeps an address in ${nameOf(id)}`),
    ...[...needed]
      .filter((id) => !given.includes(id))
      .map((id) => `${node.meta.name} has no address in ${nameOf(id)}`),
  ];
}

function taskLeaks(view: View, task: Task): string[] {
  const found: string[] = [];
  const { spec, status } = task;
  const name = `task ${taskName(task)}`;
  const hasAddress = (status.networks ?? []).some(({ addresses }) => addresses.length > 0);
  if (isTerminal(status.state) && hasAddress && status.releasedAt === undefined) {
    found.push(`${name} is ${status.state} and keeps its addresses`);
  }
  if (status.releasedAt !== undefined && !isTerminal(status.state)) {
    found.push(`${name} is ${status.state} without its addresses`);
  }
  if (spec.desiredState === 'remove') found.push(`${name} is still being removed`);
  if (isRunnable(status.state) && spec.desiredState === 'shutdown') {
    found.push(`${name} is ${status.state} and should be shut down`);
  }
  if (status.nodeId !== undefined && isRunnable(status.state) && !view.get(Node, status.nodeId)) {
    found.push(`${name} is ${status.state} on a node that is gone`);
  }
  return found;
}

function sliceLeaks(view: View, { spec }: EndpointSlice): string[] {
  const service = view.get(Service, spec.serviceId);
  const network = view.get(Network, spec.networkId);
  const of = service?.meta.name ?? spec.serviceId;
  const name = `slice ${of} in ${network?.meta.name ?? spec.networkId}`;
  if (service === undefined) return [`${name} has no service`];
  if (network === undefined) return [`${name} has no network`];
  return spec.backends
    .filter(({ taskId, state }) => {
      const task = view.get(Task, taskId);
      return task?.status.state !== 'running' || state !== 'serving';
    })
    .map(({ taskName: backend, state }) => `${name} lists ${backend} as ${state}`);
}

/** Ended tasks beyond what the cluster remembers of a slot. */
function historyLeaks(view: View): string[] {
  const limit = clusterSettings(view.list(Cluster)[0]?.spec).taskHistoryLimit;
  if (limit < 0) return [];
  const slots = new Map<string, Task[]>();
  for (const task of view.list(Task)) {
    const key = `${task.spec.serviceName} ${slotKey(task.spec)}`;
    slots.set(key, [...(slots.get(key) ?? []), task]);
  }
  return [...slots].flatMap(([key, tasks]) => {
    const attempts = Math.max(
      0,
      ...tasks.map(({ spec }) => restartPolicy(spec.template).maxAttempts),
    );
    const ended = tasks.filter(({ status }) => isTerminal(status.state)).length;
    const most = attempts > 0 ? Math.max(limit, attempts + 1) : limit;
    return ended > most ? [`slot ${key} remembers ${ended} tasks, at most ${most}`] : [];
  });
}
