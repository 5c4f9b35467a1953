/**
 * Objects as people declare them, and how they are found again.
 */
import type { AnyKind, Kind, Labels, ObjectId, OwnerReference, StoredObject } from '@skep/api';
import { compareText } from '@skep/api';
import type { Change, View } from '@skep/store';
import type { AdmissionComplaint } from './complaint.js';

/** The label that says which stack an object belongs to. **Source:** docker/cli stack labels. */
export const STACK_LABEL = 'com.docker.stack.namespace';

/** An object that is to exist like this. */
export interface DeclaredObject {
  readonly kind: AnyKind;
  readonly name: string;
  /**
   * Which object it is, whatever others are called. For controllers, whose ids follow from their
   * cause. Default: the one with the name, else a new one.
   */
  readonly id?: ObjectId;
  /** Default: those that it has. */
  readonly owners?: readonly OwnerReference[];
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly spec: unknown;
}

/** What happens to one object. */
export interface AdmissionResult {
  readonly action: 'create' | 'update' | 'unchanged' | 'delete';
  readonly kind: string;
  readonly name: string;
  readonly id: ObjectId;
}

/** What the front door decided: changes to commit as `user`, or complaints and no changes. */
export interface AdmissionPlan {
  readonly complaints: readonly AdmissionComplaint[];
  readonly changes: readonly Change[];
  readonly results: readonly AdmissionResult[];
}

/** The finalizers that objects of a kind are created with. */
export function finalizersOf(kind: string): readonly string[] {
  if (kind === 'Service') return ['orchestrator', 'allocator'];
  return kind === 'Network' ? ['allocator'] : [];
}

/** The kind with its halves unknown, for reading a view. */
export function anyKind(kind: AnyKind): Kind<unknown, unknown> {
  // A view needs name and indexes only; index functions take back what the view holds.
  return kind as unknown as Kind<unknown, unknown>;
}

/** All objects of a kind with this name; at most one where names are unique. */
export function objectsNamed(view: View, kind: AnyKind, name: string): readonly StoredObject[] {
  const token = anyKind(kind);
  if (kind.hasUniqueName) {
    const object = view.getByName(token, name);
    return object === undefined ? [] : [object];
  }
  return view
    .list(token)
    .filter((object) => object.meta.name === name)
    .sort((a, b) => compareText(a.meta.id, b.meta.id));
}

/** The objects that a declaration may mean. */
export function objectsMeant(view: View, declared: DeclaredObject): readonly StoredObject[] {
  const { kind, id, name } = declared;
  if (id === undefined) return objectsNamed(view, kind, name);
  const object = view.get(anyKind(kind), id);
  return object === undefined ? [] : [object];
}

/** The object that people mean by a name or an id: the id first. */
export function findObject<Spec, Status>(
  view: View,
  kind: Kind<Spec, Status>,
  reference: string,
): StoredObject<Spec, Status> | AdmissionComplaint {
  const byId = view.get(kind, reference);
  if (byId !== undefined) return byId;
  const found = objectsNamed(view, kind, reference);
  const [object, another] = found;
  if (object !== undefined && another === undefined) return object as StoredObject<Spec, Status>;
  const isAmbiguous = another !== undefined;
  return {
    code: isAmbiguous ? 'invalid-argument' : 'not-found',
    kind: kind.name,
    name: reference,
    field: '',
    message: isAmbiguous ? `${found.length} objects have this name` : 'it does not exist',
    hint: isAmbiguous ? 'use the id' : 'name one that exists',
  };
}

/** Whether {@link findObject} found nothing. */
export function isComplaint(value: object): value is AdmissionComplaint {
  return 'hint' in value;
}

/** A plan that refuses. */
export function refused(...complaints: readonly AdmissionComplaint[]): AdmissionPlan {
  return { complaints, changes: [], results: [] };
}
