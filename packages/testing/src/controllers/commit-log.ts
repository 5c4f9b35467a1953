/**
 * What was written, by whom: for people, and to be counted.
 */
import { Event, type Revision, type StoredObject } from '@skep/api';
import type { CommitEvent } from '@skep/store';

/** One commit. */
export interface LoggedCommit {
  readonly revision: Revision;
  readonly actor: string;
  readonly changes: readonly {
    readonly type: 'created' | 'updated' | 'deleted';
    readonly object: StoredObject;
  }[];
}

/** How many objects of a kind came and went. */
export interface ObjectCounts {
  readonly created: number;
  readonly deleted: number;
}

/** A commit as the log keeps it. */
export function loggedCommit({ revision, actor, events }: CommitEvent): LoggedCommit {
  return { revision, actor, changes: events.map(({ type, object }) => ({ type, object })) };
}

/** `'allocator' updated Task web.1`; at most three changes are named. */
export function commitText({ actor, changes }: LoggedCommit): string {
  const named = changes
    .slice(0, 3)
    .map(({ type, object }) => `${type} ${object.kind} ${object.meta.name || object.meta.id}`);
  const more = changes.length > 3 ? [`${changes.length - 3} more`] : [];
  return `'${actor}' ${[...named, ...more].join(', ')}`;
}

/** Creations and deletions by kind; events for people are not counted. */
export function objectCounts(
  commits: readonly LoggedCommit[],
): Readonly<Record<string, ObjectCounts>> {
  const counts: Record<string, ObjectCounts> = {};
  for (const { type, object } of commits.flatMap(({ changes }) => changes)) {
    if (type === 'updated' || object.kind === Event.name) continue;
    const { created, deleted } = counts[object.kind] ?? { created: 0, deleted: 0 };
    counts[object.kind] =
      type === 'created' ? { created: created + 1, deleted } : { created, deleted: deleted + 1 };
  }
  return counts;
}
