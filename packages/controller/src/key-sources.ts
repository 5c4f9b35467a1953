/**
 * Which keys an event is about: the `for`, `owns` and `watches` of a definition as one table.
 */
import {
  compareBy,
  compareText,
  SkepError,
  type AnyKind,
  type Kind,
  type StoredObject,
} from '@skep/api';
import type { ObjectEvent, View } from '@skep/store';
import type { ControllerDefinition } from './contract.js';

/** Takes a key and the reason why it was woken; false when the queue is full. */
export type Wake = (key: string, reason: string) => boolean;

/** One of the kinds that wake a controller. */
export interface KeySource {
  readonly kind: AnyKind;
  /** Wakes the keys that an event is about; false when one of them was refused. */
  visit(event: ObjectEvent, view: View, wake: Wake): boolean;
}

/** The sources of a definition in the order `for`, `owns`, `watches`. */
export function keySources(definition: ControllerDefinition): readonly KeySource[] {
  const sources: KeySource[] = [];
  const parent = definition.for;
  if (parent !== undefined) {
    sources.push(ownSource(parent, definition.predicate));
    for (const kind of definition.owns ?? []) sources.push(childSource(kind, parent.name));
  }
  for (const watch of definition.watches ?? []) {
    const reasons = reasonsOf(watch.kind);
    sources.push({
      kind: watch.kind,
      visit: (event, view, wake) => {
        if (watch.predicate !== undefined && !watch.predicate(event)) return true;
        let isTaken = true;
        const reason = reasons[event.type];
        const keys = watch.keys(event, view);
        if (!isListOfTexts(keys)) throw noKeys(watch.kind);
        for (const key of keys) isTaken = wake(key, reason) && isTaken;
        return isTaken;
      },
    });
  }
  return sources;
}

/** One text would be taken for a list of its letters. */
function isListOfTexts(keys: unknown): boolean {
  return Array.isArray(keys) && keys.every((key) => typeof key === 'string');
}

function noKeys({ name }: AnyKind): SkepError {
  const message = `'keys' of the watch of ${name} has to give a list of texts`;
  return new SkepError('invalid-argument', message);
}

/** All objects of a kind, oldest first, then by id. Cost: O(n log n). */
export function listInOrder(view: View, kind: AnyKind): readonly StoredObject[] {
  return [...view.list(kind as Kind)].sort(oldestFirst);
}

/** The order of {@link listInOrder}. */
export const oldestFirst: (a: StoredObject, b: StoredObject) => number = compareBy(
  (a, b) => a.meta.createdAt - b.meta.createdAt,
  (a, b) => compareText(a.meta.id, b.meta.id),
);

function ownSource(
  kind: AnyKind,
  predicate: ((event: ObjectEvent) => boolean) | undefined,
): KeySource {
  const reasons = reasonsOf(kind);
  return {
    kind,
    visit: (event, _view, wake) =>
      (predicate !== undefined && !predicate(event)) ||
      wake(event.object.meta.id, reasons[event.type]),
  };
}

function childSource(kind: AnyKind, parentKind: string): KeySource {
  const reasons = reasonsOf(kind);
  return {
    kind,
    visit: (event, _view, wake) => {
      const reason = reasons[event.type];
      const isTaken = wakeOwners(event.object, parentKind, reason, wake);
      // A child that changed hands: the old owner may have to act, too.
      const before = event.previous;
      if (before === undefined || before.meta.owners === event.object.meta.owners) return isTaken;
      return wakeOwners(before, parentKind, reason, wake) && isTaken;
    },
  };
}

function wakeOwners(child: StoredObject, parentKind: string, reason: string, wake: Wake): boolean {
  let isTaken = true;
  for (const owner of child.meta.owners) {
    if (owner.isController !== true || owner.kind !== parentKind) continue;
    isTaken = wake(owner.id, reason) && isTaken;
  }
  return isTaken;
}

/** Made once, so that a wake-up allocates nothing. */
function reasonsOf(kind: AnyKind): Readonly<Record<ObjectEvent['type'], string>> {
  return {
    created: `${kind.name} created`,
    updated: `${kind.name} updated`,
    deleted: `${kind.name} deleted`,
  };
}
