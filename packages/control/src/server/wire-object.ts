/**
 * Objects as they leave the manager.
 */
import { Secret, type SecretSpec, type StoredObject } from '@skep/api';
import type { CommitEvent, ObjectEvent } from '@skep/store';
import type { CommitMessage } from '../contract.js';

/**
 * The object without what nobody is told: the content of a secret.
 * **Source:** SwarmKit manager/controlapi/secret.go clears the data of every secret it returns.
 */
export function wireObject(object: StoredObject): StoredObject {
  if (object.kind !== Secret.name) return object;
  const { data: _, ...spec } = object.spec as SecretSpec;
  return { ...object, spec };
}

/** The commit as a watcher gets it. */
export function wireCommit(
  { revision, actor, events }: CommitEvent,
  options: { readonly withPrevious: boolean },
): CommitMessage {
  return { revision, actor, events: events.map((event) => wireEvent(event, options)) };
}

function wireEvent(
  { type, object, previous }: ObjectEvent,
  { withPrevious }: { readonly withPrevious: boolean },
): ObjectEvent {
  const told = withPrevious && previous !== undefined ? { previous: wireObject(previous) } : {};
  return { type, object: wireObject(object), ...told };
}
