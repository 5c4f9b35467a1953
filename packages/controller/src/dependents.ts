/**
 * Who depends on whom, kept beside the view.
 */
import { compareText, type AnyKind, type Kind, type ObjectId, type StoredObject } from '@skep/api';
import type { ObjectEvent, View } from '@skep/store';
import type { ControllerState } from './contract.js';
import type { ObjectKey } from './planned-change.js';

/** An object's key in a controller over several kinds: `Kind/ID`. */
export function objectKey(object: ObjectKey): string {
  return `${object.kind}/${object.id}`;
}

/** The key of a stored object. */
export function keyOf(object: StoredObject): string {
  return objectKey({ kind: object.kind, id: object.meta.id });
}

/** From every owner to those that name it in `meta.owners`, whether the owner exists or not. */
export class Dependents implements ControllerState {
  readonly #kinds = new Map<string, Kind>();
  #byOwner = new Map<string, Set<string>>();

  constructor(kinds: readonly AnyKind[]) {
    for (const kind of kinds) this.#kinds.set(kind.name, kind as Kind);
  }

  /** Cost: O(objects of the kinds). */
  rebuild(view: View): void {
    this.#byOwner = new Map();
    for (const kind of this.#kinds.values()) {
      for (const object of view.list(kind)) this.#add(object);
    }
  }

  /** Cost: O(events), and nothing for objects whose owners stay the same. */
  observe(events: readonly ObjectEvent[]): void {
    for (const { type, object, previous } of events) {
      if (!this.#kinds.has(object.kind)) continue;
      if (type === 'deleted') {
        this.#drop(object);
        if (previous !== undefined) this.#drop(previous);
      } else if (previous?.meta.owners !== object.meta.owners) {
        if (previous !== undefined) this.#drop(previous);
        this.#add(object);
      }
    }
  }

  /** Whether objects of the kind are looked at. */
  covers(kind: string): boolean {
    return this.#kinds.has(kind);
  }

  /** The object of a key or of a reference; undefined for a kind that is not covered. */
  find(view: View, { kind, id }: ObjectKey): StoredObject | undefined {
    const token = this.#kinds.get(kind);
    return token && view.get(token, id);
  }

  /** Keys of those that name the owner, in the order of the keys. */
  keys(owner: ObjectKey): readonly string[] {
    const found = this.#byOwner.get(objectKey(owner));
    return found === undefined ? [] : [...found].sort(compareText);
  }

  /** Those that name the owner, in the order of their keys. */
  of(view: View, owner: ObjectKey): readonly StoredObject[] {
    return this.keys(owner).flatMap((key) => this.find(view, parseKey(key)) ?? []);
  }

  #add(object: StoredObject): void {
    for (const owner of object.meta.owners) {
      const key = objectKey(owner);
      const found = this.#byOwner.get(key);
      if (found === undefined) this.#byOwner.set(key, new Set([keyOf(object)]));
      else found.add(keyOf(object));
    }
  }

  #drop(object: StoredObject): void {
    for (const owner of object.meta.owners) {
      const key = objectKey(owner);
      const found = this.#byOwner.get(key);
      found?.delete(keyOf(object));
      if (found?.size === 0) this.#byOwner.delete(key);
    }
  }
}

/** The parts of a `Kind/ID`; ids may have slashes, names of kinds may not. */
export function parseKey(key: string): { readonly kind: string; readonly id: ObjectId } {
  const slash = key.indexOf('/');
  return { kind: key.slice(0, slash), id: key.slice(slash + 1) };
}
