/**
 * The renderer `ipvs`: tables of a node as the texts that Docker Swarm would have programmed.
 */
import { compareBy, compareText, isEqual } from '@skep/api';
import { compareAddresses } from '../table/ip.js';
import { omit } from '../table/omit.js';
import { diffTables, headerOf, isEmptyDiff, type TableDiff } from '../table/diff.js';
import { hasSandboxAddress } from '../table/network-table.js';
import type { NetworkTable, TableContent, TaskSandbox } from '../table/node-tables.js';
import { SortedMap, type MapChange } from '../table/sorted-map.js';
import { renderChanges, renderItems, type Item } from '../render/item.js';
import type { RenderedNamespace, RenderedStep } from '../render/rendered.js';
import {
  hostSegmentItems,
  networkItems,
  peerItems,
  taskSegmentItems,
} from '../render/segment-items.js';
import { sandboxRuleItems, vipItems } from './balancer-items.js';
import { hostPortItems, hostRuleItems, ingressPortItems } from './host-items.js';
import { taskRuleItems } from './task-items.js';

/**
 * Whole texts of every namespace of a node. To be applied in the order given, the texts of each in
 * the order of `TOOLS`. The text for the host is meant for a host without these rules: it adds its
 * jumps to the built-in chains; the others can be applied again at will.
 * Cost: O(n log n) in the size of the tables.
 */
export function renderNode(tables: TableContent): readonly RenderedNamespace[] {
  return renderItems(allItems(tables));
}

/**
 * The commands that take a node from one table to the other.
 *
 * Order: first what leads to removed backends is taken away, then the rest of what goes, then what
 * comes, backends before addresses and rules that lead to them. So after the first commands no
 * prefix of the rest leads to a removed backend, and no prefix ever leads to one that neither
 * table has behind that address.
 * Cost: O(changes · log n). A network whose ranges change, or a changed gateway bridge, is taken
 * down and built again.
 */
export function renderDiff(diff: TableDiff): readonly RenderedStep[] {
  if (isEmptyDiff(diff)) return [];
  const middle = teardown(diff);
  if (middle === undefined) return renderChanges(...changedItems(diff));
  return [
    ...renderChanges(...changedItems(diffTables(diff.before, middle))),
    ...renderChanges(...changedItems(diffTables(middle, diff.after))),
  ];
}

function* allItems(tables: TableContent): Generator<Item> {
  const { host } = tables;
  const networks = tables.networks
    .values()
    .slice()
    .sort(
      compareBy(
        (a, b) => Number(b.isIngress) - Number(a.isIngress),
        (a, b) => compareText(a.id, b.id),
      ),
    );
  yield* hostSegmentItems(host);
  yield* hostRuleItems(host);
  for (const network of networks) yield* networkItems(host, network);
  const ports = [...host.ingressPorts.values()].sort(
    compareBy(
      (a, b) => a.mark - b.mark,
      (a, b) => compareText(a.protocol, b.protocol),
      (a, b) => a.publishedPort - b.publishedPort,
    ),
  );
  for (const port of ports) {
    yield* ingressPortItems(host, tables.networks.get(port.networkId), port);
  }
  for (const network of networks) {
    yield* sandboxRuleItems(host, network);
    for (const peer of network.peers.values()) yield* peerItems(host, network, peer);
    const vips = [...network.vips.values()].sort((a, b) => a.mark - b.mark);
    for (const vip of vips) yield* vipItems(host, network, vip);
  }
  const tasks = [...tables.tasks.values()].sort(
    compareBy(
      (a, b) => compareAddresses(a.gateway?.address ?? '', b.gateway?.address ?? ''),
      (a, b) => compareText(a.taskId, b.taskId),
    ),
  );
  for (const task of tasks) yield* taskItems(tables, task);
}

function push(items: Item[], more: readonly Item[]): void {
  for (const item of more) items.push(item);
}

function taskItems(tables: TableContent, task: TaskSandbox): readonly Item[] {
  const { host, networks } = tables;
  return [
    ...taskSegmentItems(host, (id) => networks.get(id), task),
    ...taskRuleItems(host, task),
    ...hostPortItems(host, task),
  ];
}

/** Items of everything that the difference names, as they were and as they are to be. */
function changedItems(diff: TableDiff): readonly [readonly Item[], readonly Item[]] {
  if (diff.isHostChanged) return [[...allItems(diff.before)], [...allItems(diff.after)]];
  return [sideItems(diff, 'before'), sideItems(diff, 'after')];
}

function sideItems(diff: TableDiff, side: 'before' | 'after'): readonly Item[] {
  const tables = diff[side];
  const { host } = tables;
  const items: Item[] = [];
  const present = <V>(changes: readonly MapChange<V>[]): readonly V[] =>
    changes.flatMap((change) => change[side] ?? []);
  for (const change of diff.networks) {
    const network = change[side];
    if (network === undefined) continue;
    if (change.isHeaderChanged) {
      push(items, networkItems(host, network));
      push(items, sandboxRuleItems(host, network));
    }
    const vips = change.isHeaderChanged ? network.vips.values() : present(change.vips);
    const peers = change.isHeaderChanged ? network.peers.values() : present(change.peers);
    for (const peer of peers) push(items, peerItems(host, network, peer));
    for (const vip of [...vips].sort((a, b) => a.mark - b.mark)) {
      push(items, vipItems(host, network, vip));
    }
  }
  const isIngressChanged = diff.networks.some(
    (change) => change.isHeaderChanged && (change.before ?? change.after)?.isIngress === true,
  );
  const ports = isIngressChanged ? host.ingressPorts.values() : present(diff.ingressPorts);
  for (const port of ports) {
    push(items, ingressPortItems(host, tables.networks.get(port.networkId), port));
  }
  for (const task of touchedTasks(diff, side)) push(items, taskItems(tables, task));
  return items;
}

/** Tasks that changed, and those on networks that did. */
export function touchedTasks(diff: TableDiff, side: 'before' | 'after'): readonly TaskSandbox[] {
  const networks = new Set(
    diff.networks.filter(({ isHeaderChanged }) => isHeaderChanged).map(({ id }) => id),
  );
  const ids = new Set(diff.tasks.map(({ key }) => key));
  if (networks.size > 0) {
    for (const tables of [diff.before, diff.after]) {
      for (const [id, task] of tables.tasks.entries()) {
        if (task.endpoints.some(({ networkId }) => networks.has(networkId))) ids.add(id);
      }
    }
  }
  return [...ids].sort(compareText).flatMap((id) => diff[side].tasks.get(id) ?? []);
}

/**
 * The table to go through when something that others stand on changes: without the networks, tasks
 * and sandboxes concerned. Undefined when nothing of the kind happens.
 */
export function teardown(diff: TableDiff): TableContent | undefined {
  if (diff.isHostChanged) {
    return {
      ...diff.after,
      host: { ...diff.after.host, ingressPorts: SortedMap.empty() },
      networks: SortedMap.empty(),
      tasks: SortedMap.empty(),
    };
  }
  let { networks, tasks } = diff.before;
  const gone = new Set<string>();
  for (const { id, before, after, isHeaderChanged } of diff.networks) {
    if (!isHeaderChanged || before === undefined || after === undefined) continue;
    if (!isSameSegment(before, after)) {
      networks = networks.without(id);
      gone.add(id);
    } else if (hasSandboxAddress(before)) {
      networks = networks.with(id, withoutSandbox(before));
    }
  }
  for (const { key, before, after } of diff.tasks) {
    // A namespace whose links change is made again.
    if (before !== undefined && after !== undefined && !hasSameLinks(before, after)) {
      tasks = tasks.without(key);
    }
  }
  if (gone.size > 0) {
    for (const [id, task] of tasks.entries()) {
      if (task.endpoints.some(({ networkId }) => gone.has(networkId))) tasks = tasks.without(id);
    }
  }
  const isSame = networks === diff.before.networks && tasks === diff.before.tasks;
  return isSame ? undefined : { ...diff.before, networks, tasks };
}

function withoutSandbox(network: NetworkTable): NetworkTable {
  return omit(network, 'loadBalancerAddress', 'loadBalancerAddress6', 'gatewayLeg', 'gatewayLeg6');
}

function isSameSegment(before: NetworkTable, after: NetworkTable): boolean {
  const segment = (network: NetworkTable): unknown =>
    omit(headerOf(withoutSandbox(network)), 'sysctls');
  return isEqual(segment(before), segment(after));
}

function hasSameLinks(before: TaskSandbox, after: TaskSandbox): boolean {
  return isEqual([before.endpoints, before.gateway], [after.endpoints, after.gateway]);
}
