/**
 * Why an object changed: from the change back to the one that somebody wanted. Pure.
 */
import type { ObjectId, Revision, Timestamp } from '@skep/api';
import type { ObjectEvent } from '@skep/store';
import type { ChangeReason, ObjectKey } from '../planned-change.js';
import { fieldChanges, isFieldChanged, type FieldChange } from './field-changes.js';
import { traceKey, type TraceLog, type TracedCommit, type Trigger } from './trace-log.js';

/** Most fields of a change that a step lists. */
export const WHY_FIELDS_MAX = 20;

/** Most steps of an answer, unless said otherwise. */
export const WHY_STEPS_MAX = 50;

/** An object as people know it. */
export interface TracedObject extends ObjectKey {
  readonly name: string;
}

/** Which change is asked about. Default: the newest of the object. */
export interface WhyOptions {
  /** The newest change up to this commit. */
  readonly revision?: Revision;
  /** The newest of this sort: `created` asks why it is there at all. */
  readonly change?: ObjectEvent['type'];
  /** The newest change of this field, or of something inside of it: `spec.desiredState`. */
  readonly field?: string;
  /** Steps after which the answer stops, the nearest to the change kept. Default: 50. */
  readonly stepsMax?: number;
}

/** What woke the key of a step. */
export interface WokenBy {
  readonly type: Trigger['type'];
  readonly revision: Revision;
  readonly object?: TracedObject;
}

/** One commit of the chain, and what it did to the object that the chain leads over. */
export interface WhyStep {
  readonly revision: Revision;
  /** When it was written; absent for a deletion. */
  readonly at?: Timestamp;
  readonly actor: string;
  readonly change: ObjectEvent['type'];
  readonly object: TracedObject;
  /** What changed, at most {@link WHY_FIELDS_MAX} fields; none for what was created or deleted. */
  readonly fields: readonly FieldChange[];
  /** How many fields more. */
  readonly fieldsLeftOut: number;
  /** The controller whose pass wrote it; absent for everybody else: users, nodes. */
  readonly controller?: string;
  /** The key of the pass. */
  readonly key?: string;
  /** The view that the pass decided on. */
  readonly viewRevision?: Revision;
  /** The rule that the plan named for the change. */
  readonly rule?: string;
  /** What had woken the key by then, oldest first; at most ten. */
  readonly wokenBy: readonly WokenBy[];
  /**
   * On the first step only, why there is none before it. `origin`: somebody wanted it, and no
   * controller wrote it. `unknown`: nothing is known to have woken the pass. `forgotten`: what came
   * before is older than the trace remembers. `cut`: there are more than `stepsMax`.
   */
  readonly end?: 'origin' | 'unknown' | 'forgotten' | 'cut';
}

interface Place {
  readonly revision: Revision;
  readonly object: ObjectKey;
}

/**
 * The chain of commits that led to a change, the cause first, the change last. Empty when the trace
 * knows of no such change.
 *
 * From a change of a controller it goes on to what its rule names as the cause, or else to the
 * newest event that woke the key, one about the same object before others. From a report about an
 * object (a change of its status that no controller wrote) it goes on to the change before. It ends
 * where a spec was written, or an object made, by no controller. Revisions rise strictly.
 */
export function whyOf(
  log: TraceLog,
  object: ObjectKey,
  options: WhyOptions = {},
): readonly WhyStep[] {
  const { field, change, stepsMax = WHY_STEPS_MAX } = options;
  const isWanted = (event: ObjectEvent): boolean =>
    (change === undefined || event.type === change) &&
    (field === undefined || touches(event, field));
  const newest = log.newestChange(object, options.revision ?? Infinity, isWanted);
  const steps: WhyStep[] = [];
  let place: Place | undefined = newest === undefined ? undefined : { revision: newest, object };
  while (place !== undefined) {
    const event = log.eventAt(place.revision, place.object);
    if (event === undefined) break;
    const pass = log.passAt(place.revision);
    const actor = log.commitAt(place.revision)?.actor ?? '';
    const before: Place | End = placeBefore(log, place, event, pass);
    const end = endOf(log, before, steps.length + 1 >= stepsMax);
    steps.push(stepOf(log, { place, event, pass, actor, end }));
    place = typeof before === 'string' || end !== undefined ? undefined : before;
  }
  return steps.reverse();
}

type End = 'origin' | 'unknown';

function endOf(log: TraceLog, before: Place | End, isLast: boolean): WhyStep['end'] {
  if (typeof before === 'string') return before;
  if (log.eventAt(before.revision, before.object) === undefined) return 'forgotten';
  return isLast ? 'cut' : undefined;
}

function placeBefore(
  log: TraceLog,
  place: Place,
  event: ObjectEvent,
  pass: TracedCommit | undefined,
): Place | End {
  if (pass === undefined) return isReport(event) ? previousOf(event) : 'origin';
  const cause = pass.reasons?.get(traceKey(place.object))?.cause;
  if (cause !== undefined) {
    const { field } = cause;
    const revision = log.newestChange(
      cause,
      pass.viewRevision,
      (other) => field === undefined || touches(other, field),
    );
    if (revision !== undefined) return { revision, object: cause };
  }
  const trigger = nearestTrigger(triggersFor(pass, place.object), place.object);
  if (trigger === undefined) return event.previous === undefined ? 'unknown' : previousOf(event);
  return placeOf(log, trigger, place.object);
}

/** A requeue is about a commit of the controller; which object of it matters is a guess. */
function placeOf(log: TraceLog, trigger: Trigger, object: ObjectKey): Place {
  const { revision, kind, id } = trigger;
  if (kind !== undefined && id !== undefined) return { revision, object: { kind, id } };
  if (log.eventAt(revision, object) !== undefined) return { revision, object };
  const first = log.commitAt(revision)?.events[0]?.object;
  return { revision, object: first === undefined ? object : keyOf(first) };
}

/** Nobody's wish but news: the status changed, the spec and the end that was asked for did not. */
function isReport({ type, object, previous }: ObjectEvent): boolean {
  return (
    type === 'updated' &&
    previous !== undefined &&
    previous.meta.generation === object.meta.generation &&
    previous.meta.deletionRequestedAt === object.meta.deletionRequestedAt &&
    previous.meta.labels === object.meta.labels
  );
}

function previousOf({ object, previous }: ObjectEvent): Place {
  const { meta } = previous ?? object;
  return { revision: meta.version, object: keyOf(object) };
}

function triggersFor(pass: TracedCommit, object: ObjectKey): readonly Trigger[] {
  const own = pass.keys.find(({ key }) => key === object.id || key === traceKey(object));
  return own === undefined ? pass.keys.flatMap(({ triggers }) => triggers) : own.triggers;
}

function nearestTrigger(triggers: readonly Trigger[], object: ObjectKey): Trigger | undefined {
  const known = triggers.filter(({ revision }) => revision > 0);
  const same = known.filter(({ kind, id }) => id === object.id && kind === object.kind);
  return newestOf(same) ?? newestOf(known);
}

function newestOf(triggers: readonly Trigger[]): Trigger | undefined {
  let newest: Trigger | undefined;
  for (const trigger of triggers) {
    if (newest === undefined || trigger.revision >= newest.revision) newest = trigger;
  }
  return newest;
}

function stepOf(
  log: TraceLog,
  of: {
    readonly place: Place;
    readonly event: ObjectEvent;
    readonly pass: TracedCommit | undefined;
    readonly actor: string;
    readonly end: WhyStep['end'];
  },
): WhyStep {
  const { place, event, pass, actor, end } = of;
  const { object, previous, type } = event;
  const isUpdate = type === 'updated' && previous !== undefined;
  const changed = isUpdate ? fieldChanges(previous, object) : [];
  return {
    revision: place.revision,
    ...(type === 'deleted' ? {} : { at: object.meta.updatedAt }),
    actor,
    change: type,
    object: { ...keyOf(object), name: object.meta.name },
    fields: changed.slice(0, WHY_FIELDS_MAX),
    fieldsLeftOut: Math.max(0, changed.length - WHY_FIELDS_MAX),
    ...(pass === undefined ? { wokenBy: [] } : passFacts(log, pass, place.object)),
    ...(end === undefined ? {} : { end }),
  };
}

function passFacts(
  log: TraceLog,
  pass: TracedCommit,
  object: ObjectKey,
): Pick<WhyStep, 'controller' | 'key' | 'viewRevision' | 'rule' | 'wokenBy'> {
  const reason: ChangeReason | undefined = pass.reasons?.get(traceKey(object));
  const rule = reason?.rule ?? pass.rule;
  const own = pass.keys.find(({ key }) => key === object.id || key === traceKey(object));
  const key = own?.key ?? (pass.keys.length === 1 ? pass.keys[0]?.key : undefined);
  return {
    controller: pass.controller,
    ...(key === undefined ? {} : { key }),
    viewRevision: pass.viewRevision,
    ...(rule === undefined ? {} : { rule }),
    wokenBy: triggersFor(pass, object)
      .slice(-TRIGGERS_SHOWN_MAX)
      .map((trigger) => wokenBy(log, trigger)),
  };
}

const TRIGGERS_SHOWN_MAX = 10;

function wokenBy(log: TraceLog, { type, revision, kind, id }: Trigger): WokenBy {
  if (kind === undefined || id === undefined) return { type, revision };
  const name = log.eventAt(revision, { kind, id })?.object.meta.name ?? '';
  return { type, revision, object: { kind, id, name } };
}

/** Whoever makes an object sets all of its fields; whoever deletes it sets none. */
function touches({ type, object, previous }: ObjectEvent, field: string): boolean {
  if (type === 'deleted') return false;
  if (previous === undefined) return true;
  return isFieldChanged(previous, object, field);
}

function keyOf({
  kind,
  meta,
}: {
  readonly kind: string;
  readonly meta: { readonly id: ObjectId };
}): ObjectKey {
  return { kind, id: meta.id };
}
