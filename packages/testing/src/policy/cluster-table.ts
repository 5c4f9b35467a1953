/**
 * A cluster as a small table: what each node has, what is in use, and which tasks are on it.
 */
import type { NodeInfo } from '@skep/scheduler';
import { renderBytes, shortNumber } from './build/amount.js';
import { nameOf } from './build/service.js';
import type { PlacedParts } from './placed-cluster.js';
import { textTable, type Column } from './text-table.js';

/** Rows of the table; more nodes are only counted. */
const NODES_MAX = 24;
/** Names of tasks in a row, and of tasks that wait; more are only counted. */
const NAMES_MAX = 12;

interface NodeColumn extends Column {
  readonly cell: (node: NodeInfo) => string;
}

/**
 * The cluster after the placement. New tasks have a plus before their names. Columns in which no
 * node has anything are left out.
 */
export function renderCluster(result: PlacedParts): string {
  const nodes = result.state.nodes;
  const shown = nodes.slice(0, NODES_MAX);
  const columns = columnsOf(result).filter(
    ({ cell, head }) => head === '' || shown.some((node) => cell(node) !== ''),
  );
  const rows = shown.map((node) => columns.map(({ cell }) => cell(node)));
  const table = nodes.length === 0 ? 'no nodes' : textTable(columns, rows);
  const more = nodes.length - shown.length;
  return [table, ...(more > 0 ? [`and ${more} more nodes`] : []), ...waitingLines(result)].join(
    '\n',
  );
}

function columnsOf(result: PlacedParts): readonly NodeColumn[] {
  const names = taskNames(result);
  return [
    { head: 'node', cell: ({ name }) => name },
    { head: 'state', cell: stateOfNode },
    { head: 'labels', cell: ({ facts }) => pairs(facts.labels) },
    { head: 'cpus', isNumber: true, cell: cpus },
    { head: 'memory', isNumber: true, cell: memory },
    ...genericKinds(result).map((kind) => ({
      head: kind,
      isNumber: true,
      cell: ({ generic }: NodeInfo) => used(generic.capacity(kind), generic.free(kind)),
    })),
    ...deviceColumns(result),
    { head: 'tasks', cell: ({ id }) => listed(names.get(id) ?? []) },
  ];
}

function stateOfNode({ node }: NodeInfo): string {
  const { state } = node.status;
  const { availability } = node.spec;
  return [state, availability].filter((word) => word !== 'ready' && word !== 'active').join(' ');
}

function pairs(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}

function cpus(node: NodeInfo): string {
  const total = node.availableCpuNanos + node.usedCpuNanos;
  return `${shortNumber(node.usedCpuNanos / 1e9)}/${shortNumber(total / 1e9)}`;
}

function memory(node: NodeInfo): string {
  const total = node.availableMemoryBytes + node.usedMemoryBytes;
  return `${renderBytes(node.usedMemoryBytes)} / ${renderBytes(total)}`;
}

function used(capacity: number, free: number): string {
  return capacity === 0 && free === 0 ? '' : `${capacity - free}/${capacity}`;
}

function genericKinds({ cluster }: PlacedParts): readonly string[] {
  const kinds = cluster.nodes.flatMap(
    ({ status }) => status.description?.resources.generic?.map(({ kind }) => kind) ?? [],
  );
  return [...new Set(kinds)].sort();
}

/** A column for each kind of device: what is free of each, in thousandths, by index. */
function deviceColumns({ cluster }: PlacedParts): readonly NodeColumn[] {
  const kinds = cluster.nodes.flatMap(
    ({ status }) => status.description?.resources.devices?.map(({ kind }) => kind) ?? [],
  );
  return [...new Set(kinds)].sort().map((kind) => ({
    head: `free ${kind}`,
    cell: (node: NodeInfo) => freeDevices(node, kind),
  }));
}

function freeDevices(node: NodeInfo, kind: string): string {
  return (node.devices.of(kind)?.freeMilli ?? []).join(' ');
}

/** By node: the tasks that ran before, then the new ones, as `web.1 +web.2`. */
function taskNames({ cluster, decisions }: PlacedParts): ReadonlyMap<string, string[]> {
  const names = new Map<string, string[]>();
  const add = (nodeId: string, name: string): void => {
    const list = names.get(nodeId);
    if (list === undefined) names.set(nodeId, [name]);
    else list.push(name);
  };
  for (const task of cluster.running) add(task.status.nodeId ?? '', nameOf(task));
  for (const { task, placement } of decisions) {
    if (placement !== undefined) add(placement.nodeId, `+${nameOf(task)}`);
  }
  return names;
}

function listed(names: readonly string[]): string {
  if (names.length <= NAMES_MAX) return names.join(' ');
  return `${names.slice(0, NAMES_MAX).join(' ')} … (${names.length})`;
}

function waitingLines({ decisions }: PlacedParts): readonly string[] {
  const byReason = new Map<string, string[]>();
  for (const { task, unplaced } of decisions) {
    if (unplaced === undefined) continue;
    const { message } = unplaced.explanation;
    const names = byReason.get(message);
    if (names === undefined) byReason.set(message, [nameOf(task)]);
    else names.push(nameOf(task));
  }
  return [...byReason].map(([reason, names]) => `waiting: ${listed(names)}: ${reason}`);
}
