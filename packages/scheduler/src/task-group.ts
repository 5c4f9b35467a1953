/**
 * Tasks that are alike: one decision about nodes serves them all.
 *
 * **Source:** SwarmKit manager/scheduler/scheduler.go, grouping by service and spec version.
 */
import {
  compareText,
  type NetworkId,
  type ServiceId,
  type Task,
  type TaskNetwork,
  type TaskTemplate,
} from '@skep/api';
import { requirementsOf, type Requirements } from './requirements.js';

/** Tasks of one service and one spec version. */
export interface TaskGroup {
  readonly serviceId: ServiceId | undefined;
  readonly serviceName: string;
  /** Generation of the service that all of them are made from. */
  readonly specVersion: number | undefined;
  readonly template: TaskTemplate;
  readonly requirements: Requirements;
  /** Networks that the tasks are attached to. */
  readonly networks: readonly NetworkId[];
  /** At least one; placed in this order. */
  readonly tasks: readonly Task[];
}

/**
 * The order in which tasks are placed: the oldest first, then by service, slot and id.
 * Written out, as a burst is put in order by it: a list of comparisons costs three times as much.
 */
export function compareTasks(a: Task, b: Task): number {
  return (
    a.meta.createdAt - b.meta.createdAt ||
    compareText(a.spec.serviceName, b.spec.serviceName) ||
    a.spec.slot - b.spec.slot ||
    compareText(a.meta.id, b.meta.id)
  );
}

/** The group of tasks that are known to be alike. The first stands for all. */
export function groupOf(tasks: readonly [Task, ...Task[]]): TaskGroup {
  const { spec, status } = tasks[0];
  return {
    serviceId: spec.serviceId,
    serviceName: spec.serviceName,
    specVersion: spec.specVersion,
    template: spec.template,
    requirements: requirementsOf(spec),
    networks: status.networks === undefined ? NO_NETWORKS : idsOf(status.networks),
    tasks,
  };
}

const NO_NETWORKS: readonly NetworkId[] = Object.freeze([]);

/** Written out: done for every task of a service of its own. */
function idsOf(networks: readonly TaskNetwork[]): readonly NetworkId[] {
  const ids = new Array<NetworkId>(networks.length);
  for (let at = 0; at < ids.length; at += 1) ids[at] = (networks[at] as TaskNetwork).networkId;
  return ids;
}

/**
 * Groups tasks by service and spec version; a task without either is a group of its own.
 * Groups come in the order of their first tasks. Cost: O(tasks log tasks).
 */
export function groupTasks(tasks: Iterable<Task>): readonly TaskGroup[] {
  return alikeTasks(tasks).map(groupOf);
}

/** The tasks of each group of {@link groupTasks}, for who makes one group after the other. */
export function alikeTasks(tasks: Iterable<Task>): readonly (readonly [Task, ...Task[]])[] {
  const lists: [Task, ...Task[]][] = [];
  const open = new Map<ServiceId, Map<number, [Task, ...Task[]]>>();
  for (const task of [...tasks].sort(compareTasks)) {
    const { serviceId, specVersion } = task.spec;
    const list: [Task, ...Task[]] = [task];
    if (serviceId === undefined || specVersion === undefined) {
      lists.push(list);
      continue;
    }
    const versions = open.get(serviceId);
    const others = versions?.get(specVersion);
    if (others !== undefined) {
      others.push(task);
      continue;
    }
    if (versions === undefined) open.set(serviceId, new Map([[specVersion, list]]));
    else versions.set(specVersion, list);
    lists.push(list);
  }
  return lists;
}
