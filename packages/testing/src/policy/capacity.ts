/**
 * Whether the nodes can hold what was placed on them: counted anew from the objects, without the
 * scheduler's own books.
 */
import {
  DEVICE_CAPACITY_MILLI,
  type DeviceShare,
  type GenericResource,
  type Node,
  type Task,
} from '@skep/api';
import { requirementsOf } from '@skep/scheduler';
import { renderBytes, shortNumber } from './build/amount.js';
import { nameOf } from './build/service.js';
import { assigned, type PlacementResult } from './placement-result.js';

/**
 * Everything that is held more often than it is there, a text each; empty when all fits. Nodes
 * that got no new task are not looked at. Cost: O(nodes + tasks).
 */
export function capacityFaults(result: PlacementResult): readonly string[] {
  const { cluster, placements } = result;
  const byNode = new Map<string, Task[]>();
  for (const placement of placements) {
    const list = byNode.get(placement.nodeId);
    if (list === undefined) byNode.set(placement.nodeId, [assigned(placement)]);
    else list.push(assigned(placement));
  }
  const nodes = new Map(cluster.nodes.map((node) => [node.meta.id, node]));
  return [...byNode].flatMap(([nodeId, placed]) => {
    const node = nodes.get(nodeId);
    if (node === undefined) return [`${names(placed)} went to ${nodeId}, which is not there`];
    const running = cluster.running.filter(({ status }) => status.nodeId === nodeId);
    return nodeFaults(node, { placed, all: [...running, ...placed] });
  });
}

interface Load {
  /** The new tasks: what none of them asks for does not count. */
  readonly placed: readonly Task[];
  readonly all: readonly Task[];
}

function nodeFaults(node: Node, load: Load): readonly string[] {
  return [
    ...amountFaults(node, load),
    ...genericFaults(node, load),
    ...deviceFaults(node, load),
    ...portFaults(node, load),
    ...replicaFaults(node, load),
  ];
}

const needs = (task: Task) => requirementsOf(task.spec);

function amountFaults(node: Node, { placed, all }: Load): readonly string[] {
  const resources = node.status.description?.resources;
  const faults: string[] = [];
  const cpu = sum(all, (task) => needs(task).cpuNanos);
  const cores = resources?.cpuNanos ?? 0;
  if (cpu > cores && placed.some((task) => needs(task).cpuNanos > 0)) {
    faults.push(
      `${node.meta.name} has ${shortNumber(cores / 1e9)} cpus, and ${names(all)} reserve ` +
        shortNumber(cpu / 1e9),
    );
  }
  const memory = sum(all, (task) => needs(task).memoryBytes);
  const bytes = resources?.memoryBytes ?? 0;
  if (memory > bytes && placed.some((task) => needs(task).memoryBytes > 0)) {
    faults.push(
      `${node.meta.name} has ${renderBytes(bytes)} of memory, and ${names(all)} reserve ` +
        renderBytes(memory),
    );
  }
  return faults;
}

function genericFaults(node: Node, { placed, all }: Load): readonly string[] {
  const declared = node.status.description?.resources.generic ?? [];
  const kinds = new Set(placed.flatMap((task) => needs(task).generic.map(({ kind }) => kind)));
  return [...kinds].flatMap((kind) => {
    const capacity = sum(declared.filter(ofKind(kind)), countOf);
    const held = all.flatMap((task) => (task.status.genericResources ?? []).filter(ofKind(kind)));
    const asked = sum(placed, (task) => sum(needs(task).generic.filter(ofKind(kind)), countOf));
    const given = sum(
      placed.flatMap(({ status }) => (status.genericResources ?? []).filter(ofKind(kind))),
      countOf,
    );
    const faults: string[] = [];
    if (given !== asked)
      faults.push(`${names(placed)} asked for ${asked} ${kind} and got ${given}`);
    if (sum(held, countOf) > capacity) {
      faults.push(`${node.meta.name} has ${capacity} ${kind}, and gave ${sum(held, countOf)}`);
    }
    return [...faults, ...namedFaults(node, { kind, declared, held })];
  });
}

function namedFaults(
  { meta }: Node,
  items: {
    readonly kind: string;
    readonly declared: readonly GenericResource[];
    readonly held: readonly GenericResource[];
  },
): readonly string[] {
  const idsOf = (list: readonly GenericResource[]) =>
    list.filter(ofKind(items.kind)).flatMap((item) => ('ids' in item ? item.ids : []));
  const known = new Set(idsOf(items.declared));
  const seen = new Set<string>();
  return idsOf(items.held).flatMap((id) => {
    if (!known.has(id)) return [`${meta.name} has no ${items.kind} ${id}, and gave it`];
    if (seen.has(id)) return [`${meta.name} gave its ${items.kind} ${id} twice`];
    seen.add(id);
    return [];
  });
}

function deviceFaults(node: Node, { placed, all }: Load): readonly string[] {
  const requested = placed.flatMap((task) => needs(task).devices.map(({ kind }) => kind));
  const kinds = new Set(requested);
  const declared = node.status.description?.resources.devices ?? [];
  return [
    ...placed.flatMap((task) => requestFaults(node, task)),
    ...[...kinds].flatMap((kind) => {
      const devices = declared.filter(ofKind(kind));
      const held = new Map<number, number>();
      for (const share of all.flatMap(({ status }) => status.devices ?? []).filter(ofKind(kind))) {
        held.set(share.index, (held.get(share.index) ?? 0) + share.milli);
      }
      return [...held].flatMap(([index, milli]) => {
        const device = devices[index];
        const capacity = device?.capacityMilli ?? DEVICE_CAPACITY_MILLI;
        if (device === undefined) return [`${node.meta.name} has no ${kind} ${index}, and gave it`];
        if (milli <= capacity) return [];
        return [
          `${node.meta.name} gave ${milli} of the ${capacity} thousandths of ${kind} ${index}`,
        ];
      });
    }),
  ];
}

/** Whether a task was given the devices that it asked for: so many, so much of each, its models. */
function requestFaults(node: Node, task: Task): readonly string[] {
  const declared = node.status.description?.resources.devices ?? [];
  return needs(task).devices.flatMap(({ kind, count, milli, models = [] }) => {
    const devices = declared.filter(ofKind(kind));
    const shares = (task.status.devices ?? []).filter(ofKind(kind));
    const isRight = ({ index, milli: given }: DeviceShare): boolean => {
      const { capacityMilli = DEVICE_CAPACITY_MILLI, model = '' } = devices[index] ?? {};
      return given === (milli ?? capacityMilli) && (models.length === 0 || models.includes(model));
    };
    const isWhole = new Set(shares.map(({ index }) => index)).size === count;
    if (isWhole && shares.length === count && shares.every(isRight)) return [];
    const given = shares.map(({ index, milli: share }) => `${share} of ${kind} ${index}`);
    const of = models.length === 0 ? '' : ` ${models.join('|')}`;
    return [
      `${nameOf(task)} asked for ${count} ${kind}${of} (${milli ?? 'whole'}) and got ` +
        (given.join(', ') || 'none'),
    ];
  });
}

function portFaults(node: Node, { placed, all }: Load): readonly string[] {
  const holders = new Map<string, Task[]>();
  for (const task of all) {
    for (const port of needs(task).hostPorts) {
      holders.set(port, [...(holders.get(port) ?? []), task]);
    }
  }
  return [...holders].flatMap(([port, tasks]) =>
    tasks.length > 1 && tasks.some((task) => placed.includes(task))
      ? [`the port ${port} of ${node.meta.name} is taken by ${names(tasks)}`]
      : [],
  );
}

function replicaFaults(node: Node, { placed, all }: Load): readonly string[] {
  const services = new Set(placed.map(({ spec }) => spec.serviceId));
  return [...services].flatMap((serviceId) => {
    if (serviceId === undefined) return [];
    const own = all.filter(({ spec }) => spec.serviceId === serviceId);
    const limits = placed
      .filter(({ spec }) => spec.serviceId === serviceId)
      .map(({ spec }) => spec.template.placement?.maxReplicasPerNode ?? 0)
      .filter((limit) => limit > 0);
    const most = Math.min(...limits);
    if (own.length <= most) return [];
    return [`${node.meta.name} has ${own.length} tasks of ${serviceId}, which allows ${most}`];
  });
}

function ofKind(kind: string): (one: { readonly kind: string }) => boolean {
  return (one) => one.kind === kind;
}

function countOf(item: GenericResource): number {
  return 'ids' in item ? item.ids.length : item.count;
}

function sum<T>(items: readonly T[], amount: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += amount(item);
  return total;
}

function names(tasks: readonly Task[]): string {
  return tasks.map(nameOf).join(', ');
}
