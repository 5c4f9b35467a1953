/**
 * The difference of two tables.
 */
import { isEqual, type Revision } from '@skep/api';
import type {
  HostTable,
  IngressPort,
  NetworkHeader,
  NetworkTable,
  TableContent,
  TablePeer,
  TaskSandbox,
  VipTable,
} from './node-tables.js';
import { omit } from './omit.js';
import { SortedMap, type MapChange } from './sorted-map.js';

/** What happened to a network. `before` absent: it is new; `after` absent: it is gone. */
export interface NetworkDiff {
  readonly id: string;
  readonly before?: NetworkTable;
  readonly after?: NetworkTable;
  /** The network itself came, went or changed, and not only what is in it. */
  readonly isHeaderChanged: boolean;
  readonly vips: readonly MapChange<VipTable>[];
  readonly peers: readonly MapChange<TablePeer>[];
}

/** What has to be done to one table to get the other. */
export interface TableDiff {
  readonly fromRevision: Revision;
  readonly toRevision: Revision;
  readonly before: TableContent;
  readonly after: TableContent;
  /** The host's own settings changed, and not only its ports. */
  readonly isHostChanged: boolean;
  readonly ingressPorts: readonly MapChange<IngressPort>[];
  /** By network id. */
  readonly networks: readonly NetworkDiff[];
  readonly tasks: readonly MapChange<TaskSandbox>[];
}

/** The difference. Cost: O(changes · log n) when `after` was made from `before` by updates. */
export function diffTables(before: TableContent, after: TableContent): TableDiff {
  return {
    fromRevision: before.revision,
    toRevision: after.revision,
    before,
    after,
    isHostChanged: !isEqual(hostOf(before.host), hostOf(after.host)),
    ingressPorts: before.host.ingressPorts.changesTo(after.host.ingressPorts),
    networks: before.networks.changesTo(after.networks).map(diffNetwork),
    tasks: before.tasks.changesTo(after.tasks),
  };
}

/** Whether the kernel has nothing to do. */
export function isEmptyDiff(diff: TableDiff): boolean {
  return (
    !diff.isHostChanged &&
    diff.ingressPorts.length === 0 &&
    diff.networks.length === 0 &&
    diff.tasks.length === 0
  );
}

/**
 * The tables with a difference made: `applyTableDiff(a, diffTables(a, b))` equals `b`.
 * Only the entries that the difference lists are taken from it.
 */
export function applyTableDiff(tables: TableContent, diff: TableDiff): TableContent {
  let { networks } = tables;
  for (const change of diff.networks)
    networks = networks.put(change.id, applyNetwork(networks, change));
  const { revision, nodeId, nodeName, host } = diff.after;
  return {
    revision,
    nodeId,
    nodeName,
    host: { ...hostOf(host), ingressPorts: tables.host.ingressPorts.apply(diff.ingressPorts) },
    networks,
    tasks: tables.tasks.apply(diff.tasks),
  };
}

function hostOf(host: HostTable): Omit<HostTable, 'ingressPorts'> {
  return omit(host, 'ingressPorts');
}

/** A network without what is in it. */
export function headerOf(network: NetworkTable): NetworkHeader {
  return omit(network, 'vips', 'peers');
}

function diffNetwork({ key, before, after }: MapChange<NetworkTable>): NetworkDiff {
  return {
    id: key,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    isHeaderChanged:
      before === undefined || after === undefined || !isEqual(headerOf(before), headerOf(after)),
    vips: (before?.vips ?? SortedMap.empty<VipTable>()).changesTo(
      after?.vips ?? SortedMap.empty<VipTable>(),
    ),
    peers: (before?.peers ?? SortedMap.empty<TablePeer>()).changesTo(
      after?.peers ?? SortedMap.empty<TablePeer>(),
    ),
  };
}

function applyNetwork(
  networks: SortedMap<NetworkTable>,
  diff: NetworkDiff,
): NetworkTable | undefined {
  if (diff.after === undefined) return undefined;
  const present = networks.get(diff.id);
  return {
    ...headerOf(diff.after),
    vips: (present?.vips ?? SortedMap.empty<VipTable>()).apply(diff.vips),
    peers: (present?.peers ?? SortedMap.empty<TablePeer>()).apply(diff.peers),
  };
}
