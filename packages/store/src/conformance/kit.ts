/**
 * What the conformance suites are given, and what they are written with.
 */
import {
  Lease,
  SkepError,
  defineKind,
  isSkepError,
  newObject,
  type Clock,
  type NewMeta,
  type StoredObject,
} from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import type { Change, CommitEvent, CommitResult, Conflict, Store } from '../contract.js';
import type { StoreOptions } from '../options.js';

/** The matchers that the suites use. */
export interface ConformanceMatchers {
  /** The same value, as by `Object.is`. */
  toBe(expected: unknown): void;
  /** The same content, fields that are undefined aside. */
  toEqual(expected: unknown): void;
}

/** The parts of a test framework that the suites need; those of jest and vitest fit. */
export interface ConformanceKit {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => Promise<void>): void;
  expect(actual: unknown): ConformanceMatchers;
}

/** Makes an empty store with these options over the backend under test. */
export type MakeStore = (options: StoreOptions) => Store | Promise<Store>;

/** Several stores over one backend. */
export interface StoreGroup {
  /** Another store; it sees what is there. */
  open(options: StoreOptions): Promise<Store>;
  /** Resolves when every store has heard of every commit. */
  settle(): Promise<void>;
}

/** Makes a backend without commits, on which stores can be opened. */
export type MakeStoreGroup = (clock: VirtualClock) => StoreGroup | Promise<StoreGroup>;

/** Spec of the test kind {@link Box}. */
export interface BoxSpec {
  readonly color?: string;
  readonly tags?: readonly string[];
  readonly size: number;
}

/** Status of the test kind {@link Box}. */
export interface BoxStatus {
  readonly place?: string;
}

/** A kind with unique names, and indexes with one key, several keys, and keys from the status. */
export const Box = defineKind<BoxSpec, BoxStatus>({
  name: 'Box',
  plural: 'boxes',
  indexes: {
    color: ({ spec }) => spec.color,
    tag: ({ spec }) => spec.tags,
    place: ({ status }) => status.place,
  },
  specIndexes: ['color', 'tag'],
  initialStatus: Object.freeze({}),
});

/** An object of {@link Box}. */
export type Box = StoredObject<BoxSpec, BoxStatus>;

/** A kind whose names are not unique. */
export const Note = defineKind<{ readonly text: string }, object>({
  name: 'Note',
  hasUniqueName: false,
  initialStatus: Object.freeze({}),
});

/** The kinds of the suites. */
export const KINDS = Object.freeze([Box, Note, Lease]);

/** A box that was not written yet. */
export function newBox(meta: NewMeta, spec: Partial<BoxSpec> = {}): Box {
  return newObject(Box, { ...meta, spec: { size: 1, ...spec } });
}

/** The change that creates a box. */
export function createBox(meta: NewMeta, spec: Partial<BoxSpec> = {}): Change {
  return { type: 'create', object: newBox(meta, spec) };
}

/** The change that creates a note. */
export function createNote(id: string, text = ''): Change {
  return { type: 'create', object: newObject(Note, { id, spec: { text } }) };
}

/** The change that replaces an object. */
export function update(object: StoredObject): Change {
  return { type: 'update', object };
}

/** A store and its clock for one test, and shorthands. */
export interface Fixture {
  readonly store: Store;
  readonly clock: VirtualClock;
  /** Commits as `tester`. */
  commit(...changes: readonly Change[]): Promise<CommitResult>;
  /** The box as it is now; throws when there is none. */
  box(id: string): Box;
}

/** Runs a test with a store of its own, which is closed afterwards. */
export async function withStore(
  makeStore: MakeStore,
  test: (fixture: Fixture) => Promise<void>,
  options: Partial<StoreOptions> = {},
): Promise<void> {
  const clock = new VirtualClock();
  const store = await makeStore({ kinds: KINDS, clock, ...options });
  try {
    await test(fixtureOf(store, clock));
  } finally {
    await store.close();
  }
}

/** The shorthands for a store. */
export function fixtureOf(store: Store, clock: VirtualClock): Fixture {
  return {
    store,
    clock,
    commit: (...changes) => store.commit({ actor: 'tester', changes }),
    box: (id) => {
      const box = store.view().get(Box, id);
      if (box === undefined) throw new SkepError('not-found', `there is no box ${id}`);
      return box;
    },
  };
}

/** The conflict of a commit; undefined when it went through. */
export function conflictOf(result: CommitResult): Conflict | undefined {
  return result.ok ? undefined : result.conflict;
}

/** The code of the error that a promise rejects with; `none` when it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (thrown) {
    return codeOfThrown(thrown);
  }
}

/** The code of a thrown value. */
export function codeOfThrown(thrown: unknown): string {
  return isSkepError(thrown) ? thrown.code : `not a SkepError: ${String(thrown)}`;
}

/** The code that a function throws; `none` when it does not. */
export function codeOfCall(call: () => unknown): string {
  try {
    call();
    return 'none';
  } catch (thrown) {
    return codeOfThrown(thrown);
  }
}

/** Lets what is delivered in microtasks be delivered. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 50; i += 1) await Promise.resolve();
}

/** A listener that remembers. */
export interface Recorder {
  readonly commits: CommitEvent[];
  /** Codes of the reasons for which it ended: none or one. */
  readonly ends: string[];
  commit(event: CommitEvent): void;
  ended(reason: Error): void;
}

/** Makes a {@link Recorder}. */
export function recorder(): Recorder {
  const commits: CommitEvent[] = [];
  const ends: string[] = [];
  return {
    commits,
    ends,
    commit: (event) => {
      commits.push(event);
    },
    ended: (reason) => {
      ends.push(codeOfThrown(reason));
    },
  };
}

/** A commit in short: `3 created Box a, deleted Box b`. */
export function summary(commit: CommitEvent): string {
  const events = commit.events.map(
    ({ type, object }) => `${type} ${object.kind} ${object.meta.id}`,
  );
  return `${commit.revision} ${events.join(', ')}`;
}

/** Options for another store of a group. */
export function optionsOf(clock: Clock): StoreOptions {
  return { kinds: KINDS, clock };
}
