/**
 * Names of the network namespaces of a cluster on one machine: `CLUSTER.underlay`, `CLUSTER.NODE`,
 * `CLUSTER.NODE.…` for what the node makes. Ids and node names have no dots, so no cluster's names
 * begin as those of another do.
 */
import { SkepError } from '@skep/api';

const CLUSTER_ID = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
const NODE_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/;
const UNDERLAY = 'underlay';

/**
 * Checks an id that names of namespaces begin with: small letters, digits, dashes inside, at most
 * 32 characters.
 * @throws invalid-argument otherwise.
 */
export function assertClusterId(clusterId: string): void {
  if (CLUSTER_ID.test(clusterId)) return;
  throw new SkepError(
    'invalid-argument',
    `cluster id ${JSON.stringify(clusterId)}: 1 to 32 small letters and digits are needed, ` +
      'with dashes only inside',
    { details: { clusterId } },
  );
}

/** The namespace that holds the underlay's bridge. */
export function underlayNamespace(clusterId: string): string {
  assertClusterId(clusterId);
  return `${clusterId}.${UNDERLAY}`;
}

/**
 * The namespace that is a node.
 * @throws invalid-argument for a name that would not be told from another's.
 */
export function nodeNamespace(clusterId: string, nodeName: string): string {
  assertClusterId(clusterId);
  if (!NODE_NAME.test(nodeName) || nodeName === UNDERLAY) {
    throw new SkepError(
      'invalid-argument',
      `node name ${JSON.stringify(nodeName)}: 1 to 63 letters and digits are needed, with ` +
        `dashes and underscores only inside, and not ${UNDERLAY}`,
      { details: { nodeName } },
    );
  }
  return `${clusterId}.${nodeName}`;
}

/** What the names of all namespaces begin with that a node makes for itself. */
export function nodePrefix(clusterId: string, nodeName: string): string {
  return `${nodeNamespace(clusterId, nodeName)}.`;
}

/** The node that a namespace of the cluster belongs to; undefined when it is none of a node's. */
export function nodeOfNamespace(clusterId: string, namespace: string): string | undefined {
  if (!namespace.startsWith(`${clusterId}.`)) return undefined;
  const [node] = namespace.slice(clusterId.length + 1).split('.');
  return node === undefined || node === UNDERLAY || !NODE_NAME.test(node) ? undefined : node;
}
