/**
 * Programs that own some fields of an object, such as an autoscaler the number of replicas.
 *
 * **Source:** Kubernetes server-side apply, "Using Server-Side Apply in a controller": controllers
 * apply what they care about, with force.
 */
import { isEqual, withMeta, withSpec } from '@skep/api';
import type { Kind, ObjectId, StoredObject } from '@skep/api';
import { mergeFields, returnFields, type ManagedSpec, type PartialSpec } from '@skep/controller';
import type { View } from '@skep/store';
import { commitUpdate, unchanged } from './actions.js';
import { withHistory } from './apply.js';
import { findObject, isComplaint, refused, type AdmissionPlan } from './declared-objects.js';
import { conflictComplaint, managersOf } from './managed-spec.js';

/** What a manager wants of an object that is there. */
export interface FieldsRequest<Spec> {
  /** Name or id. */
  readonly reference: string | ObjectId;
  /** Who cares: `autoscaler`. Not `user`: people edit. */
  readonly manager: string;
  /** All fields that the manager cares about; what it leaves out, it gives up. */
  readonly spec: PartialSpec<Spec>;
  /** Takes fields over from other managers. Default: false. */
  readonly force?: boolean;
}

/**
 * The change that makes a manager's fields of an object so, and says that they are its own; nothing
 * when they are. A field that the manager owned alone and leaves out is removed. A field that
 * another manager has set to something else is a complaint (`conflict`), unless `force`. Pure.
 */
export function planFields<Spec, Status>(
  view: View,
  kind: Kind<Spec, Status>,
  { reference, manager, spec, force = false }: FieldsRequest<Spec>,
): AdmissionPlan {
  const object = findObject(view, kind, reference);
  if (isComplaint(object)) return refused(object);
  const merged = mergeFields(managedSpec(object), { manager, spec, force });
  if (!merged.ok) {
    const { name } = object.meta;
    return refused(
      ...merged.conflicts.map((conflict) => conflictComplaint({ kind: kind.name, name }, conflict)),
    );
  }
  const next = merged.spec as Spec;
  const full = kind.defaults === undefined ? next : kind.defaults(next);
  return planManaged(view, object, { spec: full, managers: merged.managers });
}

/**
 * The change that gives back what a manager took over: all its fields become what they were
 * `earlier` and belong to whom they belonged then, but for those in `keep`, which stay as they are
 * and its own. Pure.
 */
export function planReturnFields<Spec, Status>(
  view: View,
  kind: Kind<Spec, Status>,
  request: {
    readonly reference: string | ObjectId;
    readonly manager: string;
    readonly earlier: ManagedSpec;
    readonly keep?: readonly string[];
  },
): AdmissionPlan {
  const object = findObject(view, kind, request.reference);
  if (isComplaint(object)) return refused(object);
  const { spec, managers } = returnFields(managedSpec(object), request);
  return planManaged(view, object, { spec: spec as Spec, managers });
}

/**
 * The change after which a manager owns nothing of an object. The fields stay as they are; those
 * that it owned alone are nobody's, so that whoever declares them next meets no conflict. Pure.
 */
export function planReleaseFields<Spec, Status>(
  view: View,
  kind: Kind<Spec, Status>,
  { reference, manager }: { readonly reference: string | ObjectId; readonly manager: string },
): AdmissionPlan {
  const object = findObject(view, kind, reference);
  if (isComplaint(object)) return refused(object);
  const { [manager]: _, ...managers } = managersOf(object);
  return planManaged(view, object, { spec: object.spec, managers });
}

/** A spec with its owners, for {@link planReturnFields}. An object without owners is the user's. */
export function managedSpec(object: StoredObject): ManagedSpec {
  return { spec: object.spec, managers: managersOf(object) };
}

/**
 * The change that gives an object this spec and these owners, if the front door lets it in; nothing
 * when it has them. For controllers that make both with `mergeFields` and `returnFields` of
 * `@skep/controller`. Pure.
 */
export function planManaged<Spec, Status>(
  view: View,
  object: StoredObject<Spec, Status>,
  { spec, managers }: { readonly spec: Spec; readonly managers: ManagedSpec['managers'] },
): AdmissionPlan {
  const isSame = isEqual(spec, object.spec);
  if (isSame && isEqual(managers, managersOf(object))) return unchanged(object);
  const next = withMeta(isSame ? object : withSpec(object, spec), { managers });
  return commitUpdate(view, withHistory(object, next));
}
