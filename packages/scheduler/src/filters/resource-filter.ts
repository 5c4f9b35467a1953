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
    return isAmounts ? new AmountsCheck(requirements) : new ItemsCheck(requirements);
  },
  describe: (nodes) => `insufficient resources on ${onNodes(nodes)}`,
} satisfies Filter);

/** What is asked for. Classes: one is made for every task. */
class RequirementsCheck {
  protected readonly requirements: Requirements;

  constructor(requirements: Requirements) {
    this.requirements = requirements;
  }

  check(node: NodeInfo): readonly Lack[] | undefined {
    return isEnough(node, this.requirements) ? undefined : lacksOf(node, this.requirements);
  }

  passes(node: NodeInfo): boolean {
    return isEnough(node, this.requirements);
  }
}

/** For tasks that also need things that are no columns. */
class ItemsCheck extends RequirementsCheck implements PreparedFilter {
  readonly key: string;

  constructor(requirements: Requirements) {
    super(requirements);
    const { cpuNanos, memoryBytes, generic, devices } = requirements;
    this.key = `${cpuNanos} ${memoryBytes}${JSON.stringify([generic, devices])}`;
  }
}

/** For tasks that need only cpu and memory. */
class AmountsCheck extends RequirementsCheck implements PreparedFilter {
  /** What is not asked for is not looked at: see below. */
  readonly #asked: { readonly cpuNanos: number; readonly memoryBytes: number };

  constructor(requirements: Requirements) {
    super(requirements);
    const { cpuNanos, memoryBytes } = requirements;
    this.#asked = {
      cpuNanos: cpuNanos > 0 ? cpuNanos : -Infinity,
      memoryBytes: memoryBytes > 0 ? memoryBytes : -Infinity,
    };
  }

  /** Made when it is asked for: most often it is not. */
  get key(): string {
    const { cpuNanos, memoryBytes } = this.requirements;
    return `${cpuNanos} ${memoryBytes}`;
  }

  checkAll(columns: NodeColumns, out: Uint8Array): void {
    const { cpuNanos, memoryBytes } = this.#asked;
    const { availableCpuNanos: cpu, availableMemoryBytes: memory } = columns;
    columns.eachShortRange(this.#asked, (from, to) => {
      for (let at = from; at < to; at += 1) {
        if ((cpu[at] as number) < cpuNanos || (memory[at] as number) < memoryBytes) out[at] = 0;
      }
    });
  }

  passesAll(columns: NodeColumns): boolean {
    return !columns.isAnyShort(this.#asked);
  }
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
