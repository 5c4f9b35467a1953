/**
 * What stands in the end, whatever came and went before.
 */
import { isTerminal, Service, Task, withMeta } from '@skep/api';
import type { AnyKind, StoredObject } from '@skep/api';
import { managedSpec } from '@skep/orchestrator';
import { comparableObjects } from '@skep/testing/controllers';
import type { View } from '@skep/store';

/**
 * For scenarios in which the user goes on before all is done: who is in haste spares the cluster
 * tasks and revisions, so ended tasks, and what services remember, do not count.
 */
export function standing(kinds: readonly AnyKind[]): (view: View) => readonly string[] {
  return (view) => comparableObjects({ ...methodsOf(view), list: listOf(view) }, kinds);
}

function listOf(view: View): View['list'] {
  return (kind, selector) => {
    const objects = view.list(kind, selector);
    if (kind.name === Task.name) return objects.filter(isStanding).map(withoutPast);
    return kind.name === Service.name ? objects.map(withoutMemory) : objects;
  };
}

function isStanding(object: StoredObject): boolean {
  return !isTerminal((object as Task).status.state);
}

/** Why a task was made, and instead of which, is the past. */
function withoutPast<Object extends StoredObject>(object: Object): Object {
  const { cause: _, replaces: __, release: ___, endpoint: ____, ...spec } = (object as Task).spec;
  return { ...object, spec };
}

/** Who owns the fields counts, also where nobody had to be named. */
function withoutMemory<Object extends StoredObject>(object: Object): Object {
  return withMeta({ ...object, status: {} }, { managers: managedSpec(object).managers }) as Object;
}

function methodsOf(view: View): Omit<View, 'list'> {
  return {
    revision: view.revision,
    get: (kind, id) => view.get(kind, id),
    getByName: (kind, name) => view.getByName(kind, name),
    count: (kind, selector) => view.count(kind, selector),
  };
}
