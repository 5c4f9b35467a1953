/**
 * Deletes what nobody owns any more.
 *
 * **Source:** Kubernetes pkg/controller/garbagecollector for the cases (owners that are there, that
 * are gone, that wait for their dependants) and for the way out of cycles.
 */
import { isDeleting, withMeta, type AnyKind, type StoredObject } from '@skep/api';
import type { OwnerReference } from '@skep/api';
import type { Change, Expectation, ObjectEvent, View } from '@skep/store';
import { noChanges, remove, update } from './changes.js';
import type { Plan, PlanController, Watch } from './contract.js';
import { FOREGROUND_DELETION, ORPHAN_DEPENDENTS, policyOf } from './deletion-policy.js';
import { deletionPolicy } from './deletion-policy.js';
import { Dependents, keyOf, objectKey, parseKey } from './dependents.js';

/** Name and actor of the {@link garbageCollector}. */
export const GARBAGE_COLLECTOR = 'garbage-collector';

/**
 * The controller that follows owner references (`meta.owners`) among objects of these kinds.
 *
 * - An object whose owners are all gone is deleted; while one is there it stays, and loses the
 *   references to the others.
 * - An owner being deleted in the `foreground` counts as gone for its dependants; it disappears
 *   when none is left that blocks it (`blocksOwnerDeletion`).
 * - An owner being deleted with `orphan` lets go of its dependants first. See
 *   {@link deletionPolicy}.
 *
 * References to kinds that are not in `kinds` count as owners that are there. Every decision holds
 * for exactly what it was made on: a commit expects that the owners that it takes for gone still
 * are, so one that comes back in between is a conflict, not a loss. An object that is created with
 * an owner that never was is deleted.
 *
 * The definition keeps an index: each group of controllers needs one of its own.
 *
 * Cost: memory for one entry a reference; a pass is O(owners + dependants of the object).
 */
export function garbageCollector(kinds: readonly AnyKind[]): PlanController {
  const dependents = new Dependents(kinds);
  return {
    name: GARBAGE_COLLECTOR,
    rule: 'collect-garbage',
    state: dependents,
    watches: kinds.map((kind): Watch => ({
      kind,
      keys: (event) => concerned(event, dependents),
    })),
    plan: (view, key) => {
      const object = dependents.find(view, parseKey(key));
      if (object === undefined) return noChanges;
      if (isDeleting(object)) return planDeleting(view, object, dependents);
      return planOwners(view, object, dependents);
    },
  };
}

function concerned(event: ObjectEvent, dependents: Dependents): readonly string[] {
  const { object, previous, type } = event;
  const keys = new Set<string>();
  if (type !== 'deleted') keys.add(keyOf(object));
  // Owners may wait for this object, and those that it had may not have to any more.
  for (const owner of [...object.meta.owners, ...(previous?.meta.owners ?? [])]) {
    if (dependents.covers(owner.kind)) keys.add(objectKey(owner));
  }
  // For dependants it matters when an owner goes, or begins to.
  const isGoing = isDeleting(object) && (previous === undefined || !isDeleting(previous));
  if (type === 'deleted' || isGoing) {
    for (const key of dependents.keys(identityOf(object))) keys.add(key);
  }
  return [...keys];
}

function planDeleting(view: View, object: StoredObject, dependents: Dependents): Plan {
  const policy = policyOf(object);
  if (policy === 'background') return noChanges;
  const identity = identityOf(object);
  const found = dependents.of(view, identity);
  if (policy === 'orphan') {
    // In this order: when there are too many for one commit, the owner goes after all of them.
    const orphaned = found.map((one) => update(withoutOwners(one, [identity])));
    return { changes: [...orphaned, withoutFinalizer(object, ORPHAN_DEPENDENTS)] };
  }
  const isBlocked = found.some((one) => isBlockedBy(object, one));
  return isBlocked ? noChanges : { changes: [withoutFinalizer(object, FOREGROUND_DELETION)] };
}

function planOwners(view: View, object: StoredObject, dependents: Dependents): Plan {
  const { owners } = object.meta;
  if (owners.length === 0) return noChanges;
  const present: OwnerReference[] = [];
  const gone: OwnerReference[] = [];
  const waiting: OwnerReference[] = [];
  const expect: Expectation[] = [];
  for (const owner of owners) {
    const found = dependents.find(view, owner);
    if (!dependents.covers(owner.kind) || (found !== undefined && !isWaiting(found))) {
      present.push(owner);
      continue;
    }
    if (found === undefined) gone.push(owner);
    else waiting.push(owner);
    expect.push(versionOf(owner, found));
  }
  if (gone.length + waiting.length === 0) return noChanges;
  if (present.length > 0) {
    return { changes: [update(withoutOwners(object, [...gone, ...waiting]))], expect };
  }
  if (waiting.length === 0) return { changes: [remove(object)], expect };
  return { changes: [deletionForOwner(view, object, dependents)], expect };
}

/** The next step towards deleting an object whose owner waits for that. */
function deletionForOwner(view: View, object: StoredObject, dependents: Dependents): Change {
  const blocking = dependents
    .of(view, identityOf(object))
    .filter((one) => isBlockedBy(object, one));
  if (blocking.some(isWaiting) && object.meta.owners.some((owner) => owner.blocksOwnerDeletion)) {
    // A cycle: our owner waits for us, and we would wait for someone who waits like it.
    const owners = object.meta.owners.map((owner) => ({ ...owner, blocksOwnerDeletion: false }));
    return update(withMeta(object, { owners }));
  }
  // Our own dependants first, if they ask for that. The deletion is the next pass's.
  const isForeground = blocking.length > 0 && policyOf(object) === 'background';
  return isForeground ? update(deletionPolicy(object, 'foreground')) : remove(object);
}

/** Whether the object waits for its dependants. */
function isWaiting(object: StoredObject): boolean {
  return isDeleting(object) && policyOf(object) === 'foreground';
}

/** Whether the owner has to wait for the dependent; nothing waits for itself. */
function isBlockedBy(owner: StoredObject, dependent: StoredObject): boolean {
  if (keyOf(owner) === keyOf(dependent)) return false;
  return dependent.meta.owners.some(
    ({ kind, id, blocksOwnerDeletion }) =>
      blocksOwnerDeletion === true && kind === owner.kind && id === owner.meta.id,
  );
}

function identityOf(object: StoredObject): OwnerReference {
  return { kind: object.kind, id: object.meta.id };
}

function versionOf({ kind, id }: OwnerReference, owner: StoredObject | undefined): Expectation {
  return { type: 'version', kind, id, version: owner?.meta.version ?? 0 };
}

function withoutOwners(object: StoredObject, gone: readonly OwnerReference[]): StoredObject {
  const keys = new Set(gone.map(objectKey));
  const owners = object.meta.owners.filter((owner) => !keys.has(objectKey(owner)));
  return withMeta(object, { owners });
}

function withoutFinalizer(object: StoredObject, finalizer: string): Change {
  const finalizers = object.meta.finalizers.filter((name) => name !== finalizer);
  return update(withMeta(object, { finalizers }));
}
