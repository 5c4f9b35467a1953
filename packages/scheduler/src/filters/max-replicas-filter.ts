/**
 * Nodes with fewer than the allowed number of active tasks of the service.
 *
 * **Source:** SwarmKit manager/scheduler/filter.go, MaxReplicasFilter.
 */
import type { Filter, PreparedFilter } from '../policy.js';

/** Refuses nodes that have their share. Active with a maximum above 0. */
export const maxReplicasFilter: Filter = Object.freeze({
  name: 'max-replicas',
  prepare: ({ template, serviceId }, state): PreparedFilter | undefined => {
    const most = template.placement?.maxReplicasPerNode ?? 0;
    if (most <= 0) return undefined;
    return {
      // No key: the verdict depends on the service's count, which other groups do not share.
      check: (node) => {
        const active = state.activeTasksOf(serviceId).on(node);
        if (active < most) return undefined;
        return [{ what: 'room for replicas on the node', needed: 1, available: most - active }];
      },
    };
  },
  describe: () => 'max replicas per node limit exceed',
} satisfies Filter);
