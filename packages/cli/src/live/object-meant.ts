/**
 * The one object that a word means: `web`, `web.1`, `svc/web`, an id.
 */
import { Task, type Kind, type StoredObject } from '@skep/api';
import type { View } from '@skep/store';
import { CommandFault } from '../surroundings.js';
import type { Connected } from './connection.js';
import type { KnownKind } from './kind-words.js';
import { isMeant, named, targetsOf } from './references.js';
import { look } from './replica.js';

/** An object and its kind. */
export interface Meant {
  readonly kind: KnownKind;
  readonly object: StoredObject;
}

/**
 * What people declare goes before tasks, as the name of a service means the service; of several
 * tasks in a slot the newest is meant.
 * @throws CommandFault for what means nothing, or several objects.
 */
export async function objectMeant(reference: string, connected: Connected): Promise<Meant> {
  const { client, kinds } = connected;
  if (reference.includes('/')) {
    const [target] = targetsOf([reference], kinds);
    if (target === undefined) throw nothing(reference);
    const view = await look(client, [target.kind.token]);
    const object = newest(named(listOf(view, target.kind), target));
    if (object === undefined) throw nothing(reference);
    return { kind: target.kind, object };
  }
  const usual = kinds.kinds.filter(({ info }) => info.isDeclarable);
  const task = kinds.kinds.find(({ info }) => info.name === Task.name);
  const view = await look(
    client,
    [...usual, ...(task === undefined ? [] : [task])].map(({ token }) => token),
  );
  const meant = (kind: KnownKind): readonly Meant[] => {
    const found = listOf(view, kind).filter((object) => isMeant(object, reference));
    const object = newest(found);
    return object === undefined ? [] : [{ kind, object }];
  };
  const declared = usual.flatMap(meant);
  const found = declared.length > 0 || task === undefined ? declared : meant(task);
  const [first, ...others] = found;
  if (first === undefined) throw nothing(reference);
  if (others.length === 0) return first;
  const choices = found.map(({ kind }) => `${kind.info.name.toLowerCase()}/${reference}`);
  throw new CommandFault(
    `'${reference}' may mean several objects (write one of ${choices.join(', ')})`,
  );
}

/** Objects of a kind of which only the name is known. */
export function listOf(view: View, { token }: KnownKind): readonly StoredObject[] {
  return view.list(token as Kind);
}

function newest(objects: readonly StoredObject[]): StoredObject | undefined {
  return [...objects].sort((a, b) => b.meta.createdAt - a.meta.createdAt)[0];
}

function nothing(reference: string): CommandFault {
  return new CommandFault(
    `nothing is meant by '${reference}' (write a name, SERVICE.SLOT, or KIND/NAME)`,
  );
}
