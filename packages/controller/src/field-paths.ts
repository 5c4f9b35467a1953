/**
 * Fields of a spec as paths: what one manager can own.
 *
 * A field is a scalar, an empty object, or a list that is taken as a whole. Objects are looked
 * into, and so are lists whose items all have a different `name`: `ports[name=http].target`.
 *
 * **Source:** Kubernetes server-side apply for atomic and associative lists; the syntax is ours.
 */
import { isEqual } from '@skep/api';

/** A step into a value: a field of an object, or the item of a list with this name. */
export interface PathStep {
  readonly type: 'field' | 'item';
  readonly name: string;
}

/** One field that a spec sets. */
export interface SpecField {
  /** Text of the steps; field names that are no words are quoted: `labels["com.example"]`. */
  readonly path: string;
  readonly steps: readonly PathStep[];
  readonly value: unknown;
}

type Fields = Readonly<Record<string, unknown>>;
type NamedItem = Fields & { readonly name: string };

const WORD = /^[A-Za-z_][\w-]*$/;

/** All fields of a spec by path, without the undefined ones. Cost: O(fields). */
export function fieldsOf(spec: unknown): ReadonlyMap<string, SpecField> {
  const found = new Map<string, SpecField>();
  const visit = (value: unknown, path: string, steps: readonly PathStep[]): void => {
    if (value === undefined) return;
    const parts = partsOf(value);
    if (parts.length === 0) {
      if (steps.length > 0 || !isFields(value)) found.set(path, { path, steps, value });
      return;
    }
    for (const [step, inner] of parts) visit(inner, childPath(path, step), [...steps, step]);
  };
  visit(spec, '', []);
  return found;
}

/** Whether a path leads into the value at another, longer one not included. */
export function isUnder(path: string, parent: string): boolean {
  if (!path.startsWith(parent)) return false;
  return path[parent.length] === '.' || path[parent.length] === '[' || parent === '';
}

/** The value at the end of the steps, if there is one. */
export function valueAt(value: unknown, steps: readonly PathStep[]): unknown {
  let found = value;
  for (const { type, name } of steps) {
    if (type === 'field') found = isFields(found) ? found[name] : undefined;
    else found = isNamedList(found) ? found.find((item) => item.name === name) : undefined;
  }
  return found;
}

/** A copy with a value at the end of the steps; what is in the way is replaced. */
export function withValueAt(value: unknown, steps: readonly PathStep[], next: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return next;
  const { type, name } = step;
  if (type === 'field') {
    const base = isFields(value) ? value : {};
    return { ...base, [name]: withValueAt(base[name], rest, next) };
  }
  const items = isNamedList(value) ? value : [];
  const item = items.find((one) => one.name === name);
  const changed = withValueAt(item ?? { name }, rest, next);
  return item === undefined
    ? [...items, changed]
    : items.map((one) => (one === item ? changed : one));
}

/**
 * A copy without the value at the end of the steps. An object or a list that becomes empty by that
 * goes, too, unless its path is kept.
 */
export function withoutValueAt(
  value: unknown,
  steps: readonly PathStep[],
  isKept: (path: string) => boolean,
): unknown {
  return without(value, steps, '', isKept);
}

function without(
  value: unknown,
  [step, ...rest]: readonly PathStep[],
  path: string,
  isKept: (path: string) => boolean,
): unknown {
  if (step === undefined) return undefined;
  const inner = valueAt(value, [step]);
  if (inner === undefined) return value;
  const below = childPath(path, step);
  const left = without(inner, rest, below, isKept);
  const isGone = left === undefined || (partsOf(left).length === 0 && !isKept(below));
  if (isGone) return withoutPart(value, step);
  return left === inner ? value : withValueAt(value, [step], left);
}

function withoutPart(value: unknown, { type, name }: PathStep): unknown {
  if (type === 'item' && isNamedList(value)) return value.filter((item) => item.name !== name);
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([field]) => field !== name));
}

/**
 * The value with the items of its named lists in the order in which `model` has them, in the places
 * that they have together; items that the model does not have stay where they are.
 */
export function inOrderOf(value: unknown, model: unknown): unknown {
  if (isNamedList(value) && isNamedList(model)) {
    const order = model.map(({ name }) => name);
    const known = new Set(order);
    const sorted = order.flatMap((name) => value.find((item) => item.name === name) ?? []);
    let at = 0;
    return value.map((item) => {
      const next = known.has(item.name) ? (sorted[at++] ?? item) : item;
      return inOrderOf(next, valueAt(model, [{ type: 'item', name: next.name }]));
    });
  }
  if (!isFields(value) || !isFields(model)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, inOrderOf(inner, model[name])]),
  );
}

/** Whether the value is an object without fields: it says no more than that it is there. */
export function isEmptyObject(value: unknown): boolean {
  return isFields(value) && isEqual(value, {});
}

/** Whether the value is an object, with or without fields. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNamedList(value: unknown): value is readonly NamedItem[] {
  if (!Array.isArray(value) || value.length === 0) return false;
  const names = new Set<unknown>();
  for (const item of value as readonly unknown[]) {
    const name = isFields(item) ? item['name'] : undefined;
    if (typeof name !== 'string') return false;
    names.add(name);
  }
  return names.size === value.length;
}

/** What a value is made of; nothing for one that is taken as a whole. */
function partsOf(value: unknown): readonly (readonly [PathStep, unknown])[] {
  if (isNamedList(value)) {
    return value.map((item) => [{ type: 'item', name: item.name }, item] as const);
  }
  if (!isFields(value)) return [];
  return Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .map(([name, inner]) => [{ type: 'field', name }, inner] as const);
}

/** Path of what one step from `path` leads to. */
export function childPath(path: string, { type, name }: PathStep): string {
  const isWord = WORD.test(name);
  if (type === 'item') return `${path}[name=${isWord ? name : JSON.stringify(name)}]`;
  if (!isWord) return `${path}[${JSON.stringify(name)}]`;
  return path === '' ? name : `${path}.${name}`;
}
