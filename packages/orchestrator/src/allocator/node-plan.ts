/**
 * The load-balancer addresses of one node: in the ingress network always, in the others from the
 * first of its tasks there to the last.
 *
 * **Source:** SwarmKit manager/allocator/network.go (allocateNodes). A failure waits for an address
 * like everything else (defect 23), and is said.
 */
import {
  compareBy,
  compareText,
  withStatus,
  type Node,
  type NetworkId,
  type NodeNetwork,
} from '@skep/api';
import { conditionOf } from '@skep/controller';
import { compareAddresses, withoutPrefix } from '@skep/network';
import { ALLOCATED, allocatedConditions, failedConditions, type Failure } from './failure.js';
import { keyOf } from './key-index.js';
import { exhausted } from './network-texts.js';
import type { AllocationPass } from './pass.js';

/** Plans one node: addresses that it lacks; when it lacks none, those that it needs no more. */
export function planNode(pass: AllocationPass, node: Node): void {
  const has = node.status.networks ?? [];
  const wanted = pass.memory.wantedNetworks(node.meta.id);
  const isThere = new Set(has.map(({ networkId }) => networkId));
  const added: NodeNetwork[] = [];
  const mark = pass.mark();
  let failure: Failure | undefined;
  for (const networkId of wanted) {
    // A network that is new in this pass has no ledger yet; its commit wakes the node.
    if (isThere.has(networkId) || pass.ledger(networkId) === undefined) continue;
    const addresses = pass.allocate(networkId);
    if (addresses === undefined) failure ??= exhausted(pass, networkId);
    for (const address of addresses ?? []) added.push({ networkId, address });
  }
  const conditions = conditionsOf(pass, node, failure);
  if (added.length > 0) write(pass, node, [...has, ...added], { mark, conditions });
  else dropUnused(pass, node, { wanted: new Set(wanted), conditions });
}

function conditionsOf(
  pass: AllocationPass,
  node: Node,
  failure: Failure | undefined,
): Node['status']['conditions'] {
  const { conditions } = node.status;
  const { generation } = node.meta;
  const { now } = pass;
  if (failure !== undefined) {
    const next = failedConditions({ conditions, failure, generation, now });
    if (next !== conditions) pass.warn(node, failure);
    return next;
  }
  // Nodes that never lacked anything need not say so.
  const before = conditionOf(conditions, ALLOCATED);
  if (before === undefined || before.status === 'true') return conditions;
  return allocatedConditions({ conditions, generation, now });
}

/** Tables of other nodes know the addresses, so they are held until that is over. */
function dropUnused(
  pass: AllocationPass,
  node: Node,
  next: {
    readonly wanted: ReadonlySet<NetworkId>;
    readonly conditions: Node['status']['conditions'];
  },
): void {
  const { wanted, conditions } = next;
  const has = node.status.networks ?? [];
  const kept = has.filter(({ networkId }) => wanted.has(networkId));
  if (kept.length === has.length && conditions === node.status.conditions) return;
  const mark = pass.mark();
  const ties: NetworkId[] = [];
  for (const { networkId, address } of has) {
    if (wanted.has(networkId)) continue;
    if (pass.giveBack(networkId, address, true)) ties.push(networkId);
  }
  write(pass, node, kept, { mark, ties, conditions });
}

function write(
  pass: AllocationPass,
  node: Node,
  networks: readonly NodeNetwork[],
  change: {
    readonly mark: number;
    readonly ties?: readonly NetworkId[];
    readonly conditions: Node['status']['conditions'];
  },
): void {
  const { mark, ties = [], conditions } = change;
  const object = withStatus(node, {
    ...node.status,
    networks: [...networks].sort(byNetwork),
    ...(conditions === undefined ? {} : { conditions }),
  });
  pass.write({ key: keyOf('Node', node.meta.id), object, mark, ties });
}

const byNetwork = compareBy<NodeNetwork>(
  (a, b) => compareText(a.networkId, b.networkId),
  (a, b) => compareAddresses(withoutPrefix(a.address), withoutPrefix(b.address)),
);
