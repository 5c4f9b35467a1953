/**
 * The current objects of one kind, with its name index and its secondary indexes.
 */
import {
  SkepError,
  type AnyKind,
  type IndexKeys,
  type ObjectId,
  type StoredObject,
} from '@skep/api';

/** Where an object stands in its table. The row stays while the object is replaced. */
export class Row {
  readonly id: ObjectId;
  object: StoredObject;
  /** Number of the transaction that took the row last, see {@link Tables.begin}. */
  takenBy: number;
  /** The rows that were inserted just before and just after this one. */
  before: Row | undefined;
  behind: Row | undefined;

  constructor(object: StoredObject) {
    this.id = object.meta.id;
    this.object = object;
    this.takenBy = 0;
    this.before = undefined;
    this.behind = undefined;
  }
}

/**
 * Rows under one key of an index: one, few, or many. Few are searched faster in an array than in a
 * set, and an array takes a fraction of the memory.
 */
type Bucket = Row | Row[] | Set<Row>;

/** Rows in an array, at most. */
const FEW = 32;

interface Index {
  readonly name: string;
  readonly keysOf: (object: StoredObject) => IndexKeys;
  /** Whether keys follow from the spec alone. */
  readonly isOfSpec: boolean;
  /** Rows by key, from the first time that somebody asks: an index nobody uses costs nothing. */
  buckets: Map<string, Bucket> | undefined;
}

/**
 * A table: rows by id, by name where names are unique, and by the keys of each index.
 * Everything that may throw (index functions are users' code) is done by {@link Table.keysOf},
 * before a commit changes anything; the methods that change the table do not throw.
 */
export class Table {
  readonly kind: AnyKind;
  readonly hasUniqueName: boolean;
  readonly #rows = new Map<ObjectId, Row>();
  readonly #names = new Map<string, Row>();
  readonly #indexes: readonly Index[];
  /** The row that was inserted last. */
  #last: Row | undefined;
  /** The row that was found last. */
  #found: Row | undefined;

  constructor(kind: AnyKind) {
    this.kind = kind;
    this.hasUniqueName = kind.hasUniqueName;
    this.#indexes = Object.keys(kind.indexes).map((name) => ({
      name,
      keysOf: kind.indexes[name] as (object: StoredObject) => IndexKeys,
      isOfSpec: kind.specIndexes.includes(name),
      buckets: undefined,
    }));
  }

  get size(): number {
    return this.#rows.size;
  }

  /**
   * The row of an object. What comes in a burst is mostly asked for in the order in which it came:
   * first the row behind the one that was found last is looked at, then the map.
   */
  row(id: ObjectId): Row | undefined {
    const next = this.#found?.behind;
    const row = next?.id === id ? next : this.#rows.get(id);
    if (row !== undefined) this.#found = row;
    return row;
  }

  rows(): Iterable<Row> {
    return this.#rows.values();
  }

  /** Row with this name, compared without case. */
  rowByName(name: string): Row | undefined {
    return this.#names.get(name.toLowerCase());
  }

  isNameTaken(name: string): boolean {
    return this.#names.has(name.toLowerCase());
  }

  /**
   * Rows under a key of an index: none, one, or a set that changes with the table.
   * Cost: O(1); O(rows) the first time that the index is asked.
   */
  bucket(index: string, key: string): Bucket | undefined {
    const asked = this.#index(index);
    return (asked.buckets ?? this.#build(asked)).get(key);
  }

  /** Whether the object, of any time, is found under the key. */
  isUnder(object: StoredObject, index: string, key: string): boolean {
    const keys = this.#index(index).keysOf(object);
    return typeof keys === 'string' ? keys === key : keys !== undefined && keys.includes(key);
  }

  /**
   * Keys of an object in all indexes.
   * @throws whatever an index function throws.
   */
  keysOf(object: StoredObject): readonly IndexKeys[] {
    const indexes = this.#indexes;
    const keys = new Array<IndexKeys>(indexes.length);
    for (let i = 0; i < indexes.length; i += 1) keys[i] = (indexes[i] as Index).keysOf(object);
    return keys;
  }

  /**
   * Whether the object may replace the row's: its keys can be worked out.
   * @throws whatever an index function throws.
   */
  checkNext(row: Row, object: StoredObject): void {
    const indexes = this.#indexes;
    const isSameSpec = row.object.spec === object.spec;
    for (let i = 0; i < indexes.length; i += 1) {
      const index = indexes[i] as Index;
      if (!isSameSpec || !index.isOfSpec) index.keysOf(object);
    }
  }

  /**
   * For tests and development: that indexes said to follow from the spec do.
   * @throws failed-precondition naming the index that does not.
   */
  checkSpecIndexes(row: Row, object: StoredObject): void {
    if (row.object.spec !== object.spec) return;
    for (const { name, isOfSpec, keysOf } of this.#indexes) {
      if (!isOfSpec || areSameKeys(keysOf(row.object), keysOf(object))) continue;
      throw new SkepError(
        'failed-precondition',
        `index '${name}' of kind ${this.kind.name} is one of its specIndexes, but its keys ` +
          `changed with the status of ${object.meta.id}`,
        { details: { kind: this.kind.name, index: name, id: object.meta.id } },
      );
    }
  }

  insert(object: StoredObject, keys: readonly IndexKeys[]): void {
    const row = new Row(object);
    this.#rows.set(row.id, row);
    row.before = this.#last;
    if (this.#last !== undefined) this.#last.behind = row;
    this.#last = row;
    if (this.hasUniqueName) this.#setName(row, object.meta.name);
    const indexes = this.#indexes;
    for (let i = 0; i < indexes.length; i += 1) {
      const { buckets } = indexes[i] as Index;
      if (buckets !== undefined) link(buckets, row, keys[i]);
    }
  }

  /** Replaces the object of a row. Keys are worked out again: cheaper than to keep them. */
  replace(row: Row, object: StoredObject): void {
    const before = row.object;
    row.object = object;
    if (this.hasUniqueName && before.meta.name !== object.meta.name) {
      this.#dropName(row, before.meta.name);
      this.#setName(row, object.meta.name);
    }
    const isSameSpec = before.spec === object.spec;
    const indexes = this.#indexes;
    for (let i = 0; i < indexes.length; i += 1) {
      const { buckets, keysOf, isOfSpec } = indexes[i] as Index;
      if (buckets === undefined || (isSameSpec && isOfSpec)) continue;
      const old = keysOf(before);
      const next = keysOf(object);
      if (areSameKeys(old, next)) continue;
      unlink(buckets, row, old);
      link(buckets, row, next);
    }
  }

  remove(row: Row): void {
    this.#rows.delete(row.id);
    this.#unchain(row);
    if (this.hasUniqueName) this.#dropName(row, row.object.meta.name);
    const indexes = this.#indexes;
    for (let i = 0; i < indexes.length; i += 1) {
      const { buckets, keysOf } = indexes[i] as Index;
      if (buckets !== undefined) unlink(buckets, row, keysOf(row.object));
    }
  }

  #unchain(row: Row): void {
    const { before, behind } = row;
    if (before !== undefined) before.behind = behind;
    if (behind === undefined) this.#last = before;
    else behind.before = before;
    // The next question is mostly about the row behind.
    if (this.#found === row) this.#found = before;
  }

  #build(index: Index): Map<string, Bucket> {
    const buckets = new Map<string, Bucket>();
    for (const row of this.#rows.values()) link(buckets, row, index.keysOf(row.object));
    index.buckets = buckets;
    return buckets;
  }

  #index(name: string): Index {
    for (const index of this.#indexes) if (index.name === name) return index;
    const known = this.#indexes.map((index) => index.name).join(', ');
    throw new SkepError(
      'invalid-argument',
      `kind ${this.kind.name} has no index '${name}'; it has: ${known || 'none'}`,
      { details: { kind: this.kind.name, index: name } },
    );
  }

  #setName(row: Row, name: string): void {
    if (name !== '') this.#names.set(name.toLowerCase(), row);
  }

  #dropName(row: Row, name: string): void {
    const key = name.toLowerCase();
    // Another row may have it already: a backend may tell deletions after what was written.
    if (this.#names.get(key) === row) this.#names.delete(key);
  }
}

/** The tables of a store by the name of their kind. */
export class Tables {
  readonly #byKind = new Map<string, Table>();
  #transactions = 0;
  /** The table that was asked for last: a burst is mostly of one kind. */
  #last: Table | undefined;

  /** @throws invalid-argument when two kinds have one name. */
  constructor(kinds: readonly AnyKind[]) {
    for (const kind of kinds) {
      if (this.#byKind.has(kind.name)) {
        throw new SkepError('invalid-argument', `two kinds are named ${kind.name}`);
      }
      this.#byKind.set(kind.name, new Table(kind));
    }
  }

  /** @throws invalid-argument for a kind that the store does not keep. */
  of(kind: string): Table {
    if (this.#last?.kind.name === kind) return this.#last;
    const table = this.#byKind.get(kind);
    if (table !== undefined) {
      this.#last = table;
      return table;
    }
    throw new SkepError('invalid-argument', `the store keeps no objects of kind '${kind}'`, {
      details: { kind },
    });
  }

  all(): Iterable<Table> {
    return this.#byKind.values();
  }

  /** Number of a transaction that begins to be checked; from 1. */
  begin(): number {
    this.#transactions += 1;
    return this.#transactions;
  }
}

function areSameKeys(a: IndexKeys, b: IndexKeys): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

function link(buckets: Map<string, Bucket>, row: Row, keys: IndexKeys): void {
  if (typeof keys === 'string') linkOne(buckets, row, keys);
  else if (keys !== undefined) for (const key of keys) linkOne(buckets, row, key);
}

function linkOne(buckets: Map<string, Bucket>, row: Row, key: string): void {
  const bucket = buckets.get(key);
  if (bucket === undefined) {
    buckets.set(key, row);
  } else if (bucket instanceof Row) {
    if (bucket !== row) buckets.set(key, [bucket, row]);
  } else if (bucket instanceof Set) {
    bucket.add(row);
  } else if (bucket.length < FEW) {
    if (bucket[bucket.length - 1] !== row) bucket.push(row);
  } else {
    buckets.set(key, new Set(bucket).add(row));
  }
}

function unlink(buckets: Map<string, Bucket>, row: Row, keys: IndexKeys): void {
  if (typeof keys === 'string') unlinkOne(buckets, row, keys);
  else if (keys !== undefined) for (const key of keys) unlinkOne(buckets, row, key);
}

function unlinkOne(buckets: Map<string, Bucket>, row: Row, key: string): void {
  const bucket = buckets.get(key);
  if (bucket === row) {
    buckets.delete(key);
  } else if (bucket instanceof Set) {
    bucket.delete(row);
    if (bucket.size === 0) buckets.delete(key);
  } else if (Array.isArray(bucket)) {
    const at = bucket.indexOf(row);
    if (at < 0) return;
    const last = bucket.pop();
    if (last !== undefined && at < bucket.length) bucket[at] = last;
    if (bucket.length === 0) buckets.delete(key);
  }
}
