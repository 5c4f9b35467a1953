/**
 * Events as those see them who know only some of the objects.
 */
import { matchesSelector, type StoredObject } from '@skep/api';
import type { ObjectChoice, ObjectEvent } from './contract.js';

/** The choice as a function. */
export function chooserOf(choice: ObjectChoice): (object: StoredObject) => boolean {
  return typeof choice === 'function' ? choice : (object) => matchesSelector(choice, object);
}

/**
 * The event for somebody who knows only the chosen objects: one that begins to be chosen comes
 * (`created`), one that ceases to be goes (`deleted`, as it last was while it was chosen).
 * Undefined when it was not chosen before and is not now.
 *
 * **Source:** Kubernetes apiserver storage watch (transform), which does the same.
 */
export function chosenEvent(
  event: ObjectEvent,
  isChosen: (object: StoredObject) => boolean,
): ObjectEvent | undefined {
  const { type, object, previous } = event;
  if (type === 'created') return isChosen(object) ? event : undefined;
  if (type === 'deleted') return isChosen(previous ?? object) ? event : undefined;
  const isNow = isChosen(object);
  const wasBefore = previous !== undefined && isChosen(previous);
  if (isNow) return wasBefore ? event : { type: 'created', object };
  return wasBefore ? { type: 'deleted', object: previous, previous } : undefined;
}
