/**
 * Nodes with enough left of everything that the task reserves.
 *
 * **Source:** SwarmKit manager/scheduler/filter.go, ResourceFilter.
 */
import type { Filter, Lack, PreparedFilter } from '../policy.js';
import type { NodeInfo } from '../node-info.js';
import type { Requirements } from '../requirements.js';
import { onNodes } from './wording.js';

/** Refuses nodes that lack cpu, memory or generic resources. Active with a reservation. */
export const resourceFilter: Filter = Object.freeze({
  name: 'resource',
  prepare: ({ requirements }): PreparedFilter | undefined => {
    const { cpuNanos, memoryBytes, generic } = requirements;
    if (cpuNanos <= 0 && memoryBytes <= 0 && generic.length === 0) return undefined;
    return {
      key: `${cpuNanos} ${memoryBytes}${generic.length === 0 ? '' : JSON.stringify(generic)}`,
      check: (node) => (isEnough(node, requirements) ? undefined : lacksOf(node, requirements)),
    };
  },
  describe: (nodes) => `insufficient resources on ${onNodes(nodes)}`,
} satisfies Filter);

function isEnough(node: NodeInfo, { cpuNanos, memoryBytes, generic }: Requirements): boolean {
  // What is not asked for is not looked at: a node may be over capacity in it.
  if (cpuNanos > 0 && node.availableCpuNanos < cpuNanos) return false;
  if (memoryBytes > 0 && node.availableMemoryBytes < memoryBytes) return false;
  for (const { kind, count } of generic) if (node.generic.free(kind) < count) return false;
  return true;
}

function lacksOf(
  node: NodeInfo,
  { cpuNanos, memoryBytes, generic }: Requirements,
): readonly Lack[] {
  const amounts = [
    { what: 'cpuNanos', needed: cpuNanos, available: node.availableCpuNanos },
    { what: 'memoryBytes', needed: memoryBytes, available: node.availableMemoryBytes },
    ...generic.map(({ kind, count }) => ({
      what: `generic ${kind}`,
      needed: count,
      available: node.generic.free(kind),
    })),
  ];
  return amounts.filter(({ needed, available }) => needed > 0 && available < needed);
}
