/**
 * Nodes with enough left of everything that the task reserves.
 *
 * **Source:** SwarmKit manager/scheduler/filter.go, ResourceFilter.
 */
import type { Filter, Lack, PreparedFilter } from '../policy.js';
import type { NodeColumns } from '../node-columns.js';
import type { NodeInfo } from '../node-info.js';
import type { Requirements } from '../requirements.js';
import { deviceLacks, hasDevices } from './device-needs.js';
import { onNodes } from './wording.js';

/** Refuses nodes that lack cpu, memory, generic resources or devices. Active with a reservation. */
export const resourceFilter: Filter = Object.freeze({
  name: 'resource',
  prepare: ({ requirements }): PreparedFilter | undefined => {
    const { cpuNanos, memoryBytes, generic, devices } = requirements;
    const isAmounts = generic.length === 0 && devices.length === 0;
    if (cpuNanos <= 0 && memoryBytes <= 0 && isAmounts) return undefined;
    const items = isAmounts ? '' : JSON.stringify([generic, devices]);
    return {
      key: `${cpuNanos} ${memoryBytes}${items}`,
      check: (node) => (isEnough(node, requirements) ? undefined : lacksOf(node, requirements)),
      passes: (node) => isEnough(node, requirements),
      // Items are no column.
      ...(!isAmounts ? {} : { checkAll: checkAmounts(cpuNanos, memoryBytes) }),
    };
  },
  describe: (nodes) => `insufficient resources on ${onNodes(nodes)}`,
} satisfies Filter);

function checkAmounts(
  cpuNanos: number,
  memoryBytes: number,
): (columns: NodeColumns, out: Uint8Array) => void {
  // What is not asked for is not looked at: see below.
  const cpuNeeded = cpuNanos > 0 ? cpuNanos : -Infinity;
  const memoryNeeded = memoryBytes > 0 ? memoryBytes : -Infinity;
  const asked = { cpuNanos: cpuNeeded, memoryBytes: memoryNeeded };
  return (columns, out) => {
    const { availableCpuNanos: cpu, availableMemoryBytes: memory } = columns;
    columns.eachShortRange(asked, (from, to) => {
      for (let at = from; at < to; at += 1) {
        if ((cpu[at] as number) < cpuNeeded || (memory[at] as number) < memoryNeeded) out[at] = 0;
      }
    });
  };
}

function isEnough(node: NodeInfo, requirements: Requirements): boolean {
  const { cpuNanos, memoryBytes, generic, devices } = requirements;
  // What is not asked for is not looked at: a node may be over capacity in it.
  if (cpuNanos > 0 && node.availableCpuNanos < cpuNanos) return false;
  if (memoryBytes > 0 && node.availableMemoryBytes < memoryBytes) return false;
  for (const { kind, count } of generic) if (node.generic.free(kind) < count) return false;
  return devices.length === 0 || hasDevices(node, devices);
}

function lacksOf(
  node: NodeInfo,
  { cpuNanos, memoryBytes, generic, devices }: Requirements,
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
  const lacks = amounts.filter(({ needed, available }) => needed > 0 && available < needed);
  return devices.length === 0 ? lacks : [...lacks, ...deviceLacks(node, devices)];
}
