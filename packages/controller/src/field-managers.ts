/**
 * Who set which field of a spec.
 *
 * **Source:** Kubernetes server-side apply (KEP-555) for ownership, conflicts and force.
 */
import { compareText, isEqual, type FieldManagers } from '@skep/api';
import { childPath, fieldsOf, inOrderOf, isEmptyObject, isFields, isUnder } from './field-paths.js';
import { valueAt, withoutValueAt, withValueAt } from './field-paths.js';
import type { PathStep, SpecField } from './field-paths.js';

/** A field that another manager has set to something else. */
export interface FieldConflict {
  readonly manager: string;
  /** Path of the field that the other manager owns. */
  readonly field: string;
  /** What it is there. */
  readonly value: unknown;
}

/** A spec, and who set what of it. */
export interface ManagedSpec {
  readonly spec: unknown;
  readonly managers: FieldManagers;
}

/** One manager's opinion: the fields that it cares about, all of them, and no others. */
export interface FieldOpinion {
  readonly manager: string;
  readonly spec: unknown;
  /** Whether to take over what others own. Default: false. */
  readonly force?: boolean | undefined;
}

/** What becomes of a spec, or what stands against it. */
export type MergeOutcome =
  | ({ readonly ok: true } & ManagedSpec)
  | { readonly ok: false; readonly conflicts: readonly FieldConflict[] };

/**
 * Merges one manager's opinion into a spec. Equal values are owned together; a field that the
 * manager owned alone and does not mention any more goes. Without `force`, a field that another
 * manager has set to something else is a conflict and nothing is merged.
 * Items of a list keyed by name come in the order of the opinion, in the places that such items
 * have; new ones come last, and items of others keep their places.
 * Cost: O(fields + differing fields × owned fields).
 */
export function mergeFields(before: ManagedSpec, opinion: FieldOpinion): MergeOutcome {
  const { manager } = opinion;
  const live = fieldsOf(before.spec);
  const wanted = fieldsOf(opinion.spec);
  const others = new Map(
    sortedEntries(before.managers).filter(([name]) => name !== manager && name !== ''),
  );
  const { conflicts, lost } = findConflicts(before.spec, live, wanted, others);
  if (conflicts.length > 0 && opinion.force !== true) return { ok: false, conflicts };
  for (const [name, paths] of others) {
    others.set(
      name,
      paths.filter((path) => lost.get(name)?.has(path) !== true),
    );
  }
  const dropped = (before.managers[manager] ?? []).flatMap((path) =>
    wanted.has(path) ? [] : (live.get(path) ?? []),
  );
  let spec = withoutFields(before.spec, dropped, others);
  for (const field of wanted.values()) spec = withField(spec, field);
  spec = inOrderOf(spec, opinion.spec);
  return {
    ok: true,
    spec: isEqual(spec, before.spec) ? before.spec : spec,
    managers: managersFrom([...others, [manager, [...wanted.keys()]]]),
  };
}

/**
 * Owners after a write that says nothing about ownership, such as an edit of the whole spec: what
 * it changed belongs to its manager alone, what it removed to nobody, the rest to whom it did.
 */
export function managersAfterUpdate(
  before: ManagedSpec,
  spec: unknown,
  manager: string,
): FieldManagers {
  const old = fieldsOf(before.spec);
  const next = fieldsOf(spec);
  const changed = [...next.values()].filter(
    ({ path, value }) => !old.has(path) || !isEqual(old.get(path)?.value, value),
  );
  const kept = sortedEntries(before.managers).map(
    ([name, paths]) => [name, paths.filter((path) => isLeft(path, old, next))] as const,
  );
  const own = kept.find(([name]) => name === manager)?.[1] ?? [];
  const others = kept.filter(([name]) => name !== manager);
  return managersFrom([...others, [manager, [...own, ...changed.map(({ path }) => path)]]]);
}

/**
 * Owners after a spec went back to what it was earlier: what changes by that belongs to whom it
 * belonged then, the rest to whom it does now.
 */
export function managersAfterRestore(now: ManagedSpec, earlier: ManagedSpec): FieldManagers {
  const [live, old] = [fieldsOf(now.spec), fieldsOf(earlier.spec)];
  const stays = (path: string): boolean => isLeft(path, live, old);
  return managersFrom(
    mergedOwners(
      ownersWhere(now.managers, stays),
      ownersWhere(earlier.managers, (path) => old.has(path) && !stays(path)),
    ),
  );
}

/**
 * Gives back all that a manager owns, but for `keep`: each field becomes what it was earlier and
 * belongs to whom it belonged then; one that was not there goes, unless others own it by now. For
 * managers that take fields over for a while.
 */
export function returnFields(
  now: ManagedSpec,
  input: {
    readonly manager: string;
    readonly earlier: ManagedSpec;
    /** Paths of fields that stay as they are, with their owner. Default: none. */
    readonly keep?: readonly string[];
  },
): ManagedSpec {
  const { manager, earlier, keep = [] } = input;
  const [live, old] = [fieldsOf(now.spec), fieldsOf(earlier.spec)];
  const returned = new Set((now.managers[manager] ?? []).filter((path) => !keep.includes(path)));
  const others = sortedEntries(now.managers).filter(([name]) => name !== manager);
  const gone = [...returned].flatMap((path) => (old.has(path) ? [] : (live.get(path) ?? [])));
  let spec = withoutFields(now.spec, gone, new Map(others));
  for (const path of returned) {
    const field = old.get(path);
    if (field !== undefined) spec = withField(spec, field);
  }
  const own = [
    manager,
    (now.managers[manager] ?? []).filter((path) => !returned.has(path)),
  ] as const;
  const back = ownersWhere(earlier.managers, (path) => returned.has(path));
  return { spec, managers: managersFrom(mergedOwners([...others, own], back)) };
}

type Owners = readonly (readonly [string, readonly string[]])[];

function ownersWhere(managers: FieldManagers, holds: (path: string) => boolean): Owners {
  return sortedEntries(managers).map(([name, paths]) => [name, paths.filter(holds)] as const);
}

function mergedOwners(...lists: readonly Owners[]): Owners {
  const merged = new Map<string, readonly string[]>();
  for (const [name, paths] of lists.flat()) {
    merged.set(name, [...(merged.get(name) ?? []), ...paths]);
  }
  return [...merged];
}

/**
 * Whether a field that is owned is the same in the next spec, or still says no more than it did.
 */
function isLeft(
  path: string,
  old: ReadonlyMap<string, SpecField>,
  next: ReadonlyMap<string, SpecField>,
): boolean {
  const field = next.get(path);
  const previous = old.get(path);
  if (field !== undefined) {
    return previous === undefined
      ? isEmptyObject(field.value)
      : isEqual(field.value, previous.value);
  }
  // An object that someone wants to be there may have fields of others.
  const wasObject = previous === undefined || isEmptyObject(previous.value);
  return wasObject && [...next.keys()].some((one) => isUnder(one, path));
}

interface Clash {
  readonly conflicts: readonly FieldConflict[];
  /** Fields that each manager loses when the merge goes through. */
  readonly lost: ReadonlyMap<string, ReadonlySet<string>>;
}

function findConflicts(
  spec: unknown,
  live: ReadonlyMap<string, SpecField>,
  wanted: ReadonlyMap<string, SpecField>,
  others: ReadonlyMap<string, readonly string[]>,
): Clash {
  const conflicts = new Map<string, FieldConflict>();
  const lost = new Map<string, Set<string>>();
  for (const field of wanted.values()) {
    if (isSet(spec, live, field)) continue;
    for (const [manager, paths] of others) {
      for (const path of paths) {
        if (!isInTheWay(path, field, live)) continue;
        const set = lost.get(manager) ?? new Set();
        lost.set(manager, set.add(path));
        const found = live.get(path);
        // What is not there any more is nobody's.
        if (found === undefined) continue;
        const conflict = { manager, field: path, value: found.value };
        conflicts.set(`${manager}\u0000${path}`, conflict);
      }
    }
  }
  return { conflicts: [...conflicts.values()], lost };
}

function isSet(
  spec: unknown,
  live: ReadonlyMap<string, SpecField>,
  { path, steps, value }: SpecField,
): boolean {
  const found = live.get(path);
  if (found !== undefined) return isEqual(found.value, value);
  return isEmptyObject(value) && isFields(valueAt(spec, steps));
}

/** Whether a field that is owned cannot stay as it is when another one is set. */
function isInTheWay(
  owned: string,
  { path }: SpecField,
  live: ReadonlyMap<string, SpecField>,
): boolean {
  if (owned === path || isUnder(owned, path)) return true;
  // An empty object takes fields in; anything else that is whole does not.
  return isUnder(path, owned) && live.has(owned) && !isEmptyObject(live.get(owned)?.value);
}

function withoutFields(
  spec: unknown,
  dropped: readonly SpecField[],
  others: ReadonlyMap<string, readonly string[]>,
): unknown {
  const owned = new Set([...others.values()].flat());
  let next = spec;
  for (const { path, steps } of dropped) {
    if (owned.has(path)) continue;
    const item = itemNamedBy(steps);
    if (item === undefined) {
      next = withoutValueAt(next, steps, (one) => owned.has(one));
      continue;
    }
    // The name of an item stands for the item: it stays while others own something in it.
    const itemPath = item.reduce(childPath, '');
    const isUsed = [...owned].some((one) => isUnder(one, itemPath));
    if (!isUsed) next = withoutValueAt(next, item, (one) => owned.has(one));
  }
  return next;
}

/** The steps to the item whose `name` this is, if it is one. */
function itemNamedBy(steps: readonly PathStep[]): readonly PathStep[] | undefined {
  const last = steps.at(-1);
  const isName = last?.type === 'field' && last.name === 'name' && steps.at(-2)?.type === 'item';
  return isName ? steps.slice(0, -1) : undefined;
}

function withField(spec: unknown, { steps, value }: SpecField): unknown {
  const found = valueAt(spec, steps);
  if (isEqual(found, value) && found !== undefined) return spec;
  if (isEmptyObject(value) && isFields(found)) return spec;
  return withValueAt(spec, steps, value);
}

function sortedEntries(managers: FieldManagers): readonly (readonly [string, readonly string[]])[] {
  return Object.entries(managers).sort(([a], [b]) => compareText(a, b));
}

/** Managers and their fields in a total order, without those that own nothing. */
function managersFrom(entries: readonly (readonly [string, readonly string[]])[]): FieldManagers {
  const kept = entries.filter(([, paths]) => paths.length > 0);
  return Object.fromEntries(
    kept
      .map(([name, paths]) => [name, [...new Set(paths)].sort(compareText)] as const)
      .sort(([a], [b]) => compareText(a, b)),
  );
}
