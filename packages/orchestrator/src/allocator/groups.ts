/**
 * From what a pass decided to groups of changes, each of which may be committed or not.
 *
 * Why a crash between two groups, or a conflict in one of them, is harmless:
 * * The used addresses follow from the objects that have them, so an object and its addresses are
 *   one change.
 * * Nothing is given from a network, and no task is based on a service, that gets its addresses in
 *   the same pass: such objects wait for the next one, which that commit wakes.
 * * An object that gives an address up is in one group with the network that gets it into
 *   quarantine.
 * * Where the search goes on (`lastAddress`, `lastVxlanId`, `lastPorts`) is a hint: when it is
 *   lost, the search starts earlier and still skips what is used.
 */
import { isEqual, Task, withStatus } from '@skep/api';
import type { Cluster, NetworkId, StoredObject } from '@skep/api';
import { because, update, type PlanGroup } from '@skep/controller';
import { PORT_PROTOCOLS } from '@skep/network';
import { CHANGES_MAX } from '@skep/store';
import { keyOf, type AllocatorKey } from './key-index.js';
import { clusterOf } from './memory.js';
import type { AllocationPass } from './pass.js';

/** A change, and the key that is retried if it cannot be made. */
interface Item {
  readonly key: AllocatorKey | undefined;
  readonly object: StoredObject;
}

/** What is committed first; nodes by themselves, because others write them often. */
const RANKS: readonly (readonly string[])[] = Object.freeze([
  ['Network'],
  ['Node'],
  ['Service', 'Task'],
]);

/** The groups of a pass that is planned to its end, but not ended yet. */
export function groupsOf(pass: AllocationPass): readonly PlanGroup[] {
  const own: Item[] = [];
  const hints: Item[] = [];
  for (const [networkId, draft] of pass.drafts) {
    if (pass.tied.holds(networkId)) continue;
    const isOwn = draft.finalizers !== undefined || Object.keys(draft.status).length > 0;
    (isOwn ? own : hints).push(...networkItems(pass, networkId));
  }
  hints.push(...clusterItems(pass));
  const free: Item[] = [...own, ...pass.entries];
  const groups = RANKS.flatMap((kinds) =>
    chunks(free.filter(({ object }) => kinds.includes(object.kind))),
  );
  for (const { entries, networks } of pass.tied.groups) {
    groups.push([...entries, ...[...networks].flatMap((id) => networkItems(pass, id))]);
  }
  return withHints(groups, hints).map(toGroup);
}

function networkItems(pass: AllocationPass, networkId: NetworkId): readonly Item[] {
  const last = pass.book.ledgers.get(networkId)?.lastAddresses ?? [];
  const object = pass.drafts.get(networkId)?.result(last);
  return object === undefined ? [] : [{ key: keyOf('Network', networkId), object }];
}

/** The cluster with the numbers given last, if they moved. */
function clusterItems(pass: AllocationPass): readonly Item[] {
  const cluster = clusterOf(pass.view);
  if (cluster === undefined) return [];
  const { lastVxlanId, lastPorts } = cluster.status;
  const vxlanId = pass.book.vxlanIds.last;
  const ports = Object.fromEntries(
    PORT_PROTOCOLS.flatMap((protocol) => {
      const port = pass.book.ports[protocol].last;
      return port === undefined ? [] : [[protocol, port]];
    }),
  );
  if (vxlanId === lastVxlanId && isEqual(ports, lastPorts ?? {})) return [];
  const status: Cluster['status'] = {
    ...cluster.status,
    ...(vxlanId === undefined ? {} : { lastVxlanId: vxlanId }),
    lastPorts: ports,
  };
  return [{ key: undefined, object: withStatus(cluster, status) }];
}

/** Puts the hints into the last group that has room for them, or into groups of their own. */
function withHints(groups: readonly Item[][], hints: readonly Item[]): readonly Item[][] {
  const last = groups.at(-1);
  if (last === undefined || last.length + hints.length > CHANGES_MAX) {
    return [...groups, ...chunks(hints)];
  }
  return [...groups.slice(0, -1), [...last, ...hints]];
}

function chunks(items: readonly Item[]): Item[][] {
  const groups: Item[][] = [];
  for (let at = 0; at < items.length; at += CHANGES_MAX) {
    groups.push(items.slice(at, at + CHANGES_MAX));
  }
  return groups;
}

function toGroup(items: readonly Item[]): PlanGroup {
  return {
    keys: items.flatMap(({ key }) => key ?? []),
    changes: items.map(({ object }) =>
      isReleased(object) ? because(update(object), 'release-addresses') : update(object),
    ),
  };
}

function isReleased(object: StoredObject): boolean {
  return object.kind === Task.name && (object as Task).status.releasedAt !== undefined;
}
