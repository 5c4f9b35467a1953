/**
 * A shared cache of one kind: what a controller wants to know of it, found the way it wants.
 *
 * **Source:** client-go tools/cache shared_informer.go for the role; typed projections are ours.
 */
import { isEqual } from '@skep/api';
import type { IndexKeys, Kind, ObjectId, Revision, StoredObject } from '@skep/api';
import { chooserOf, type CommitEvent, type ObjectChoice } from '@skep/store';
import type { ObjectEvent, View } from '@skep/store';
import { Observable } from 'rxjs';
import { Reflector, type ReflectorListener, type ReflectorSeams } from './reflector.js';

/** How a cache is kept. */
export interface InformerOptions<Spec, Status, Item> {
  /**
   * Which objects are kept: by labels and fields, or by a function. One that begins to be chosen is
   * told as `created`, one that ceases to be as `deleted`; also when the watch has to start again.
   * Default: all.
   */
  readonly objects?: ObjectChoice;
  /** What is kept of an object; undefined leaves it out. Pure. Default: the object itself. */
  readonly select?: (object: StoredObject<Spec, Status>) => Item | undefined;
  /** Indexes of the cache's own, by name: the keys under which an item is found. Pure. */
  readonly indexes?: Readonly<Record<string, (item: Item) => IndexKeys>>;
}

/** What happened to one item of a cache. */
export interface InformerEvent<Item> {
  readonly type: 'created' | 'updated' | 'deleted';
  readonly id: ObjectId;
  /** The item after the change; for `deleted`, as it last was. */
  readonly item: Item;
  /** The item before; absent for `created`. */
  readonly previous?: Item;
}

interface Slot<Item> {
  readonly version: Revision;
  readonly item: Item;
}

/**
 * A cache of one kind, kept from the watch. Made by {@link informer} or by a controller group, and
 * shared by whoever holds it. Memory: one entry for each object that `select` keeps.
 *
 * When the watch has to start again, the cache lists, compares with what it had, and tells its
 * subscribers the difference: they see no gap. An update that leaves the selected item equal is not
 * told. Lists come in no promised order.
 */
export class Informer<
  Spec = unknown,
  Status = unknown,
  Item = StoredObject<Spec, Status>,
> implements ReflectorListener {
  readonly kind: Kind<Spec, Status>;
  readonly #isChosen: ((object: StoredObject) => boolean) | undefined;
  readonly #select: (object: StoredObject<Spec, Status>) => Item | undefined;
  readonly #indexFunctions: readonly (readonly [string, (item: Item) => IndexKeys])[];
  readonly #indexes = new Map<string, Map<string, Map<ObjectId, Item>>>();
  readonly #slots = new Map<ObjectId, Slot<Item>>();
  readonly #listeners = new Set<(event: InformerEvent<Item>) => void>();
  readonly #waiters: (() => void)[] = [];
  #revision: Revision = 0;
  #isReady = false;
  #onStop: (() => void) | undefined;

  constructor(kind: Kind<Spec, Status>, options: InformerOptions<Spec, Status, Item> = {}) {
    this.kind = kind;
    this.#isChosen = options.objects && chooserOf(options.objects);
    this.#select = options.select ?? ((object) => object as Item);
    this.#indexFunctions = Object.entries(options.indexes ?? {});
    for (const [name] of this.#indexFunctions) this.#indexes.set(name, new Map());
  }

  /** Revision up to which the cache follows the store. */
  get revision(): Revision {
    return this.#revision;
  }

  /** How many items there are. */
  get size(): number {
    return this.#slots.size;
  }

  /** Whether the first list is in. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves once the first list is in. */
  ready(): Promise<void> {
    if (this.#isReady) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** The item of an object, if it is kept. */
  get(id: ObjectId): Item | undefined {
    return this.#slots.get(id)?.item;
  }

  /** All items. Cost: O(items). */
  list(): readonly Item[] {
    return [...this.#slots.values()].map((slot) => slot.item);
  }

  /** The items under a key of one of the cache's indexes. Cost: O(result). */
  by(index: string, key: string): readonly Item[] {
    const found = this.#indexes.get(index)?.get(key);
    return found === undefined ? [] : [...found.values()];
  }

  /** How many items are under a key of an index. Cost: O(1). */
  count(index: string, key: string): number {
    return this.#indexes.get(index)?.get(key)?.size ?? 0;
  }

  /** Calls `listener` for every change from now on. It must not throw. */
  subscribe(listener: (event: InformerEvent<Item>) => void): { unsubscribe(): void } {
    this.#listeners.add(listener);
    return { unsubscribe: () => this.#listeners.delete(listener) };
  }

  /** The same as an observable; it never ends. */
  get events$(): Observable<InformerEvent<Item>> {
    return new Observable((subscriber) => this.subscribe((event) => subscriber.next(event)));
  }

  /** Lets go of the store; the items stay as they are. */
  stop(): void {
    this.#onStop?.();
    this.#onStop = undefined;
  }

  /** Says what `stop` has to do. @internal */
  attach(onStop: () => void): void {
    this.#onStop = onStop;
  }

  /** Follows one commit. @internal */
  commit(event: CommitEvent): void {
    for (const change of event.events) {
      if (change.object.kind === this.kind.name) this.#follow(change);
    }
    this.#revision = event.revision;
  }

  /** Lists again and tells the difference. @internal */
  reset(view: View): void {
    const objects = view.list(this.kind);
    const present = new Set<ObjectId>();
    for (const object of objects) {
      present.add(object.meta.id);
      if (this.#slots.get(object.meta.id)?.version !== object.meta.version) this.#put(object);
    }
    for (const id of [...this.#slots.keys()]) if (!present.has(id)) this.#drop(id);
    this.#revision = view.revision;
    this.#isReady = true;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  #follow(change: ObjectEvent): void {
    if (change.type === 'deleted') this.#drop(change.object.meta.id);
    else this.#put(change.object as StoredObject<Spec, Status>);
  }

  #put(object: StoredObject<Spec, Status>): void {
    const { id, version } = object.meta;
    const isChosen = this.#isChosen === undefined || this.#isChosen(object);
    const item = isChosen ? this.#select(object) : undefined;
    if (item === undefined) {
      this.#drop(id);
      return;
    }
    const before = this.#slots.get(id);
    if (before !== undefined && isEqual(before.item, item)) {
      this.#slots.set(id, { version, item: before.item });
      return;
    }
    if (before !== undefined) this.#unindex(id, before.item);
    this.#slots.set(id, { version, item });
    this.#index(id, item);
    this.#tell(
      before === undefined
        ? { type: 'created', id, item }
        : { type: 'updated', id, item, previous: before.item },
    );
  }

  #drop(id: ObjectId): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.delete(id);
    this.#unindex(id, slot.item);
    this.#tell({ type: 'deleted', id, item: slot.item, previous: slot.item });
  }

  #index(id: ObjectId, item: Item): void {
    for (const [name, keysOf] of this.#indexFunctions) {
      const index = this.#indexes.get(name);
      for (const key of toKeys(keysOf(item))) {
        const found = index?.get(key);
        if (found === undefined) index?.set(key, new Map([[id, item]]));
        else found.set(id, item);
      }
    }
  }

  #unindex(id: ObjectId, item: Item): void {
    for (const [name, keysOf] of this.#indexFunctions) {
      const index = this.#indexes.get(name);
      for (const key of toKeys(keysOf(item))) {
        const found = index?.get(key);
        found?.delete(id);
        if (found?.size === 0) index?.delete(key);
      }
    }
  }

  #tell(event: InformerEvent<Item>): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function toKeys(keys: IndexKeys): readonly string[] {
  if (keys === undefined) return [];
  return typeof keys === 'string' ? [keys] : keys;
}

/**
 * A cache with a watch of its own, ready when this returns unless the store cannot be watched yet.
 * Inside a controller group use its `informer` method: there all share one watch.
 */
export function informer<Spec, Status, Item = StoredObject<Spec, Status>>(
  seams: ReflectorSeams,
  kind: Kind<Spec, Status>,
  options: InformerOptions<Spec, Status, Item> = {},
): Informer<Spec, Status, Item> {
  const cache = new Informer(kind, options);
  const reflector = new Reflector(seams);
  reflector.join(cache);
  reflector.start();
  cache.attach(() => reflector.stop());
  return cache;
}
