/**
 * Which events count: conditions for `predicate` of a definition and of its watches.
 *
 * **Source:** controller-runtime pkg/predicate for the set; there too an event that is no update
 * always counts.
 */
import { isEqual, type Condition, type StoredObject } from '@skep/api';
import type { ObjectEvent } from '@skep/store';

/** A condition on events. It must not throw, and must go by the event alone. */
export type EventPredicate = (event: ObjectEvent) => boolean;

/** Holds for updates for which `isNews` does, and for all that is created or deleted. */
export function updated(
  isNews: (before: StoredObject, after: StoredObject) => boolean,
): EventPredicate {
  return ({ type, object, previous }) =>
    type !== 'updated' || previous === undefined || isNews(previous, object);
}

/** The spec changed, or deletion was asked for: not a status, not a label. */
export const generationChanged: EventPredicate = updated(
  ({ meta: before }, { meta: after }) =>
    before.generation !== after.generation ||
    before.deletionRequestedAt !== after.deletionRequestedAt,
);

/** A label came, went or changed. */
export const labelsChanged: EventPredicate = updated(
  (before, after) => !isEqual(before.meta.labels, after.meta.labels),
);

/** The status changed in content. */
export const statusChanged: EventPredicate = updated(
  (before, after) => !isEqual(before.status, after.status),
);

/** The `status` of a condition of this type (`status.conditions`) changed, or it came or went. */
export function conditionChanged(type: string): EventPredicate {
  return updated((before, after) => conditionStatus(before, type) !== conditionStatus(after, type));
}

/** All of them hold. */
export function allOf(...predicates: readonly EventPredicate[]): EventPredicate {
  return (event) => predicates.every((predicate) => predicate(event));
}

/** At least one of them holds. */
export function anyOf(...predicates: readonly EventPredicate[]): EventPredicate {
  return (event) => predicates.some((predicate) => predicate(event));
}

/** It does not hold. */
export function not(predicate: EventPredicate): EventPredicate {
  return (event) => !predicate(event);
}

function conditionStatus({ status }: StoredObject, type: string): string | undefined {
  if (typeof status !== 'object' || status === null || !('conditions' in status)) return undefined;
  const { conditions } = status as { readonly conditions?: readonly Condition[] };
  return conditions?.find((condition) => condition.type === type)?.status;
}
