/**
 * How many more tasks like this one fit.
 */
import { SkepError, type NodeId, type PendingReason, type Task } from '@skep/api';
import type { ClusterState } from '../cluster-state.js';
import { placeGroup, type PlacementOptions } from '../place.js';
import { groupOf } from '../task-group.js';
import { waitingTask } from './trial.js';

/** Tasks that are counted unless another bound is asked for. */
export const HEADROOM_MAX = 10_000;

/** What {@link headroom} is asked with. */
export interface HeadroomOptions extends PlacementOptions {
  /** Counting ends here. From 0. Default: {@link HEADROOM_MAX}. */
  readonly countMax?: number;
}

/** How many more fit, and where. */
export interface Headroom {
  readonly count: number;
  /** Whether counting ended at the bound: more may fit. */
  readonly isBounded: boolean;
  /** Where they would go, in the order of nodes; nodes that get none are left out. */
  readonly nodes: readonly {
    readonly nodeId: NodeId;
    readonly nodeName: string;
    readonly count: number;
  }[];
  /** Why not one more; absent when the bound was reached. */
  readonly pending?: PendingReason;
}

/** Tasks of the first group that is tried; each next one is twice as large. */
const FIRST_GROUP = 64;

/**
 * Counts how many more tasks like this one would be placed, one after the other, in the cluster as
 * it is. A task that runs already is left where it is, and counts as itself.
 * Cost: that of placing them.
 * @throws SkepError invalid-argument for a bound that is negative or no whole number.
 */
export function headroom(state: ClusterState, task: Task, options: HeadroomOptions): Headroom {
  const { countMax = HEADROOM_MAX } = options;
  if (!Number.isSafeInteger(countMax) || countMax < 0) {
    throw new SkepError('invalid-argument', `countMax ${countMax}: must be a whole number from 0`, {
      details: { countMax },
    });
  }
  return state.attempt(() => {
    const counts = new Map<NodeId, number>();
    let count = 0;
    let pending: PendingReason | undefined;
    for (let size = FIRST_GROUP; count < countMax && pending === undefined; size *= 2) {
      const [first, ...others] = copies(task, count, Math.min(size, countMax - count));
      if (first === undefined) break;
      const result = placeGroup(state, groupOf([first, ...others]), options);
      for (const { nodeId } of result.placements) counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1);
      count += result.placements.length;
      pending = result.unplaced[0]?.explanation;
    }
    const nodes = state.nodes.flatMap(({ id, name }) => {
      const here = counts.get(id);
      return here === undefined ? [] : [{ nodeId: id, nodeName: name, count: here }];
    });
    return pending === undefined
      ? { count, isBounded: true, nodes }
      : { count, isBounded: false, nodes, pending };
  });
}

/** Tasks like this one, each with an id of its own, free to go anywhere. */
function copies(task: Task, from: number, count: number): readonly Task[] {
  const { nodeId: _nodeId, ...spec } = task.spec;
  const waiting = { ...waitingTask(task), spec };
  return Array.from({ length: count }, (_, at) => ({
    ...waiting,
    meta: { ...waiting.meta, id: `${task.meta.id}+${from + at + 1}` },
  }));
}
