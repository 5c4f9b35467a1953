/**
 * What the dispatcher learned about a node, on its way into the store.
 */
import {
  isEqual,
  type Node,
  type NodeDescription,
  type NodeState,
  type NodeStatus,
  type Revision,
  type Timestamp,
} from '@skep/api';

/** Facts to be written; absent ones stay as they are. */
export interface NodePatch {
  readonly state?: NodeState;
  readonly message?: string;
  readonly address?: string;
  readonly description?: NodeDescription;
  /** Only ever raises the watermark that is there. */
  readonly appliedRevision?: Revision;
  /** `null`: the node is in contact. */
  readonly downSince?: Timestamp | null;
}

/** The patch that does what both do, in this order. */
export function mergePatches(older: NodePatch, newer: NodePatch): NodePatch {
  const appliedRevision = Math.max(older.appliedRevision ?? 0, newer.appliedRevision ?? 0);
  return { ...older, ...newer, ...(appliedRevision > 0 ? { appliedRevision } : {}) };
}

/** The status after the patch, undefined when nothing differs. */
export function patchedStatus(node: Node, patch: NodePatch): NodeStatus | undefined {
  const { downSince: _, ...before } = node.status;
  const { appliedRevision, downSince, ...facts } = patch;
  const since = downSince === undefined ? node.status.downSince : (downSince ?? undefined);
  const isNewer = (appliedRevision ?? 0) > (before.tables?.appliedRevision ?? 0);
  const next: NodeStatus = {
    ...before,
    ...facts,
    ...(isNewer && appliedRevision !== undefined ? { tables: { appliedRevision } } : {}),
    ...(since === undefined ? {} : { downSince: since }),
    ...(facts.description !== undefined && isEqual(facts.description, before.description)
      ? { description: before.description ?? facts.description }
      : {}),
  };
  return isEqual(next, node.status) ? undefined : next;
}
