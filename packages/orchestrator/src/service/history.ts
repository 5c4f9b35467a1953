/**
 * Earlier declarations of a service: what it can be rolled back to.
 *
 * **Source:** SwarmKit keeps one previous spec (defect 12); ten revisions are ours.
 */
import { isEqual, type FieldManagers, type Service } from '@skep/api';
import type { ServiceSpec, SpecRevision } from '@skep/api';
import { managersAfterRestore } from '@skep/controller';
import { isSameEndpoint } from './dirtiness.js';
import { specTemplate } from './template.js';

/** Most revisions kept, the present one included. */
export const HISTORY_MAX = 10;

/** The history with the present spec as its newest entry. */
export function recordRevision(service: Service): readonly SpecRevision[] {
  const { status, spec, meta } = service;
  const history = status.history ?? [];
  if (history[0]?.specVersion === meta.generation) return history;
  const { managers, generation: specVersion } = meta;
  const present = { specVersion, spec, ...(managers === undefined ? {} : { managers }) };
  return [present, ...history].slice(0, HISTORY_MAX);
}

/** Whether two specs make the same tasks. */
export function makesSameTasks(a: ServiceSpec, b: ServiceSpec): boolean {
  return isEqual(specTemplate(a), specTemplate(b)) && isSameEndpoint(a.endpoint, b.endpoint);
}

/** The newest revision before the present one, as `docker service rollback` takes it. */
export function previousRevision(service: Service): SpecRevision | undefined {
  return service.status.history?.find(
    (revision) =>
      revision.specVersion < service.meta.generation && !isEqual(revision.spec, service.spec),
  );
}

/**
 * The spec that a failed update goes back to: the newest one that makes other tasks. What changed
 * together with the tasks goes back together with them, as in Swarm; a number of replicas that was
 * declared later stays. Fields that go back belong to whom they belonged then.
 */
export function rollbackTarget(
  service: Service,
): { readonly spec: ServiceSpec; readonly managers?: FieldManagers } | undefined {
  const { spec, meta } = service;
  const earlier = (service.status.history ?? []).filter(
    (revision) => revision.specVersion < meta.generation,
  );
  const at = earlier.findIndex((revision) => !makesSameTasks(revision.spec, spec));
  const target = earlier[at];
  if (target === undefined) return undefined;
  const culprit = at === 0 ? spec : (earlier[at - 1]?.spec ?? spec);
  const isKept = !isEqual(culprit.mode, spec.mode) && spec.mode !== undefined;
  const back = isKept ? { ...target.spec, mode: spec.mode } : target.spec;
  return { spec: back, ...restoredManagers(service, { ...target, spec: back }) };
}

/**
 * Owners of the fields of a service that goes back to an earlier revision; none where nobody ever
 * said who owns what.
 */
export function restoredManagers(
  { spec, meta }: Service,
  target: SpecRevision,
): { readonly managers?: FieldManagers } {
  if (meta.managers === undefined) return {};
  const now = { spec, managers: meta.managers };
  const earlier = { spec: target.spec, managers: target.managers ?? {} };
  return { managers: managersAfterRestore(now, earlier) };
}
