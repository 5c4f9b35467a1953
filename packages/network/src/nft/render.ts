/**
 * The renderer `nftables`: tables of a node as texts for `nft -f`, `ip -batch` and `bridge -batch`.
 * Virtual addresses are balanced in their network's bridge namespace, published ports in the
 * ingress sandbox, and clients keep their addresses; docs/nftables.md tells the whole.
 */
import { compareBy, compareText } from '@skep/api';
import { isIpv6 } from '../table/ip.js';
import { addressOf } from '../table/ipv4.js';
import { diffTables, isEmptyDiff, type TableDiff } from '../table/diff.js';
import type { NetworkTable, TableContent, TaskSandbox } from '../table/node-tables.js';
import type { MapChange } from '../table/sorted-map.js';
import { teardown, touchedTasks } from '../ipvs/render.js';
import { renderChangeParts, renderItems, type Item } from '../render/item.js';
import {
  TOOLS,
  bridgeNamespace,
  sandboxNamespace,
  textOf,
  type RenderedNamespace,
  type RenderedStep,
} from '../render/rendered.js';
import { hostSegmentItems, peerItems } from '../render/segment-items.js';
import { changesOf, ingressOf, isBalancerChanged, wholeChanges } from './changes.js';
import {
  ingressBalancers,
  networkSegmentItems,
  returnItems,
  taskItems,
  vipItems,
} from './items.js';
import { transactionsOf } from './transaction.js';

/**
 * Whole texts of every namespace of a node, to be applied as those of the renderer `ipvs`. The text
 * for `nft` can be applied again at will: it replaces what it made before.
 * Cost: O(n log n) in the size of the tables.
 */
export function renderNftables(tables: TableContent): readonly RenderedNamespace[] {
  const rules = new Map(
    wholeChanges(tables).map((change) => [
      change.namespace.name,
      transactionsOf(change).map(textOf).join(''),
    ]),
  );
  return renderItems(allItems(tables)).map((rendered) => ({
    namespace: rendered.namespace,
    texts: { ...rendered.texts, nft: rules.get(rendered.namespace.name) ?? '' },
  }));
}

/**
 * The same as steps, in the order in which a node that starts takes them: texts for `nft` in
 * transactions of at most {@link TRANSACTION_SERVICES_MAX} services.
 */
export function renderNftablesChunks(tables: TableContent): readonly RenderedStep[] {
  const rules = new Map(
    wholeChanges(tables).map((change) => [change.namespace.name, transactionsOf(change)]),
  );
  return renderNftables(tables).flatMap(({ namespace, texts }) =>
    TOOLS.flatMap((tool) => {
      if (tool === 'nft') return rules.get(namespace.name) ?? [];
      const lines = texts[tool].split('\n').filter((line) => line !== '');
      return lines.length === 0 ? [] : [{ namespace, tool, lines }];
    }),
  );
}

/**
 * The commands that take a node from one table to the other.
 *
 * Order: ways to new backends are laid first, then rules change, a service as a whole in one
 * transaction, then the ways to removed backends go, and with them what connection tracking
 * remembers of them. So at no moment does a rule lead to a backend that there is no way to, and
 * after the last transaction none leads to a removed one.
 * Cost: O(changes · log n); a changed set of ingress sandboxes costs each task that publishes.
 */
export function renderNftablesDiff(diff: TableDiff): readonly RenderedStep[] {
  if (isEmptyDiff(diff)) return [];
  const between = [teardown(diff), beforeReuse(diff)].filter((stop) => stop !== undefined);
  if (between.length === 0) return stepsOf(diff);
  const stops = [diff.before, ...between, diff.after];
  return stops
    .slice(1)
    .flatMap((stop, index) => stepsOf(diffTables(stops[index] ?? diff.before, stop)));
}

function stepsOf(diff: TableDiff): readonly RenderedStep[] {
  const segments = renderChangeParts(
    changedSegments(diff, 'before'),
    changedSegments(diff, 'after'),
  );
  const addresses = renderChangeParts(
    changedAddresses(diff, 'before'),
    changedAddresses(diff, 'after'),
  );
  return [
    ...segments.additions,
    ...changesOf(diff).flatMap(transactionsOf),
    ...addresses.additions,
    ...addresses.removals,
    ...forgottenConnections(diff),
    ...segments.removals,
  ];
}

/**
 * The table to go through when a new network has the VXLAN id of one that goes: without the new
 * ones. Undefined when there are none.
 */
function beforeReuse({ networks, after }: TableDiff): TableContent | undefined {
  const ids = (network: NetworkTable | undefined): readonly number[] =>
    network?.subnets.map(({ vxlanId }) => vxlanId) ?? [];
  const freed = new Set(
    networks.flatMap((change) => (change.after === undefined ? ids(change.before) : [])),
  );
  const fresh = networks.filter(
    (change) =>
      change.before === undefined && ids(change.after).some((vxlanId) => freed.has(vxlanId)),
  );
  if (fresh.length === 0) return undefined;
  let { networks: kept, tasks } = after;
  for (const { id } of fresh) kept = kept.without(id);
  for (const task of tasks.values()) {
    if (task.endpoints.some(({ networkId }) => !kept.has(networkId))) {
      tasks = tasks.without(task.taskId);
    }
  }
  return { ...after, networks: kept, tasks };
}

const byIngress = compareBy<NetworkTable>(
  (a, b) => Number(b.isIngress) - Number(a.isIngress),
  (a, b) => compareText(a.id, b.id),
);

/** One by one: there may be hundreds of thousands. */
function* allItems(tables: TableContent): Generator<Item> {
  yield* segmentItems(tables);
  yield* addressItems(tables);
}

/** Segments, peers, tasks, and the ways back to ingress sandboxes. */
function* segmentItems(tables: TableContent): Generator<Item> {
  const { host } = tables;
  const networks = [...tables.networks.values()].sort(byIngress);
  const tasks = tables.tasks.values();
  yield* hostSegmentItems(host);
  for (const network of networks) yield* networkSegmentItems(host, network);
  for (const network of networks) {
    for (const peer of network.peers.values()) yield* peerItems(host, network, peer);
  }
  for (const task of tasks) yield* taskItems(host, (id) => tables.networks.get(id), task);
  yield* wayBackItems(tables, tasks);
}

function wayBackItems(tables: TableContent, tasks: readonly TaskSandbox[]): readonly Item[] {
  const balancers = ingressBalancers(ingressOf(tables));
  return tasks.flatMap((task) =>
    balancers.flatMap((balancer) => returnItems(tables.host, task, balancer)),
  );
}

/** Virtual addresses: they lead to rules, so they come after them. */
function* addressItems(tables: TableContent): Generator<Item> {
  for (const network of tables.networks.values()) {
    for (const vip of network.vips.values()) yield* vipItems(tables.host, network, vip);
  }
}

type Side = 'before' | 'after';

function present<V>(changes: readonly MapChange<V>[], side: Side): readonly V[] {
  return changes.flatMap((change) => change[side] ?? []);
}

function changedSegments(diff: TableDiff, side: Side): readonly Item[] {
  const tables = diff[side];
  if (diff.isHostChanged) return [...segmentItems(tables)];
  const { host } = tables;
  const tasks = touchedTasks(diff, side);
  return [
    ...diff.networks.flatMap((change): readonly Item[] => {
      const network = change[side];
      if (network === undefined) return [];
      const peers = change.isHeaderChanged ? network.peers.values() : present(change.peers, side);
      return [
        ...(change.isHeaderChanged ? networkSegmentItems(host, network) : []),
        ...peers.flatMap((peer) => peerItems(host, network, peer)),
      ];
    }),
    ...tasks.flatMap((task) => taskItems(host, (id) => tables.networks.get(id), task)),
    ...wayBackItems(tables, isBalancerChanged(diff) ? tables.tasks.values() : tasks),
  ];
}

function changedAddresses(diff: TableDiff, side: Side): readonly Item[] {
  const tables = diff[side];
  if (diff.isHostChanged) return [...addressItems(tables)];
  return diff.networks.flatMap((change) => {
    const network = change[side];
    // With its network an address goes by itself.
    if (network === undefined || change.after === undefined) return [];
    const vips = change.isHeaderChanged ? network.vips.values() : present(change.vips, side);
    return vips.flatMap((vip) => vipItems(tables.host, network, vip));
  });
}

/**
 * Connections that were translated to removed backends: the next packet of each then finds another
 * one. Datagrams would otherwise follow them for as long as they come.
 */
function forgottenConnections(diff: TableDiff): readonly RenderedStep[] {
  const { host } = diff.before;
  return diff.networks.flatMap((change): readonly RenderedStep[] => {
    const { before, after } = change;
    if (before === undefined || after === undefined) return [];
    const legs = [before.gatewayLeg, before.gatewayLeg6];
    const lines = change.vips.flatMap(({ before: was, after: is }) => {
      const kept = new Set(is?.backends.map(({ address }) => address));
      return (was?.backends ?? []).flatMap(({ address }) => {
        if (kept.has(address)) return [];
        const isV6 = isIpv6(address);
        const virtual = before.isIngress
          ? legs.find((leg) => leg !== undefined && isIpv6(leg) === isV6)
          : was?.address;
        if (virtual === undefined) return [];
        const family = isV6 ? 'ipv6' : 'ipv4';
        return [`-D -f ${family} --orig-dst ${addressOf(virtual)} --reply-src ${address}`];
      });
    });
    if (lines.length === 0) return [];
    const namespace = before.isIngress
      ? sandboxNamespace(host.namespacePrefix, before)
      : bridgeNamespace(host.namespacePrefix, before.id);
    return [{ namespace, tool: 'conntrack', lines: [...new Set(lines)] }];
  });
}
