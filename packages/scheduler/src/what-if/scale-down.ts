/**
 * Which tasks a service should lose.
 */
import {
  SkepError,
  TASK_STATE_RANK,
  compareBy,
  compareText,
  taskName,
  type ServiceId,
  type Task,
} from '@skep/api';
import type { ClusterState } from '../cluster-state.js';
import type { NodeInfo } from '../node-info.js';
import type { PlacementOptions } from '../place.js';
import type { SpreadLevel } from '../policy.js';
import { groupOf, type TaskGroup } from '../task-group.js';
import { rankNodes } from './node-order.js';
import type { StopChange, WhatIfPlan } from './plan.js';
import { waitingTask, without } from './trial.js';

/** What {@link planScaleDown} is asked with. */
export interface ScaleDownOptions extends PlacementOptions {
  /** Tasks of the service that have no node; the state does not know them. Default: none. */
  readonly waiting?: Iterable<Task>;
}

/**
 * Chooses the tasks of a service that go when it loses `count`, one at a time, so that what is left
 * is as evenly spread as it can be:
 *
 * 1. Tasks without a node go first, then those on nodes that are not ready or are drained.
 * 2. Then a task of the branch with the most tasks of the service, level by level of the policy's
 *    spread; where branches are equal, of the one in which the levels below are fuller.
 * 3. Within it the node goes first that the policy would choose last for the task, were it to be
 *    placed again: the same ranks and scores, in reverse.
 * 4. On a node the task that has come least far, then the newest, then the highest slot and id.
 *
 * Tasks that are to end already are not counted. Cost: O(count × nodes of the service × terms).
 * @throws SkepError invalid-argument when `count` is negative or no whole number.
 */
export function planScaleDown(
  state: ClusterState,
  wish: { readonly serviceId: ServiceId; readonly count: number },
  options: ScaleDownOptions,
): WhatIfPlan {
  const { serviceId, count } = wish;
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new SkepError('invalid-argument', `count ${count}: must be a whole number from 0`, {
      details: { serviceId, count },
    });
  }
  return state.attempt(() => {
    const changes: StopChange[] = [];
    for (const task of [...(options.waiting ?? [])].sort(compareForStopping)) {
      if (changes.length >= count) break;
      if (task.spec.serviceId !== serviceId || state.placedTask(task.meta.id) !== undefined)
        continue;
      changes.push(stop(task, { reason: 'it has no node' }));
    }
    while (changes.length < count) {
      const next = nextVictim(state, serviceId, options);
      if (next === undefined) break;
      changes.push(stop(next.task, next));
      state.release(next.task.meta.id);
    }
    return { changes, pending: [] };
  });
}

/**
 * Which of several like tasks on a node goes first: the one that has come least far, then the
 * newest, then the highest slot, then the last id.
 */
export const compareForStopping = compareBy<Task>(
  (a, b) => TASK_STATE_RANK[a.status.state] - TASK_STATE_RANK[b.status.state],
  (a, b) => b.meta.createdAt - a.meta.createdAt,
  (a, b) => b.spec.slot - a.spec.slot,
  (a, b) => compareText(b.meta.id, a.meta.id),
);

interface Victim {
  readonly task: Task;
  readonly node: NodeInfo;
  readonly reason: string;
}

function stop(task: Task, why: { readonly node?: NodeInfo; readonly reason: string }): StopChange {
  return {
    type: 'stop',
    taskId: task.meta.id,
    taskName: taskName(task),
    ...(why.node === undefined ? {} : { from: why.node.id }),
    reason: why.reason,
  };
}

function nextVictim(
  state: ClusterState,
  serviceId: ServiceId,
  options: PlacementOptions,
): Victim | undefined {
  const hosts = hostsOf(state, serviceId);
  const gone = hosts.find(({ node }) => state.node(node.id) === undefined);
  if (gone !== undefined) return { ...gone, reason: `node ${gone.node.id} is gone` };
  const idle = hosts.filter(({ node }) => !isServing(node));
  if (idle.length > 0) {
    const host = lastByRank(state, idle, options);
    return { ...host, reason: `${host.node.name} is not in service` };
  }
  if (hosts.length === 0) return undefined;
  const levels = options.policy.spread?.(groupOfHosts(hosts)) ?? [];
  const fullest = fullestBranch(hosts, levels);
  const host = lastByRank(state, fullest, options);
  const branches = levels.map((level, depth) => {
    const key = pathOf(host.node, levels, depth);
    const count = sum(hosts.filter(({ node }) => pathOf(node, levels, depth) === key));
    return `${level.name}=${level.value(host.node)} has ${tasks(count)} of the service`;
  });
  const others =
    fullest.length > 1 ? `, and it would be the last choice of ${fullest.length} nodes` : '';
  const reason = [...branches, `${host.node.name} has ${tasks(host.count)} of it${others}`];
  return { ...host, reason: reason.join('; ') };
}

/** A node with active tasks of the service, and the one of them that would go first. */
interface Host {
  readonly node: NodeInfo;
  readonly task: Task;
  readonly count: number;
}

function hostsOf(state: ClusterState, serviceId: ServiceId): readonly Host[] {
  const hosts: Host[] = [];
  const nodes = [...state.activeTasksOf(serviceId).nodes()];
  nodes.sort((a, b) => a.ordinal - b.ordinal || compareText(a.id, b.id));
  for (const node of nodes) {
    const there = state
      .tasksOn(node.id)
      .filter((placed) => placed.isActive && placed.serviceId === serviceId)
      .map(({ task }) => task)
      .sort(compareForStopping);
    const [task] = there;
    if (task !== undefined) hosts.push({ node, task, count: there.length });
  }
  return hosts;
}

/** Whether the node is in contact and not to be emptied. */
export function isServing({ node }: NodeInfo): boolean {
  return node.status.state === 'ready' && node.spec.availability !== 'drain';
}

/**
 * The hosts in the branch with the most tasks, level by level. Of equal branches those stay in
 * which
 * the next level has the fullest one; what is equal at every level stays together.
 */
function fullestBranch(hosts: readonly Host[], levels: readonly SpreadLevel[]): readonly Host[] {
  let fullest = hosts;
  for (let depth = 0; depth < levels.length; depth += 1) {
    const counts = new Map<string, number>();
    for (const { node, count } of hosts) {
      const key = pathOf(node, levels, depth);
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
    const countOf = ({ node }: Host): number => counts.get(pathOf(node, levels, depth)) ?? 0;
    const most = Math.max(...fullest.map(countOf));
    fullest = fullest.filter((host) => countOf(host) === most);
  }
  return fullest;
}

/** The branch of a node down to a level, as a key. */
function pathOf(node: NodeInfo, levels: readonly SpreadLevel[], depth: number): string {
  return JSON.stringify(levels.slice(0, depth + 1).map((level) => level.value(node)));
}

/** The host that the policy would choose last, if each of them had the task less that may go. */
function lastByRank(state: ClusterState, hosts: readonly Host[], options: PlacementOptions): Host {
  const only = hosts[0] as Host;
  if (hosts.length === 1) return only;
  const released = hosts.map(({ task }) => task);
  const nodes = hosts.map(({ node }) => node);
  const last = without(state, released, () =>
    rankNodes(state, { group: groupOfHosts(hosts), nodes }, options).at(-1),
  );
  return hosts.find(({ node }) => node.id === last?.id) ?? only;
}

/** The tasks as one group, by the newest version of the service's spec. */
function groupOfHosts(hosts: readonly Host[]): TaskGroup {
  const newest = hosts.reduce((best, host) =>
    (host.task.spec.specVersion ?? 0) > (best.task.spec.specVersion ?? 0) ? host : best,
  );
  return groupOf([waitingTask(newest.task)]);
}

function sum(hosts: readonly Host[]): number {
  return hosts.reduce((total, { count }) => total + count, 0);
}

function tasks(count: number): string {
  return count === 1 ? '1 task' : `${count} tasks`;
}
