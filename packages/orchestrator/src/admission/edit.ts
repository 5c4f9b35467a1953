/**
 * Changing an object as people edit it: look at it, write it anew.
 *
 * **Source:** SwarmKit manager/controlapi (UpdateService, UpdateNode, …), which take the whole spec
 * with its annotations; Kubernetes for what an edit does to the owners of fields.
 */
import { Service, isEqual, withMeta } from '@skep/api';
import type { Kind, Labels, ServiceSpec, StoredObject } from '@skep/api';
import type { View } from '@skep/store';
import { commitUpdate, unchanged } from './actions.js';
import { withHistory } from './apply.js';
import { findObject, isComplaint, refused, type AdmissionPlan } from './declared-objects.js';
import { checkForm } from './form.js';
import { editedObject } from './managed-spec.js';
import { resolveFiles } from './references.js';

/** What an edit makes of an object; what is left out stays as it is. */
export interface ObjectEdit<Spec> {
  readonly spec?: Spec;
  readonly labels?: Labels;
}

/**
 * The change that makes an object be as `edit` says, as the user: what differs is the user's from
 * then on, the rest stays with whom it was. A kind with a schema is judged by it, so an edit may
 * come from outside. References of services to secrets and configs are resolved by name. Pure.
 */
export function planEdit<Spec, Status>(
  view: View,
  kind: Kind<Spec, Status>,
  reference: string,
  edit: (object: StoredObject<Spec, Status>) => ObjectEdit<NoInfer<Spec>>,
): AdmissionPlan {
  const object = findObject(view, kind, reference);
  if (isComplaint(object)) return refused(object);
  const { spec = object.spec, labels = object.meta.labels } = edit(object);
  const formed = isEqual(spec, object.spec) ? { spec: object.spec } : checkForm(kind, spec);
  if ('faults' in formed) {
    const of = { kind: kind.name, name: object.meta.name };
    return refused(
      ...formed.faults.map(({ code = 'invalid-argument', ...fault }) => ({
        code,
        ...of,
        ...fault,
      })),
    );
  }
  const wanted = kind.name === Service.name ? resolved(formed.spec, view) : formed.spec;
  const isSpecSame = isEqual(wanted, object.spec);
  const isLabelled = !isEqual(labels, object.meta.labels);
  if (isSpecSame && !isLabelled) return unchanged(object);
  const edited = isSpecSame ? object : editedObject(object, wanted as Spec);
  return commitUpdate(
    view,
    withHistory(object, isLabelled ? withMeta(edited, { labels }) : edited),
  );
}

function resolved(spec: unknown, view: View): ServiceSpec {
  return resolveFiles(spec as ServiceSpec, { view, made: [] });
}
