/**
 * What people do to one service or node without writing it anew.
 *
 * **Source:** docker/cli `service scale`, `service update --force`, `service rollback`,
 * `node update --availability`; SwarmKit manager/controlapi/service.go for the rollback.
 */
import {
  Node,
  Service,
  isEqual,
  isJob,
  serviceMode,
  withMeta,
  withSpec,
  withStatus,
  type NodeAvailability,
  type ServiceSpec,
  type StoredObject,
  type Timestamp,
} from '@skep/api';
import type { Change, View } from '@skep/store';
import { previousRevision, restoredManagers } from '../service/history.js';
import { rollbackStatus } from '../service/update-failures.js';
import { admitAll } from './admit.js';
import { withHistory } from './apply.js';
import type { AdmissionComplaint } from './complaint.js';
import { findObject, isComplaint, refused, type AdmissionPlan } from './declared-objects.js';
import { editedObject } from './managed-spec.js';
import { resolveFiles } from './references.js';

/**
 * Sets the number of replicas, or of completions of a replicated job, as the user: the number is
 * the user's from then on. For a program that owns it, see {@link planFields}.
 */
export function planScale(view: View, reference: string, count: number): AdmissionPlan {
  return changeService(view, reference, (service) => {
    const mode = serviceMode(service.spec);
    if (mode.type === 'replicated') {
      return { ...service.spec, mode: { ...mode, replicas: count } };
    }
    if (mode.type === 'replicated-job') {
      return { ...service.spec, mode: { ...mode, totalCompletions: count } };
    }
    return objection(service, {
      field: 'spec.mode',
      message: `a ${mode.type} service has as many tasks as there are nodes`,
      hint: 'scale replicated services; constrain global ones',
    });
  });
}

/**
 * Declares a service anew, as the user: what `change` makes of its spec. What differs is the user's
 * from then on; what other managers own and `change` leaves alone stays theirs.
 */
export function planUpdate(
  view: View,
  reference: string,
  change: (spec: ServiceSpec) => ServiceSpec,
): AdmissionPlan {
  return changeService(view, reference, ({ spec }) =>
    resolveFiles(change(spec), { view, made: [] }),
  );
}

/** Holds updates of a service, the one that is under way included, or lets them go. */
export function planHold(view: View, reference: string, isHeld: boolean): AdmissionPlan {
  return changeService(view, reference, ({ spec }) => {
    const { isHeld: _, ...config } = spec.update ?? {};
    if (isHeld) return { ...spec, update: { ...config, isHeld } };
    const { update: __, ...rest } = spec;
    return Object.keys(config).length === 0 ? rest : { ...rest, update: config };
  });
}

/** Replaces all tasks though nothing changes. */
export function planForceUpdate(view: View, reference: string): AdmissionPlan {
  return changeService(view, reference, ({ spec }) => {
    const forceUpdate = (spec.task.forceUpdate ?? 0) + 1;
    return { ...spec, task: { ...spec.task, forceUpdate } };
  });
}

/**
 * Goes back to an earlier declaration: to the one before, so that doing it twice comes back, or to
 * a given generation that is still known. Its rollback settings apply.
 */
export function planRollback(
  view: View,
  reference: string,
  options: { readonly now: Timestamp; readonly toSpecVersion?: number },
): AdmissionPlan {
  const service = findObject(view, Service, reference);
  if (isComplaint(service)) return refused(service);
  const { toSpecVersion, now } = options;
  const target =
    toSpecVersion === undefined
      ? previousRevision(service)
      : service.status.history?.find((revision) => revision.specVersion === toSpecVersion);
  if (target === undefined || isEqual(target.spec, service.spec)) {
    const known = (service.status.history ?? []).map((revision) => revision.specVersion);
    const message = 'there is no other declaration to go back to';
    const hint = `known generations: ${known.join(', ') || 'none'}`;
    return refused(objection(service, { field: 'status.history', message, hint }));
  }
  const restored = withMeta(withSpec(service, target.spec), restoredManagers(service, target));
  const next = withHistory(service, restored) as Service;
  const specVersion = service.meta.generation + 1;
  const message = 'manually requested rollback';
  const update = rollbackStatus({ specVersion, now, message });
  const isUpdated = !isJob(serviceMode(target.spec));
  return commitUpdate(view, isUpdated ? withStatus(next, { ...next.status, update }) : next);
}

/** Sets whether a node takes tasks, keeps those it has, or loses them. */
export function planAvailability(
  view: View,
  reference: string,
  availability: NodeAvailability,
): AdmissionPlan {
  const node = findObject(view, Node, reference);
  if (isComplaint(node)) return refused(node);
  if (node.spec.availability === availability) return unchanged(node);
  return commitUpdate(view, editedObject(node, { ...node.spec, availability }));
}

function changeService(
  view: View,
  reference: string,
  change: (service: Service) => ServiceSpec | AdmissionComplaint,
): AdmissionPlan {
  const service = findObject(view, Service, reference);
  if (isComplaint(service)) return refused(service);
  const spec = change(service);
  if (isComplaint(spec)) return refused(spec);
  if (isEqual(spec, service.spec)) return unchanged(service);
  return commitUpdate(view, withHistory(service, editedObject(service, spec)));
}

/** The plan that writes an object again, if the front door lets it in. */
export function commitUpdate(view: View, object: StoredObject): AdmissionPlan {
  const change: Change = { type: 'update', object };
  const complaints = admitAll(view, [change]);
  if (complaints.length > 0) return refused(...complaints);
  const { kind, meta } = object;
  const results = [{ action: 'update' as const, kind, name: meta.name, id: meta.id }];
  return { complaints, changes: [change], results };
}

/** The plan that has nothing to do. */
export function unchanged({ kind, meta }: StoredObject): AdmissionPlan {
  const results = [{ action: 'unchanged' as const, kind, name: meta.name, id: meta.id }];
  return { complaints: [], changes: [], results };
}

function objection(
  service: Service,
  words: { readonly field: string; readonly message: string; readonly hint: string },
): AdmissionComplaint {
  return {
    code: 'failed-precondition',
    kind: Service.name,
    name: service.meta.name,
    ...words,
  };
}
