/**
 * Events as objects: equal ones are counted, and there are never too many. Pure.
 */
import { byIndex, compareBy, compareText, deriveId, Event, newObject, withSpec } from '@skep/api';
import type { ObjectId, Timestamp } from '@skep/api';
import type { Change, View } from '@skep/store';
import { create, remove, update } from './changes.js';
import type { EventDraft } from './contract.js';

/** Most events kept about one object; the one that happened longest ago goes first. */
export const EVENTS_PER_OBJECT_MAX = 20;
/** Most events kept in all; the one that happened longest ago goes first. */
export const EVENTS_MAX = 1000;

/** Equal events that were not written yet. */
export interface PendingEvent {
  readonly id: ObjectId;
  readonly draft: EventDraft;
  readonly actor: string;
  readonly count: number;
  readonly firstAt: Timestamp;
  readonly lastAt: Timestamp;
}

/** The id of the event that a draft counts towards: same object, same reason, same message. */
export function eventId({ regarding, reason, message }: EventDraft): ObjectId {
  return deriveId('event', regarding.kind, regarding.meta.id, reason, message);
}

/**
 * The changes that write pending events: deletions of what has to give way first, then new and
 * counted events in the order given. Cost: O(pending); O(events) when the total is exceeded.
 */
export function planEvents(view: View, pending: readonly PendingEvent[]): readonly Change[] {
  const written = new Map<ObjectId, Event>();
  const gone = new Map<ObjectId, Event>();
  const byObject = new Map<string, Event[]>();
  let total = view.count(Event);
  for (const event of pending) {
    const before = view.get(Event, event.id);
    if (before === undefined) total += 1;
    const next = before === undefined ? newEvent(event) : counted(before, event);
    written.set(event.id, next);
    const about = byObject.get(regardingKey(next));
    if (about === undefined) byObject.set(regardingKey(next), [next]);
    else about.push(next);
  }
  const drop = (event: Event): void => {
    total -= 1;
    written.delete(event.meta.id);
    if (event.meta.version !== 0) gone.set(event.meta.id, event);
  };
  const merged = (kept: readonly Event[]): Event[] =>
    kept.filter(({ meta }) => !written.has(meta.id) && !gone.has(meta.id));
  for (const [key, about] of byObject) {
    const all = [...merged(view.list(Event, byIndex(Event, 'regarding', key))), ...about];
    oldest(all, all.length - EVENTS_PER_OBJECT_MAX).forEach(drop);
  }
  if (total > EVENTS_MAX) {
    const all = [...merged(view.list(Event)), ...written.values()];
    oldest(all, total - EVENTS_MAX).forEach(drop);
  }
  return [
    ...[...gone.values()].map(remove),
    ...[...written.values()].map((event) =>
      event.meta.version === 0 ? create(event) : update(event),
    ),
  ];
}

/** Two waits for the same event as one. */
export function mergePending(a: PendingEvent, b: PendingEvent): PendingEvent {
  const newest = b.lastAt >= a.lastAt ? b : a;
  return {
    ...newest,
    count: a.count + b.count,
    firstAt: Math.min(a.firstAt, b.firstAt),
  };
}

function newEvent(event: PendingEvent): Event {
  const { regarding, type, reason, message } = event.draft;
  const { id, name } = regarding.meta;
  return newObject(Event, {
    id: event.id,
    name: `${name === '' ? id : name}.${reason}`,
    spec: {
      regarding: { kind: regarding.kind, id, name },
      type,
      reason,
      message,
      actor: event.actor,
      count: event.count,
      firstAt: event.firstAt,
      lastAt: event.lastAt,
    },
  });
}

function counted(before: Event, event: PendingEvent): Event {
  return withSpec(before, {
    ...before.spec,
    type: event.draft.type,
    actor: event.actor,
    count: before.spec.count + event.count,
    lastAt: Math.max(before.spec.lastAt, event.lastAt),
  });
}

function regardingKey({ spec }: Event): string {
  return `${spec.regarding.kind}/${spec.regarding.id}`;
}

function oldest(events: Event[], count: number): readonly Event[] {
  return count <= 0 ? [] : events.sort(longestAgoFirst).slice(0, count);
}

const longestAgoFirst = compareBy<Event>(
  (a, b) => a.spec.lastAt - b.spec.lastAt,
  (a, b) => compareText(a.meta.id, b.meta.id),
);
