/**
 * Words for writers of plans.
 */
import type { Condition, StoredObject, Timestamp } from '@skep/api';
import type { Change } from '@skep/store';
import type { Plan } from './contract.js';
import type { ChangeCause, PlannedChange } from './planned-change.js';

const NOTHING: readonly Change[] = Object.freeze([]);

/** The plan that leaves everything as it is. */
export const noChanges: Plan = Object.freeze({ changes: NOTHING });

/**
 * Creates an object. Its id should follow from its cause (`deriveId`): a second try conflicts.
 */
export function create(object: StoredObject): Change {
  return { type: 'create', object };
}

/**
 * Writes the next state of an object; its `meta.version` says which state it was made from.
 */
export function update(object: StoredObject): Change {
  return { type: 'update', object };
}

/** Deletes this version of an object, or marks it as deleting while it has finalizers. */
export function remove(object: StoredObject): Change {
  const { id, version } = object.meta;
  return { type: 'delete', kind: object.kind, id, version };
}

/** Deletes an object whatever its version is by then. */
export function removeAnyVersion(object: StoredObject): Change {
  return { type: 'delete', kind: object.kind, id: object.meta.id };
}

/**
 * A change with the reason for it, which the reconcile trace shows:
 * `because(update(task), 'scale-up')`.
 * `cause`: the object that it follows from; default: the newest event that woke the key.
 */
export function because(change: Change, rule: string, cause?: ChangeCause): PlannedChange {
  return cause === undefined ? { ...change, rule } : { ...change, rule, cause };
}

/** The condition of a type, if it is there. */
export function conditionOf(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/**
 * Conditions with one of them set. `since` moves only when `status` changes, and the very same list
 * comes back when nothing changes, so that `next !== before` says whether there is a write.
 * The place of a condition stays; new ones come last.
 */
export function conditionSet(
  conditions: readonly Condition[] | undefined,
  next: Omit<Condition, 'since'>,
  now: Timestamp,
): readonly Condition[] {
  const before = conditionOf(conditions, next.type);
  if (conditions === undefined || before === undefined) {
    return [...(conditions ?? []), { ...next, since: now }];
  }
  if (isSame(before, next)) return conditions;
  const since = before.status === next.status ? before.since : now;
  return conditions.map((condition) => (condition === before ? { ...next, since } : condition));
}

function isSame(before: Condition, next: Omit<Condition, 'since'>): boolean {
  return (
    before.status === next.status &&
    before.reason === next.reason &&
    before.message === next.message &&
    before.observedGeneration === next.observedGeneration
  );
}
