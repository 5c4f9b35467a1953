/**
 * What is meant by the names in a request.
 */
import { compareText, Node, SkepError, Task, type AnyKind, type Kind } from '@skep/api';
import type { StoredObject } from '@skep/api';
import type { View } from '@skep/store';
import { findAnyTask, findNode, findObject } from 'skep';

/** The kind with this name. @throws invalid-argument, naming those that there are */
export function kindNamed(kinds: readonly AnyKind[], name: string): Kind<unknown, unknown> {
  const kind = kinds.find((known) => known.name === name);
  // Views and plans need no more of a kind than they are given here.
  if (kind !== undefined) return kind as unknown as Kind<unknown, unknown>;
  const names = kinds.map((known) => known.name).sort(compareText);
  throw new SkepError(
    'invalid-argument',
    `no kind '${name}' here; there are: ${names.join(', ')}`,
    {
      details: { kind: name, kinds: names },
    },
  );
}

/**
 * The object of a kind that is meant: by id or name, nodes also by hostname, tasks also by
 * `SERVICE.SLOT`. @throws not-found
 */
export function objectMeant(
  view: View,
  kind: Kind<unknown, unknown>,
  reference: string,
): StoredObject {
  if (kind.name === Node.name) return findNode(view, reference);
  if (kind.name === Task.name) return findAnyTask(view, reference);
  const object = findObject(view, kind, reference);
  if (object !== undefined) return object;
  throw new SkepError('not-found', `no ${kind.name} '${reference}'`, {
    details: { kind: kind.name, name: reference },
  });
}
