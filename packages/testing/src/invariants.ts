/**
 * The laws of a cluster, checked on one view: whatever happened before, none may be broken.
 *
 * **Source:** SwarmKit design/tla (invariants I1–I5), and the laws E1–E7 of our own list.
 */
import {
  EndpointSlice,
  hostnameOf,
  isAtLeast,
  isRunnable,
  Network,
  Node,
  Service,
  slotKey,
  Task,
  TASK_STATE_RANK,
  type AllocatedPort,
} from '@skep/api';
import type { View } from '@skep/store';

/**
 * What is wrong in a view; empty when nothing is. Cost: O(objects).
 */
export function brokenInvariants(view: View): readonly string[] {
  return [
    ...tasksHaveServices(view),
    ...assignedTasksHaveNodes(view),
    ...slotsHaveOneTask(view),
    ...addressesHaveOneOwner(view),
    ...portsHaveOneOwner(view),
    ...segmentsHaveOneOwner(view),
    ...nodesAreNotOverCapacity(view),
    ...backendsMayServe(view),
  ].sort();
}

/** I1: every task's service exists. */
function tasksHaveServices(view: View): string[] {
  return view
    .list(Task)
    .filter(({ spec }) => spec.serviceId !== undefined && !view.get(Service, spec.serviceId))
    .map(({ meta }) => `task ${meta.id} has no service`);
}

/** I2: a task at or beyond assigned has a node, except when it was rejected or never needed one. */
function assignedTasksHaveNodes(view: View): string[] {
  return view
    .list(Task)
    .filter(({ status }) => isAtLeast(status.state, 'assigned') && isRunnable(status.state))
    .filter(({ status }) => status.nodeId === undefined)
    .map(({ meta, status }) => `task ${meta.id} is ${status.state} without a node`);
}

/** E2: at most one task of a slot is wanted to run, unless an update starts first. */
function slotsHaveOneTask(view: View): string[] {
  const slots = new Map<string, Task[]>();
  for (const task of view.list(Task)) {
    const isWanted = TASK_STATE_RANK[task.spec.desiredState] <= TASK_STATE_RANK.complete;
    if (!isWanted || !isRunnable(task.status.state) || task.spec.desiredState === 'ready') continue;
    const key = slotKey(task.spec);
    slots.set(key, [...(slots.get(key) ?? []), task]);
  }
  return [...slots].flatMap(([key, tasks]) => {
    if (tasks.length < 2) return [];
    const service = view.get(Service, tasks[0]?.spec.serviceId ?? '');
    const mayOverlap =
      service?.spec.update?.order === 'start-first' ||
      service?.spec.rollback?.order === 'start-first' ||
      // The order may have been another one when the update began.
      tasks.some(({ spec }) => spec.specVersion !== tasks[0]?.spec.specVersion);
    return mayOverlap && tasks.length === 2 ? [] : [`slot ${key} has ${tasks.length} tasks`];
  });
}

/** E3: no address is owned twice, by objects that are being deleted either. */
function addressesHaveOneOwner(view: View): string[] {
  const owners = new Map<string, string>();
  const faults: string[] = [];
  const own = (networkId: string, cidr: string, owner: string): void => {
    const key = `${networkId} ${cidr.split('/')[0] ?? ''}`;
    const other = owners.get(key);
    if (other !== undefined) faults.push(`address ${key} belongs to ${other} and to ${owner}`);
    owners.set(key, owner);
  };
  for (const { meta, status } of view.list(Network)) {
    for (const { gateway } of status.subnets) own(meta.id, gateway, 'the gateway');
    for (const { address } of status.quarantine) own(meta.id, address, 'the quarantine');
  }
  for (const { meta, status } of view.list(Node)) {
    for (const use of status.networks ?? []) own(use.networkId, use.address, `node ${meta.id}`);
  }
  for (const { meta, status } of view.list(Service)) {
    for (const vip of status.endpoint?.virtualAddresses ?? []) {
      own(vip.networkId, vip.address, `service ${meta.name}`);
    }
  }
  for (const { meta, status } of view.list(Task)) {
    if (status.releasedAt !== undefined) continue;
    for (const { networkId, addresses } of status.networks ?? []) {
      for (const address of addresses) own(networkId, address, `task ${meta.id}`);
    }
  }
  return faults;
}

/** E3 for ports: an ingress port belongs to one service. */
function portsHaveOneOwner(view: View): string[] {
  const owners = new Map<string, string>();
  const faults: string[] = [];
  for (const { meta, status } of view.list(Service)) {
    const { ports = [], heldPorts = [] } = status.endpoint ?? {};
    for (const port of [...ports, ...heldPorts]) {
      if (port.publishMode !== 'ingress') continue;
      const key = `${port.protocol}/${port.publishedPort}`;
      const other = owners.get(key);
      if (other !== undefined) faults.push(`port ${key} belongs to ${other} and to ${meta.name}`);
      owners.set(key, meta.name);
    }
  }
  return faults;
}

/** E3 for VXLAN ids. */
function segmentsHaveOneOwner(view: View): string[] {
  const owners = new Map<number, string>();
  const faults: string[] = [];
  for (const { meta, status } of view.list(Network)) {
    for (const { vxlanId } of status.subnets) {
      const other = owners.get(vxlanId);
      if (other !== undefined) {
        faults.push(`VXLAN id ${vxlanId} belongs to ${other} and to ${meta.name}`);
      }
      owners.set(vxlanId, meta.name);
    }
  }
  return faults;
}

/** No node holds more reservations, or one host port more often, than it has. */
function nodesAreNotOverCapacity(view: View): string[] {
  return view.list(Node).flatMap((node) => {
    const resources = node.status.description?.resources;
    if (resources === undefined) return [];
    const tasks = view
      .list(Task)
      .filter(({ status }) => status.nodeId === node.meta.id && isRunnable(status.state));
    const faults: string[] = [];
    let cpuNanos = 0;
    let memoryBytes = 0;
    const ports = new Set<string>();
    for (const { meta, spec, status } of tasks) {
      cpuNanos += spec.template.resources?.reservations?.cpuNanos ?? 0;
      memoryBytes += spec.template.resources?.reservations?.memoryBytes ?? 0;
      for (const port of hostPorts(status.endpoint?.ports ?? [])) {
        if (ports.has(port))
          faults.push(`port ${port} of ${hostnameOf(node)} twice, by ${meta.id}`);
        ports.add(port);
      }
    }
    if (cpuNanos > (resources.cpuNanos ?? 0)) faults.push(`${hostnameOf(node)} is over its cpus`);
    if (memoryBytes > (resources.memoryBytes ?? 0)) {
      faults.push(`${hostnameOf(node)} is over its memory`);
    }
    return faults;
  });
}

function hostPorts(ports: readonly AllocatedPort[]): readonly string[] {
  return ports
    .filter(({ publishMode, publishedPort }) => publishMode === 'host' && publishedPort > 0)
    .map(({ protocol, publishedPort }) => `${protocol}/${publishedPort}`);
}

/** A backend that gets new connections belongs to a task that was seen running. */
function backendsMayServe(view: View): string[] {
  return view.list(EndpointSlice).flatMap(({ spec }) =>
    spec.backends.flatMap((backend) => {
      if (backend.state !== 'serving') return [];
      const task = view.get(Task, backend.taskId);
      if (task === undefined) return [`backend ${backend.taskId} has no task`];
      if (task.status.releasedAt !== undefined) {
        return [`backend ${backend.taskId} serves with a released address`];
      }
      if (task.status.runningAt !== undefined) return [];
      return [`backend ${backend.taskId} serves and was never seen running`];
    }),
  );
}
