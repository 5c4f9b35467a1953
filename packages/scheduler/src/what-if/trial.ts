/**
 * Trying things on a cluster state: what plans have in common.
 *
 * Every plan runs inside `ClusterState.attempt`, so that the state it was given is as it was when
 * the plan is ready.
 */
import type { Task } from '@skep/api';
import type { ClusterState } from '../cluster-state.js';
import type { NodeInfo } from '../node-info.js';
import type { Placement, PlacementOptions } from '../place.js';
import { passes, prepareGroup } from '../prepared-group.js';
import type { TaskGroup } from '../task-group.js';

/** Runs `look` with these tasks taken off their nodes, as if they had ended. */
export function without<Result>(
  state: ClusterState,
  tasks: readonly Task[],
  look: () => Result,
): Result {
  if (tasks.length === 0) return look();
  return state.attempt(() => {
    for (const task of tasks) state.release(task.meta.id);
    return look();
  });
}

/** Says whether a node would take a task of the group as things are when it is asked. */
export function fitTest(
  state: ClusterState,
  group: TaskGroup,
  options: PlacementOptions,
): (node: NodeInfo) => boolean {
  const first = prepareGroup(state, group, options);
  // A key promises that the verdict follows from the node and its use alone: no need to prepare
  // the group anew when something else has changed.
  const isKeyed = first.filters.every(({ prepared }) => prepared.key !== undefined);
  if (isKeyed) return (node) => passes(first, node);
  return (node) => passes(prepareGroup(state, group, options), node);
}

/** The task as it was before it had a node: what its replacement starts as. */
export function waitingTask(task: Task): Task {
  const { networks, endpoint, timestamp, appliedAt } = task.status;
  return {
    ...task,
    status: {
      state: 'pending',
      timestamp,
      appliedAt,
      message: '',
      ...(networks === undefined ? {} : { networks }),
      ...(endpoint === undefined ? {} : { endpoint }),
    },
  };
}

/** The task on the node that it was given, with what it was given there. */
export function taskOf({ task, nodeId, ...placement }: Placement): Task {
  const { genericResources, volumes, devices, ports } = placement;
  return {
    ...task,
    status: {
      ...task.status,
      state: 'assigned',
      nodeId,
      ...(genericResources === undefined ? {} : { genericResources }),
      ...(volumes === undefined
        ? {}
        : { volumes: volumes.map(({ volumeId, target }) => ({ volumeId, target })) }),
      ...(devices === undefined ? {} : { devices }),
      ...(ports === undefined ? {} : { reservedPorts: ports }),
    },
  };
}
