/**
 * Who set which field of an object, at the front door.
 *
 * **Source:** Kubernetes server-side apply for what a declaration does, and for what an edit that
 * says nothing about ownership does.
 */
import { ACTORS, isEqual, withMeta, withSpec } from '@skep/api';
import type { FieldManagers, StoredObject } from '@skep/api';
import { fieldsOf, managersAfterUpdate, mergeFields, type FieldConflict } from '@skep/controller';
import type { AdmissionComplaint } from './complaint.js';

/** Who declares, when nobody says so. */
export const DEFAULT_MANAGER = ACTORS.user;

/**
 * Owners of the fields of an object. One that was made without a word about them belongs to the
 * user as a whole.
 */
export function managersOf({ meta, spec }: StoredObject): FieldManagers {
  return meta.managers ?? allFields(spec, DEFAULT_MANAGER);
}

/** Every field of the spec belongs to the manager. */
export function allFields(spec: unknown, manager: string): FieldManagers {
  const paths = [...fieldsOf(spec).keys()].sort();
  return paths.length === 0 ? {} : { [manager]: paths };
}

/** A spec after a declaration, and who stands against it. */
export interface MergedSpec {
  /** As if it had been forced, when there are conflicts. */
  readonly spec: unknown;
  readonly managers: FieldManagers;
  readonly conflicts: readonly FieldConflict[];
}

/** What becomes of an object when a manager declares these fields of it, and no others. */
export function declaredOver(
  existing: StoredObject,
  opinion: { readonly manager: string; readonly spec: unknown; readonly force: boolean },
): MergedSpec {
  const before = { spec: existing.spec, managers: managersOf(existing) };
  const merged = mergeFields(before, opinion);
  if (merged.ok) return { ...merged, conflicts: [] };
  const forced = mergeFields(before, { ...opinion, force: true });
  return { ...before, ...forced, conflicts: merged.conflicts };
}

/** A conflict as the front door words it. */
export function conflictComplaint(
  object: { readonly kind: string; readonly name: string },
  { manager, field, value }: FieldConflict,
): AdmissionComplaint {
  return {
    code: 'conflict',
    kind: object.kind,
    name: object.name,
    field: field.startsWith('[') ? `spec${field}` : `spec.${field}`,
    message: `${manager} has set it to ${JSON.stringify(value)}`,
    hint: 'leave it out, so that it stays theirs, or force to take it over',
  };
}

/**
 * The object with a spec that somebody edited as a whole: what differs is the editor's from now on,
 * the rest stays with whom it was. An object that is the user's as a whole stays so.
 */
export function editedObject<Object extends StoredObject>(
  object: Object,
  spec: Object['spec'],
  manager: string = DEFAULT_MANAGER,
): Object {
  const next = withSpec(object, spec) as Object;
  if (object.meta.managers === undefined && manager === DEFAULT_MANAGER) return next;
  const before = { spec: object.spec, managers: managersOf(object) };
  const managers = managersAfterUpdate(before, spec, manager);
  if (isEqual(managers, object.meta.managers ?? {})) return next;
  return withMeta(next, { managers }) as Object;
}
