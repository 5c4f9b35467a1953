/**
 * The front door: which changes of users are let in.
 *
 * **Source:** SwarmKit manager/controlapi, one file per kind.
 */
import {
  Cluster,
  Config,
  Network,
  Node,
  Secret,
  Service,
  Volume,
  isDeleting,
  type Kind,
  type ObjectId,
  type StoredObject,
} from '@skep/api';
import type { Change, View } from '@skep/store';
import { judgeCluster, judgeNode, judgeNodeRemoval } from './cluster-rules.js';
import { judgeVolume, judgeVolumeRemoval } from './cluster-rules.js';
import { Objections, type AdmissionComplaint } from './complaint.js';
import { judgeConfig, judgeFileRemoval, judgeSecret } from './file-rules.js';
import { judgeName } from './name-rules.js';
import { judgeNetwork, judgeNetworkRemoval } from './network-rules.js';
import { OverlayView } from './overlay-view.js';
import { judgeService } from './service-rules.js';

/** What the front door is told beside the change. */
export interface AdmitOptions {
  /** Removes nodes that are ready. */
  readonly isForced?: boolean;
}

/** Where a change is judged: the world before and after it, and what its transaction does later. */
interface Situation {
  readonly base: View;
  readonly view: View;
  readonly later: ReadonlySet<ObjectId>;
  readonly isForced: boolean;
}

/**
 * All reasons why a change of a user is refused; none: it is let in. Pure. Kinds that are not
 * skep's are judged by their own schema alone.
 */
export function admit(
  view: View,
  change: Change,
  options: AdmitOptions = {},
): readonly AdmissionComplaint[] {
  return admitAll(view, [change], options);
}

/**
 * The same for a transaction: every change is judged in the world that all of them leave. Where two
 * of them cannot live together, the later one is refused.
 */
export function admitAll(
  view: View,
  changes: readonly Change[],
  options: AdmitOptions = {},
): readonly AdmissionComplaint[] {
  const after = new OverlayView(view, changes);
  const ids = changes.map((change) =>
    change.type === 'delete' ? change.id : change.object.meta.id,
  );
  const { isForced = false } = options;
  return changes.flatMap((change, index) => {
    const later = new Set(ids.slice(index + 1));
    return judge(change, { base: view, view: after, later, isForced });
  });
}

function judge(change: Change, situation: Situation): readonly AdmissionComplaint[] {
  if (change.type === 'delete') return judgeRemoval(change, situation);
  const { object } = change;
  const kind = KINDS.get(object.kind);
  const before = kind === undefined ? undefined : situation.base.get(kind, object.meta.id);
  const to = new Objections({ kind: object.kind, name: object.meta.name });
  if (kind !== undefined) {
    if (change.type === 'update' && !judgeUpdate(to, before)) return to.list();
    if (change.type === 'create') judgeCreation(to, kind, { object, situation });
  }
  judgeName(to, object);
  judgeObject(to, object, { ...situation, before });
  return to.list();
}

/** The kinds whose rules are known here. */
const KINDS: ReadonlyMap<string, Kind<unknown, unknown>> = new Map(
  [Cluster, Config, Network, Node, Secret, Service, Volume].map((kind) => [
    kind.name,
    // The rules look at spec and status through the kind's own type again.
    kind as unknown as Kind<unknown, unknown>,
  ]),
);

function judgeUpdate(to: Objections, before: StoredObject | undefined): boolean {
  if (before === undefined) {
    to.add('', { code: 'not-found', message: 'it does not exist', hint: 'create it first' });
    return false;
  }
  return to.require(!isDeleting(before), '', {
    code: 'failed-precondition',
    message: 'it is being removed',
    hint: 'wait until it is gone, then create it again',
  });
}

function judgeCreation(
  to: Objections,
  kind: Kind<unknown, unknown>,
  { object, situation }: { readonly object: StoredObject; readonly situation: Situation },
): void {
  const { id, name } = object.meta;
  if (!kind.hasUniqueName || name === '') return;
  const other = situation.base.getByName(kind, name);
  if (other === undefined || other.meta.id === id) return;
  const isGoing = isDeleting(other);
  const noun = kind.name.toLowerCase();
  if (!isGoing && situation.view.get(kind, other.meta.id) === undefined) return;
  to.add('meta.name', {
    code: 'already-exists',
    message: isGoing
      ? `the ${noun} '${other.meta.name}' is still being removed`
      : `there is a ${noun} '${other.meta.name}' already`,
    hint: isGoing ? 'try again when it is gone' : 'use another name, or change that one',
  });
}

function judgeObject(
  to: Objections,
  object: StoredObject,
  context: Situation & { readonly before: StoredObject | undefined },
): void {
  const { base, view, later } = context;
  switch (object.kind) {
    case 'Service': {
      const before = context.before as Service | undefined;
      return judgeService(to, object as Service, { base, view, later, before });
    }
    case 'Network': {
      const before = context.before as Network | undefined;
      return judgeNetwork(to, object as Network, { view, later, before });
    }
    case 'Secret':
      return judgeSecret(to, object as Secret, context.before as Secret | undefined);
    case 'Config':
      return judgeConfig(to, object as Config, context.before as Config | undefined);
    case 'Cluster':
      return judgeCluster(to, object as Cluster, context.before as Cluster | undefined);
    case 'Node':
      return judgeNode(to, object as Node, view, context.before as Node | undefined);
    case 'Volume':
      return judgeVolume(to, object as Volume, context.before as Volume | undefined);
    default:
      return;
  }
}

function judgeRemoval(
  change: Change & { readonly type: 'delete' },
  { base, view, isForced }: Situation,
): readonly AdmissionComplaint[] {
  const kind = KINDS.get(change.kind);
  if (kind === undefined) return [];
  const object = base.get(kind, change.id);
  const to = new Objections({ kind: change.kind, name: object?.meta.name ?? change.id });
  if (object === undefined) {
    to.add('', { code: 'not-found', message: 'it does not exist', hint: 'name one that exists' });
    return to.list();
  }
  switch (change.kind) {
    case 'Network':
      judgeNetworkRemoval(to, object as Network, view);
      break;
    case 'Secret':
    case 'Config':
      judgeFileRemoval(to, object as Secret | Config, view);
      break;
    case 'Node':
      judgeNodeRemoval(to, object as Node, isForced);
      break;
    case 'Volume':
      judgeVolumeRemoval(to, object as Volume);
      break;
    case 'Cluster':
      to.add('', {
        code: 'failed-precondition',
        message: 'the cluster cannot be removed',
        hint: 'change its settings instead',
      });
      break;
    default:
      break;
  }
  return to.list();
}
