/**
 * The world as a transaction would leave it: rules that look at other objects look at this.
 */
import {
  withMeta,
  type IndexSelector,
  type Kind,
  type ObjectId,
  type Revision,
  type StoredObject,
} from '@skep/api';
import type { Change, View } from '@skep/store';

/** A view with changes laid over it. Cost: that of the view, and O(changes of the kind). */
export class OverlayView implements View {
  readonly revision: Revision;
  readonly #base: View;
  /** By kind and id; undefined: deleted. */
  readonly #changed = new Map<string, Map<ObjectId, StoredObject | undefined>>();

  constructor(base: View, changes: readonly Change[]) {
    this.#base = base;
    this.revision = base.revision;
    for (const change of changes) {
      if (change.type === 'delete') this.#put(change.kind, change.id, undefined);
      else this.#put(change.object.kind, change.object.meta.id, change.object);
    }
  }

  get<Spec, Status>(
    kind: Kind<Spec, Status>,
    id: ObjectId,
  ): StoredObject<Spec, Status> | undefined {
    const table = this.#changed.get(kind.name);
    if (table === undefined || !table.has(id)) return this.#base.get(kind, id);
    const object = table.get(id);
    if (object !== undefined) return object as StoredObject<Spec, Status>;
    // Deleting an object with finalizers only marks it.
    const old = this.#base.get(kind, id);
    if (old === undefined || old.meta.finalizers.length === 0) return undefined;
    return withMeta(old, { deletionRequestedAt: old.meta.deletionRequestedAt ?? 0 });
  }

  getByName<Spec, Status>(
    kind: Kind<Spec, Status>,
    name: string,
  ): StoredObject<Spec, Status> | undefined {
    const table = this.#changed.get(kind.name);
    const old = this.#base.getByName(kind, name);
    if (table === undefined) return old;
    for (const object of table.values()) {
      if (object?.meta.name.toLowerCase() !== name.toLowerCase()) continue;
      return object as StoredObject<Spec, Status>;
    }
    if (old === undefined || !table.has(old.meta.id)) return old;
    const now = this.get(kind, old.meta.id);
    return now?.meta.name.toLowerCase() === name.toLowerCase() ? now : undefined;
  }

  list<Spec, Status>(
    kind: Kind<Spec, Status>,
    selector?: IndexSelector<Spec, Status>,
  ): readonly StoredObject<Spec, Status>[] {
    const table = this.#changed.get(kind.name);
    const base = this.#base.list(kind, selector);
    if (table === undefined) return base;
    const list = base.filter((object) => !table.has(object.meta.id));
    for (const id of table.keys()) {
      const object = this.get(kind, id);
      if (object !== undefined && isChosen(kind, object, selector)) list.push(object);
    }
    return list;
  }

  count<Spec, Status>(kind: Kind<Spec, Status>, selector?: IndexSelector<Spec, Status>): number {
    return this.list(kind, selector).length;
  }

  #put(kind: string, id: ObjectId, object: StoredObject | undefined): void {
    let table = this.#changed.get(kind);
    if (table === undefined) this.#changed.set(kind, (table = new Map()));
    table.set(id, object);
  }
}

function isChosen<Spec, Status>(
  kind: Kind<Spec, Status>,
  object: StoredObject<Spec, Status>,
  selector: IndexSelector<Spec, Status> | undefined,
): boolean {
  if (selector === undefined) return true;
  const keys = kind.indexes[selector.index]?.(object);
  return typeof keys === 'string' ? keys === selector.key : (keys ?? []).includes(selector.key);
}
