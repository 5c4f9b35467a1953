/**
 * Objects that can be read more than once.
 */
import type { Node, Task } from '@skep/api';
import type { ClusterObjects } from '../cluster-state.js';

/** {@link ClusterObjects} as lists. */
export interface ObjectLists extends ClusterObjects {
  readonly nodes: readonly Node[];
  readonly tasks: readonly Task[];
}

/** Reads every iterable once. Cost: O(objects). */
export function listsOf(objects: ClusterObjects): ObjectLists {
  return {
    ...objects,
    nodes: [...(objects.nodes ?? [])],
    tasks: [...(objects.tasks ?? [])],
  };
}
