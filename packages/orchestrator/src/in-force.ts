/**
 * "Has every node applied this?": the question whose answer a drain, and the release of an address,
 * wait for.
 *
 * **Source:** ours; it replaces Swarm's fixed sleep of two seconds before a stop.
 */
import { byIndex, Node, type NetworkId, type Revision } from '@skep/api';
import type { View } from '@skep/store';

/**
 * Whether every READY node that takes part in the network holds tables of at least this revision.
 * Nodes that are not READY do not count: they apply the whole table before they are READY again.
 * Cost: O(nodes in the network).
 */
export function isInForce(view: View, networkId: NetworkId, revision: Revision): boolean {
  for (const node of view.list(Node, byIndex(Node, 'network', networkId))) {
    if (node.status.state !== 'ready') continue;
    if ((node.status.tables?.appliedRevision ?? 0) < revision) return false;
  }
  return true;
}
