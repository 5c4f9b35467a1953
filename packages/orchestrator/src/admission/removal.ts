/**
 * Removing objects: by name, or a whole stack.
 *
 * **Source:** docker/cli cli/command/stack/swarm/remove.go; SwarmKit manager/controlapi/node.go.
 */
import {
  Config,
  Network,
  Node,
  Secret,
  Service,
  Task,
  Volume,
  byNode,
  compareBy,
  compareText,
  isTerminal,
  withStatus,
  type AnyKind,
  type StoredObject,
  type Timestamp,
} from '@skep/api';
import type { Change, View } from '@skep/store';
import { admitAll } from './admit.js';
import type { AdmissionComplaint } from './complaint.js';
import {
  STACK_LABEL,
  anyKind,
  findObject,
  isComplaint,
  refused,
  type AdmissionPlan,
} from './declared-objects.js';

/** What is to be removed: objects by name or id, or everything that carries a stack's label. */
export type RemovalTarget =
  { readonly kind: AnyKind; readonly reference: string } | { readonly stack: string };

/** Users go before what they use. */
const ORDER: readonly AnyKind[] = [Service, Secret, Config, Volume, Network];

/**
 * The changes that remove the targets, all or none. What their finalizers hold lives on until it is
 * free; a network that only services of the same removal use may be removed with them.
 */
export function planRemove(view: View, targets: readonly RemovalTarget[]): AdmissionPlan {
  const unknown: AdmissionComplaint[] = [];
  const doomed = new Map<string, StoredObject>();
  for (const target of targets) {
    for (const found of resolve(view, target)) {
      if (isComplaint(found)) unknown.push(found);
      else doomed.set(`${found.kind}/${found.meta.id}`, found);
    }
  }
  if (unknown.length > 0) return refused(...unknown);
  const objects = [...doomed.values()].sort(compareDoomed);
  const changes = objects.map(({ kind, meta }): Change => {
    return { type: 'delete', kind, id: meta.id, version: meta.version };
  });
  const complaints = admitAll(view, changes);
  if (complaints.length > 0) return refused(...complaints);
  const results = objects.map(({ kind, meta }) => {
    return { action: 'delete' as const, kind, name: meta.name, id: meta.id };
  });
  return { complaints, changes, results };
}

/**
 * The changes that remove a node: its record goes, and its tasks become orphans in the same
 * transaction, since nobody will ever hear of them.
 */
export function planRemoveNode(
  view: View,
  reference: string,
  options: { readonly now: Timestamp; readonly isForced?: boolean },
): AdmissionPlan {
  const node = findObject(view, Node, reference);
  if (isComplaint(node)) return refused(node);
  const { id, name, version } = node.meta;
  const removal: Change = { type: 'delete', kind: Node.name, id, version };
  const complaints = admitAll(view, [removal], { isForced: options.isForced ?? false });
  if (complaints.length > 0) return refused(...complaints);
  const tasks = view
    .list(Task, byNode(id))
    .filter((task) => task.status.nodeId === id && !isTerminal(task.status.state))
    .sort(compareBy((a, b) => compareText(a.meta.id, b.meta.id)));
  const { now } = options;
  const orphans = tasks.map((task): Change => {
    const words = { message: 'the node was removed', timestamp: now, appliedAt: now };
    return {
      type: 'update',
      object: withStatus(task, { ...task.status, state: 'orphaned', ...words }),
    };
  });
  return {
    complaints,
    // The node first: should the tasks not fit into one commit, the orchestrator orphans the rest.
    changes: [removal, ...orphans],
    results: [{ action: 'delete', kind: Node.name, name, id }],
  };
}

const compareDoomed = compareBy<StoredObject>(
  (a, b) => rankOf(a) - rankOf(b),
  (a, b) => compareText(a.kind, b.kind),
  (a, b) => compareText(a.meta.name, b.meta.name),
  (a, b) => compareText(a.meta.id, b.meta.id),
);

function rankOf({ kind }: StoredObject): number {
  const at = ORDER.findIndex((entry) => entry.name === kind);
  return at < 0 ? ORDER.length : at;
}

function resolve(
  view: View,
  target: RemovalTarget,
): readonly (StoredObject | AdmissionComplaint)[] {
  if ('kind' in target) return [findObject(view, anyKind(target.kind), target.reference)];
  const members = ORDER.flatMap((kind) =>
    view.list(anyKind(kind)).filter((object) => object.meta.labels[STACK_LABEL] === target.stack),
  );
  if (members.length > 0) return members;
  return [
    {
      code: 'not-found',
      kind: 'Stack',
      name: target.stack,
      field: '',
      message: 'nothing carries the label of this stack',
      hint: 'name a stack that was deployed',
    },
  ];
}
