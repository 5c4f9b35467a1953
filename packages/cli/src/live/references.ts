/**
 * Which objects are meant: `services`, `services,tasks`, `service web db`, `svc/web node/node1`.
 */
import { compareText, hostnameOf, Node, Task, taskName, type StoredObject } from '@skep/api';
import { nearestName } from '@skep/manifest';
import type { View } from '@skep/store';
import { CommandFault } from '../surroundings.js';
import { nameOf } from '../views/get/names.js';
import { shortName } from '../views/words.js';
import type { KindWords, KnownKind } from './kind-words.js';

/** A kind, and which objects of it: all when `names` is absent. */
export interface Target {
  readonly kind: KnownKind;
  readonly names?: readonly string[];
}

/** Letters of an id from which it may be shortened. */
const ID_PREFIX_MIN = 5;
/** Names that a complaint lists. */
const NAMES_MAX = 10;

/**
 * Reads the words after a command: kinds, or a kind and names, or KIND/NAME each.
 * @throws CommandFault for what means nothing.
 */
export function targetsOf(words: readonly string[], kinds: KindWords): readonly Target[] {
  const [first, ...rest] = words;
  if (first === undefined) {
    const names = kinds.kinds.map(({ info }) => info.plural).join(', ');
    throw new CommandFault(`say of which kind: KIND, KIND NAME or KIND/NAME (there are: ${names})`);
  }
  if (!words.some((word) => word.includes('/'))) {
    return kinds.list(first).map((kind) => ({ kind, ...(rest.length > 0 ? { names: rest } : {}) }));
  }
  const byKind = new Map<KnownKind, string[]>();
  for (const word of words) {
    const [before = '', name = ''] = word.split(/\/(.*)/s, 2);
    if (before === '' || name === '') {
      throw new CommandFault(`'${word}' names no object (write KIND/NAME for each of them)`);
    }
    const kind = kinds.kind(before);
    byKind.set(kind, [...(byKind.get(kind) ?? []), name]);
  }
  return [...byKind].map(([kind, names]) => ({ kind, names }));
}

/**
 * Objects of a target's names, in the order of the names, each once.
 * @throws CommandFault for a name that none has, with those that there are.
 */
export function named(
  objects: readonly StoredObject[],
  { kind, names }: Target,
): readonly StoredObject[] {
  if (names === undefined) return objects;
  const found = names.flatMap((name) => {
    const meant = objects.filter((object) => isMeant(object, name));
    if (meant.length === 0) throw noSuchObject(kind.info.name, name, objects);
    return meant;
  });
  return [...new Set(found)];
}

/**
 * Whether a name means the object: its name, its id or the beginning of it; of nodes the host name;
 * of tasks `SERVICE.SLOT` and the short name of tables, too.
 */
export function isMeant(object: StoredObject, name: string): boolean {
  const { id } = object.meta;
  if (id === name || (name.length >= ID_PREFIX_MIN && id.startsWith(name))) return true;
  return namesOf(object).some((known) => known.toLowerCase() === name.toLowerCase());
}

/** All names of an object but its id. */
function namesOf(object: StoredObject): readonly string[] {
  if (object.kind === Task.name) {
    const task = object as Task;
    const { serviceName, slot } = task.spec;
    return [taskName(task), shortName(task), `${serviceName}.${slot}`];
  }
  const { name } = object.meta;
  return object.kind === Node.name ? [name, hostnameOf(object as Node)] : [name];
}

/** What there is instead of an object that is not there. */
export function noSuchObject(
  kind: string,
  name: string,
  objects: readonly StoredObject[],
): CommandFault {
  const known = [...new Set(objects.map(displayName))].sort(compareText);
  const nearest = nearestName(name, known);
  const more = known.length > NAMES_MAX ? `, and ${known.length - NAMES_MAX} more` : '';
  const list = known.slice(0, NAMES_MAX).join(', ') || 'none';
  const hint = nearest === undefined ? `there are: ${list}${more}` : `did you mean ${nearest}?`;
  return new CommandFault(`there is no ${kind} '${name}' (${hint})`);
}

/** The name that tables show. */
export function displayName(object: StoredObject): string {
  return object.kind === Task.name ? shortName(object as Task) : nameOf(object);
}

/**
 * A task by a name that only tables use (short name, beginning of an id) as its id; anything else
 * as it is, for whoever knows the usual names.
 */
export function expandedTask(view: View, reference: string): string {
  const plain = reference.replace(/^tasks?\//i, '');
  const isUsual = view
    .list(Task)
    .some((task) => task.meta.id === plain || usualNames(task).includes(plain));
  if (isUsual) return plain;
  const meant = view.list(Task).filter((task) => isMeant(task, plain));
  return meant.length === 1 && meant[0] !== undefined ? meant[0].meta.id : plain;
}

function usualNames(task: Task): readonly string[] {
  const { serviceName, slot } = task.spec;
  return [taskName(task), `${serviceName}.${slot}`, serviceName];
}
