/**
 * Which keys wait for what: a map from the thing waited for to the keys that wait.
 */

/** The key of an object in the allocator's queue: `Task/ID`. */
export type AllocatorKey = `${'Network' | 'Node' | 'Service' | 'Task'}/${string}`;

/** Makes the key of an object. */
export function keyOf(kind: 'Network' | 'Node' | 'Service' | 'Task', id: string): AllocatorKey {
  return `${kind}/${id}`;
}

/** Kind and id of a key. */
export function splitKey(key: string): { readonly kind: string; readonly id: string } {
  const slash = key.indexOf('/');
  return { kind: key.slice(0, slash), id: key.slice(slash + 1) };
}

const NONE: readonly AllocatorKey[] = Object.freeze([] as AllocatorKey[]);

/** Keys in buckets; every key says itself in which buckets it is. Cost: O(buckets of the key). */
export class KeyIndex {
  readonly #buckets = new Map<string, Set<AllocatorKey>>();
  readonly #places = new Map<AllocatorKey, readonly string[]>();

  /** Puts a key into exactly these buckets, out of all others. */
  put(key: AllocatorKey, buckets: readonly string[]): void {
    for (const bucket of this.#places.get(key) ?? []) {
      const keys = this.#buckets.get(bucket);
      keys?.delete(key);
      if (keys?.size === 0) this.#buckets.delete(bucket);
    }
    if (buckets.length === 0) {
      this.#places.delete(key);
      return;
    }
    this.#places.set(key, buckets);
    for (const bucket of buckets) {
      const keys = this.#buckets.get(bucket);
      if (keys === undefined) this.#buckets.set(bucket, new Set([key]));
      else keys.add(key);
    }
  }

  /** Keys in a bucket, in no promised order. */
  in(bucket: string): Iterable<AllocatorKey> {
    return this.#buckets.get(bucket) ?? NONE;
  }

  /** Whether a bucket has any keys. */
  has(bucket: string): boolean {
    return this.#buckets.has(bucket);
  }

  clear(): void {
    this.#buckets.clear();
    this.#places.clear();
  }
}
