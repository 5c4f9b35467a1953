/**
 * A store with two kinds, virtual time, and ears for logs: what most tests here start from.
 */
import { byIndex, defineKind, Event, newObject, seededRandom, withSpec } from '@skep/api';
import type { IndexSelector, LogFields, Logger, NewMeta } from '@skep/api';
import type { ObjectId, Random, StoredObject } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { memoryStore, type Change, type CommitResult, type Store } from '@skep/store';
import type { ControllerSeams } from '../contract.js';

export interface ParentSpec {
  readonly wanted: number;
  readonly note?: string;
}

export type Parent = StoredObject<ParentSpec, { readonly seen?: number }>;

export const Parent = defineKind<ParentSpec, { readonly seen?: number }>({
  name: 'Parent',
  initialStatus: {},
});

export interface ChildSpec {
  readonly parentId: ObjectId;
}

export type Child = StoredObject<ChildSpec, Record<string, never>>;

export const Child = defineKind<ChildSpec, Record<string, never>>({
  name: 'Child',
  hasUniqueName: false,
  indexes: { parent: ({ spec }) => spec.parentId },
  initialStatus: {},
});

export const childrenOf = (
  parentId: ObjectId,
): IndexSelector<ChildSpec, Record<string, never>> => byIndex(Child, 'parent', parentId);

export function parent(id: ObjectId, spec: Partial<ParentSpec> = {}): Parent {
  return newObject(Parent, { id, name: id, spec: { wanted: 1, ...spec } });
}

export function child(id: ObjectId, parentId: ObjectId, meta: Partial<NewMeta> = {}): Child {
  const owners = [{ kind: 'Parent', id: parentId, isController: true }];
  return newObject(Child, { owners, ...meta, id, spec: { parentId } });
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

export interface World {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly random: Random;
  readonly logs: readonly LogLine[];
  readonly seams: ControllerSeams;
  /** Commits as a user. */
  commit(...changes: Change[]): Promise<CommitResult>;
  /** Replaces the spec of a parent as a user. */
  edit(id: ObjectId, spec: Partial<ParentSpec>): Promise<CommitResult>;
}

export interface WorldOptions {
  readonly bufferMax?: number;
  readonly store?: (inner: Store) => Store;
}

export function world(options: WorldOptions = {}): World {
  const clock = new VirtualClock();
  const inner = memoryStore({
    clock,
    kinds: [Parent, Child, Event],
    checks: { freeze: true, ownership: true },
    watcher: { bufferMax: options.bufferMax ?? 10_000 },
    listOrder: seededRandom('any order'),
  });
  const store = options.store?.(inner) ?? inner;
  const random = seededRandom('world');
  const logs: LogLine[] = [];
  const commit = (...changes: Change[]): Promise<CommitResult> =>
    store.commit({ actor: 'user', changes });
  return {
    clock,
    store,
    random,
    logs,
    seams: { store, clock, random, logger: listeningLogger(logs) },
    commit,
    edit: (id, spec) => {
      const before = inner.view().get(Parent, id);
      if (before === undefined) throw new Error(`no parent ${id}`);
      const object = withSpec(before, { ...before.spec, ...spec });
      return commit({ type: 'update', object });
    },
  };
}

export function listeningLogger(logs: LogLine[]): Logger {
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: LogFields = {}): void => {
      logs.push({ level, message, fields });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
