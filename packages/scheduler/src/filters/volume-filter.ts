/**
 * Nodes that can be given a volume for every cluster mount of the task.
 *
 * **Source:** SwarmKit manager/scheduler/filter.go, VolumesFilter; all mounts, not any (defect 15).
 */
import type { Filter, PreparedFilter } from '../policy.js';
import { onNodes } from './wording.js';

/** Refuses nodes where a mount would have no volume. Active with mounts of type `cluster`. */
export const volumeFilter: Filter = Object.freeze({
  name: 'volume',
  prepare: ({ requirements: { clusterMounts } }, state): PreparedFilter | undefined => {
    if (clusterMounts.length === 0) return undefined;
    return {
      // No key: a volume that is taken on one node may be gone for all.
      check: (node) => {
        const choice = state.volumes.choose(clusterMounts, node);
        if (choice.ok) return undefined;
        return choice.missing.map((mount) => ({
          what: `volume ${mount.source ?? ''} at ${mount.target}`,
          needed: mount.isReadOnly ? 'readable' : 'writable',
          available: 'none',
        }));
      },
    };
  },
  describe: (nodes) => `cannot fulfill requested CSI volume mounts on ${onNodes(nodes)}`,
} satisfies Filter);
