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
  /** Keys of the object in each index of the table, by position. */
  keys: readonly IndexKeys[];

  constructor(object: StoredObject, keys: readonly IndexKeys[]) {
    this.id = object.meta.id;
    this.object = object;
    this.keys = keys;
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
  readonly buckets: Map<string, Bucket>;
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

  constructor(kind: AnyKind) {
    this.kind = kind;
    this.hasUniqueName = kind.hasUniqueName;
    this.#indexes = Object.keys(kind.indexes).map((name) => ({
      name,
      keysOf: kind.indexes[name] as (object: StoredObject) => IndexKeys,
      buckets: new Map(),
    }));
  }

  get size(): number {
    return this.#rows.size;
  }

  row(id: ObjectId): Row | undefined {
    return this.#rows.get(id);
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

  /** Rows under a key of an index: none, one, or a set that changes with the table. */
  bucket(index: string, key: string): Bucket | undefined {
    return this.#index(index).buckets.get(key);
  }

  /** Whether the object, of any time, is found under the key. */
  isUnder(object: StoredObject, index: string, key: string): boolean {
    const keys = this.#index(index).keysOf(object);
    return typeof keys === 'string' ? keys === key : keys !== undefined && keys.includes(key);
  }

  /**
   * Keys of an object in all indexes; `before` itself when they are the same.
   * @throws whatever an index function throws.
   */
  keysOf(object: StoredObject, before?: readonly IndexKeys[]): readonly IndexKeys[] {
    const indexes = this.#indexes;
    const keys = new Array<IndexKeys>(indexes.length);
    let isSame = before !== undefined;
    for (let i = 0; i < indexes.length; i += 1) {
      const next = (indexes[i] as Index).keysOf(object);
      const old = before?.[i];
      // The old key rather than an equal new one: later comparisons are by identity then.
      const isEqual = areSameKeys(old, next);
      if (!isEqual) isSame = false;
      keys[i] = isEqual ? old : next;
    }
    return isSame && before !== undefined ? before : keys;
  }

  insert(object: StoredObject, keys: readonly IndexKeys[]): void {
    const row = new Row(object, keys);
    this.#rows.set(row.id, row);
    if (this.hasUniqueName) this.#setName(row, object.meta.name);
    const indexes = this.#indexes;
    for (let i = 0; i < indexes.length; i += 1) {
      link((indexes[i] as Index).buckets, row, keys[i]);
    }
  }

  replace(row: Row, object: StoredObject, keys: readonly IndexKeys[]): void {
    const before = row.object;
    row.object = object;
    if (this.hasUniqueName && before.meta.name !== object.meta.name) {
      this.#dropName(row, before.meta.name);
      this.#setName(row, object.meta.name);
    }
    if (keys === row.keys) return;
    const indexes = this.#indexes;
    for (let i = 0; i < indexes.length; i += 1) {
      if (row.keys[i] === keys[i]) continue;
      const { buckets } = indexes[i] as Index;
      unlink(buckets, row, row.keys[i]);
      link(buckets, row, keys[i]);
    }
    row.keys = keys;
  }

  remove(row: Row): void {
    this.#rows.delete(row.id);
    if (this.hasUniqueName) this.#dropName(row, row.object.meta.name);
    const indexes = this.#indexes;
    for (let i = 0; i < indexes.length; i += 1) {
      unlink((indexes[i] as Index).buckets, row, row.keys[i]);
    }
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
    const table = this.#byKind.get(kind);
    if (table !== undefined) return table;
    throw new SkepError('invalid-argument', `the store keeps no objects of kind '${kind}'`, {
      details: { kind },
    });
  }

  all(): Iterable<Table> {
    return this.#byKind.values();
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
