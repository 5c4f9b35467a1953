/**
 * A task as its node has to know it, and what has to be sent along with it.
 *
 * **Source:** SwarmKit manager/dispatcher/assignments.go for which tasks a node is told of.
 */
import {
  Service,
  isAtLeast,
  isEqual,
  isTerminal,
  taskName,
  type AssignedTask,
  type NetworkId,
  type NodeId,
  type Task,
} from '@skep/api';
import type { View } from '@skep/store';
import { isAskedToEnd, routedNetworks } from '../endpoints/task-facts.js';

/**
 * Whether the node is told of the task. From ASSIGNED on, and until it has ended and was asked to:
 * that it leaves the set makes the agent remove what is left of it. A task that ended by itself
 * stays until the orchestrator has reacted.
 */
export function isAssignedTo(task: Task, nodeId: NodeId): boolean {
  const { state } = task.status;
  if (task.status.nodeId !== nodeId || !isAtLeast(state, 'assigned')) return false;
  return !(isTerminal(state) && isAskedToEnd(task));
}

/** Builds the item of a task. */
export function assignedTask(view: View, task: Task): AssignedTask {
  const { spec, status } = task;
  const service = spec.serviceId === undefined ? undefined : view.get(Service, spec.serviceId);
  return {
    id: task.meta.id,
    name: taskName(task),
    ...(spec.serviceId === undefined ? {} : { serviceId: spec.serviceId }),
    serviceName: spec.serviceName,
    serviceLabels: service?.meta.labels ?? {},
    slot: spec.slot,
    desiredState: spec.desiredState,
    template: spec.template,
    networks: status.networks ?? [],
    ports: status.endpoint?.ports ?? [],
    genericResources: status.genericResources ?? [],
    volumes: status.volumes ?? [],
    isDrained: isDrained(task),
    ...(spec.stopBy === undefined ? {} : { stopBy: spec.stopBy }),
    knownState: status.state,
  };
}

/**
 * Whether two items of a task are the same to its node. What the node itself reported is not sent
 * back to it.
 */
export function isSameTask(a: AssignedTask, b: AssignedTask): boolean {
  return isEqual({ ...a, knownState: undefined }, { ...b, knownState: undefined });
}

/** What a task needs on its node besides itself. Files are named by id, or by name without one. */
export interface TaskUses {
  readonly secret: readonly string[];
  readonly config: readonly string[];
  readonly network: readonly NetworkId[];
}

/** Uses of a task that needs nothing. */
export const NO_USES: TaskUses = Object.freeze({ secret: [], config: [], network: [] });

/** What an assigned task needs: files until it has ended, networks until it lets go of them. */
export function usesOf(task: Task): TaskUses {
  const { state, networks, releasedAt } = task.status;
  const container = isTerminal(state) ? undefined : task.spec.template.container;
  const attached = releasedAt === undefined ? (networks ?? []) : [];
  return {
    secret: (container?.secrets ?? []).map((use) => use.secretId || use.secretName),
    config: (container?.configs ?? []).map((use) => use.configId || use.configName),
    network: attached.map((network) => network.networkId),
  };
}

/** No table routes to a task without addresses, or without a service that would be balanced. */
function isDrained(task: Task): boolean {
  if (task.status.drainedAt !== undefined || task.spec.serviceId === undefined) return true;
  return routedNetworks(task).length === 0;
}
