/**
 * A kind, random commits of it, and stores over folders.
 */
import {
  canonicalJson,
  compareText,
  defineKind,
  newObject,
  withSpec,
  type Random,
  type StoredObject,
} from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { openStore, type Change, type Store, type StoreOptions } from '@skep/store';
import { lmdbBackend, type LmdbBackendOptions } from '../index.js';

/** Spec of {@link Part}. */
export interface PartSpec {
  readonly size: number;
  /** Filling. */
  readonly text: string;
}

/** The kind of the tests. */
export const Part = defineKind<PartSpec, object>({
  name: 'Part',
  initialStatus: Object.freeze({}),
});

/** An object of {@link Part}. */
export type Part = StoredObject<PartSpec, object>;

/** Opens the store in a folder, with options of the backend and of the store. */
export function openFolder(
  folder: string,
  own: Omit<LmdbBackendOptions, 'folder'> = {},
  options: Partial<StoreOptions> = {},
): Promise<Store> {
  const backend = lmdbBackend({ folder, ...own });
  return openStore({ kinds: [Part], clock: new VirtualClock(), backend, ...options });
}

/** The change that creates a part. */
export function createPart(id: string, spec: Partial<PartSpec> = {}): Change {
  return { type: 'create', object: newObject(Part, { id, spec: { size: 1, text: '', ...spec } }) };
}

/** Up to four changes at random: of parts that are there, and of some that are not. */
export function randomChanges(store: Store, random: Random, textMax: number): Change[] {
  const changes = new Map<string, Change>();
  for (let count = 1 + random.int(4); count > 0; count -= 1) {
    const id = `part${random.int(40)}`;
    const part = store.view().get(Part, id);
    const spec = { size: random.int(1_000_000), text: 'x'.repeat(random.int(textMax)) };
    if (part === undefined) changes.set(id, createPart(id, spec));
    else if (random.int(4) === 0) changes.set(id, { type: 'delete', kind: 'Part', id });
    else changes.set(id, { type: 'update', object: withSpec(part, spec) });
  }
  return [...changes.values()];
}

/** Everything in a store as text: equal contents give equal texts. */
export function contentOf(store: Store): string {
  const view = store.view();
  const parts = [...view.list(Part)].sort((a, b) => compareText(a.meta.id, b.meta.id));
  return canonicalJson({ revision: view.revision, parts });
}
