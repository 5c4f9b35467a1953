/**
 * Applying a spec of which one manager cares about some fields only.
 */
import { deriveId, isEqual, newObject, SkepError, withMeta, withSpec } from '@skep/api';
import type { FieldManagers, Kind, ObjectId, StoredObject } from '@skep/api';
import type { Change, View } from '@skep/store';
import { create, update } from './changes.js';
import { mergeFields, type FieldConflict } from './field-managers.js';

/** Part of a spec; lists are given whole. */
export type PartialSpec<Spec> = Spec extends readonly unknown[]
  ? Spec
  : Spec extends object
    ? { readonly [Field in keyof Spec]?: PartialSpec<Spec[Field]> }
    : Spec;

/** What a manager wants. */
export interface ApplyRequest<Spec> {
  readonly name: string;
  /**
   * Id of the object. Needed for kinds without unique names; otherwise the object is found by its
   * name. Default for a new object: derived from kind, name and the view's revision, so that one
   * that is made again later is another.
   */
  readonly id?: ObjectId;
  /** Who cares: `stack`, `autoscaler`. */
  readonly manager: string;
  /** All fields that the manager cares about; what it leaves out, it gives up. */
  readonly spec: PartialSpec<Spec>;
  /** Takes fields over from other managers. Default: false. */
  readonly force?: boolean;
}

/** The change to commit, or who stands against it. */
export type ApplyResult<Spec, Status> =
  | {
      readonly ok: true;
      /** Absent when there is nothing to write. */
      readonly change?: Change;
      /** The object as it is afterwards, before the store stamps it. */
      readonly object: StoredObject<Spec, Status>;
    }
  | {
      readonly ok: false;
      /** Each field that another manager has set to something else, by manager and field. */
      readonly conflicts: readonly FieldConflict[];
      /** All of that for people. */
      readonly message: string;
    };

/**
 * Plans what makes a manager's fields so, and says who owns them (`meta.managers`). Pure; the
 * change carries the version that it was made from.
 *
 * Applying the same twice changes nothing. Managers of different fields do not disturb each other,
 * in whichever order they come. A field that another manager has set to another value is a
 * conflict, unless `force` takes it over. A field that the manager owned alone and leaves out is
 * removed. The kind's defaults are filled in last and belong to nobody; the spec is not validated.
 *
 * @throws invalid-argument without a manager, or without an id for a kind whose names are not
 * unique.
 */
export function applySpec<Spec, Status>(
  view: View,
  kind: Kind<Spec, Status>,
  request: ApplyRequest<Spec>,
): ApplyResult<Spec, Status> {
  const { name, manager, force } = request;
  if (manager === '') throw new SkepError('invalid-argument', 'a field manager needs a name');
  const current = find(view, kind, request);
  const before = { spec: current?.spec ?? {}, managers: current?.meta.managers ?? {} };
  const merged = mergeFields(before, { manager, spec: request.spec, force });
  if (!merged.ok) {
    const { conflicts } = merged;
    return { ok: false, conflicts, message: conflictMessage(kind.name, name, conflicts) };
  }
  const { managers } = merged;
  const spec = merged.spec as Spec;
  if (current === undefined) {
    const id = request.id ?? deriveId('applied', kind.name, name, view.revision);
    const object = newObject(kind, { id, name, spec, managers });
    return { ok: true, change: create(object), object };
  }
  const full = kind.defaults === undefined ? spec : kind.defaults(spec);
  const isSpecSame = isEqual(full, current.spec);
  if (isSpecSame && isEqual(managers, current.meta.managers ?? NOBODY)) {
    return { ok: true, object: current };
  }
  const object = withMeta(isSpecSame ? current : withSpec(current, full), { managers });
  return { ok: true, change: update(object), object };
}

const NOBODY: FieldManagers = Object.freeze({});

function find<Spec, Status>(
  view: View,
  kind: Kind<Spec, Status>,
  { id, name }: ApplyRequest<Spec>,
): StoredObject<Spec, Status> | undefined {
  return id === undefined ? view.getByName(kind, name) : view.get(kind, id);
}

function conflictMessage(kind: string, name: string, conflicts: readonly FieldConflict[]): string {
  const fields = conflicts.map(
    ({ manager, field, value }) => `${field} (${JSON.stringify(value)}, set by ${manager})`,
  );
  return `${kind} '${name}' has fields of other managers: ${fields.join(', ')}`;
}
