/**
 * The store in its plainest form: a map that is copied at every commit. What random scenarios
 * compare with.
 */
import { isEqual, type Random, type Revision, type StoredObject, type Timestamp } from '@skep/api';
import type { Change } from '../contract.js';
import { newBox, type Box, type BoxSpec } from './kit.js';

/** Boxes by id. */
export type ModelState = ReadonlyMap<string, Box>;

/** What the model says of a transaction: the next state, or the reason of the conflict. */
export type ModelOutcome =
  | { readonly ok: true; readonly state: ModelState }
  | { readonly ok: false; readonly reason: string };

/** Does the changes one after the other to a copy. */
export function modelCommit(
  state: ModelState,
  changes: readonly Change[],
  stamp: { readonly revision: Revision; readonly now: Timestamp },
): ModelOutcome {
  const next = new Map(state);
  for (const change of changes) {
    const reason = modelChange(next, change, stamp);
    if (reason !== undefined) return { ok: false, reason };
  }
  return { ok: true, state: next };
}

function modelChange(
  state: Map<string, Box>,
  change: Change,
  { revision, now }: { readonly revision: Revision; readonly now: Timestamp },
): string | undefined {
  const id = change.type === 'delete' ? change.id : change.object.meta.id;
  const before = state.get(id);
  if (change.type === 'create') {
    const object = change.object as Box;
    if (before !== undefined) return 'already-exists';
    if (isTaken(state, object)) return 'name-taken';
    const times = { createdAt: now, updatedAt: now };
    state.set(id, {
      ...object,
      meta: { ...object.meta, ...times, version: revision, generation: 1 },
    });
    return undefined;
  }
  if (before === undefined) return 'not-found';
  const version = change.type === 'delete' ? change.version : change.object.meta.version;
  if (version !== undefined && version !== before.meta.version) return 'version';
  const isMarked = before.meta.deletionRequestedAt !== undefined;
  const written = { version: revision, updatedAt: now };
  if (change.type === 'delete') {
    if (before.meta.finalizers.length === 0) state.delete(id);
    else if (!isMarked) {
      state.set(id, { ...before, meta: { ...before.meta, ...written, deletionRequestedAt: now } });
    }
    return undefined;
  }
  const object = change.object as Box;
  const { finalizers } = object.meta;
  if (isMarked && finalizers.length === 0) {
    state.delete(id);
    return undefined;
  }
  if (isMarked && finalizers.some((one) => !before.meta.finalizers.includes(one)))
    return 'deleting';
  if (isTaken(state, object)) return 'name-taken';
  const generation = before.meta.generation + (isEqual(before.spec, object.spec) ? 0 : 1);
  state.set(id, { ...object, meta: { ...object.meta, ...written, generation } });
  return undefined;
}

function isTaken(state: ModelState, { meta }: StoredObject): boolean {
  if (meta.name === '') return false;
  return [...state.values()].some(
    (other) =>
      other.meta.id !== meta.id && other.meta.name.toLowerCase() === meta.name.toLowerCase(),
  );
}

/** Colours, tags and places that random boxes have. */
export const WORDS = Object.freeze(['red', 'green', 'blue', 'grey']);

/** Names that random boxes have; some differ in case only. */
export const NAMES = Object.freeze(['one', 'ONE', 'two', 'three', 'Four', 'four', 'five']);

/** Up to five changes of different boxes, most of which make sense. */
export function randomChanges(state: ModelState, random: Random): readonly Change[] {
  const changes = new Map<string, Change>();
  for (let left = 1 + random.int(5); left > 0; left -= 1) {
    const id = `box${random.int(30)}`;
    changes.set(id, randomChange(state.get(id), id, random));
  }
  return [...changes.values()];
}

function randomChange(before: Box | undefined, id: string, random: Random): Change {
  const dice = random.int(20);
  if (before === undefined && dice > 1) {
    const finalizers = pick([[], [], [], ['x'], ['x', 'y']], random);
    const object = newBox({ id, name: randomName(random), finalizers }, randomSpec(random));
    return { type: 'create', object };
  }
  const box = before ?? newBox({ id });
  if (dice < 5) {
    const { version } = box.meta;
    return { type: 'delete', kind: 'Box', id, ...(dice === 0 ? { version } : {}) };
  }
  if (dice === 5) return { type: 'create', object: newBox({ id }) };
  const { version } = box.meta;
  const meta = {
    ...box.meta,
    name: dice < 9 ? randomName(random) : box.meta.name,
    finalizers: dice > 16 ? pick([[], ['x'], ['z']], random) : box.meta.finalizers,
    version: dice === 6 ? version - 1 : version,
  };
  const status = dice < 12 ? { place: pick(WORDS, random) } : box.status;
  return { type: 'update', object: { ...box, meta, status, spec: randomSpec(random) } };
}

/** Mostly none, so that few transactions meet a name that is taken. */
function randomName(random: Random): string {
  return random.int(4) === 0 ? pick(NAMES, random) : '';
}

function randomSpec(random: Random): BoxSpec {
  const size = random.int(2);
  const tags = WORDS.filter(() => random.int(3) === 0);
  return random.int(4) === 0 ? { size } : { size, tags, color: pick(WORDS, random) };
}

function pick<T>(items: readonly T[], random: Random): T {
  return items[random.int(items.length)] as T;
}
