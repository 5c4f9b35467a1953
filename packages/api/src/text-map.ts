/**
 * A map from texts that stays fast when it is large.
 *
 * The engine's own map asks each text that it passes on its way for its hash, and all of them when
 * it grows or shrinks; in a large heap every such look waits for memory. Here the hashes stand side
 * by side in one array, and a text is looked at only when its hash is the right one.
 * Measured: docs/performance.md.
 */

const CAPACITY_MIN = 16;
/** Room that an empty map keeps: most queues are empty again and again. */
const CAPACITY_KEPT = 1_024;
/** Numbers that are kept of an entry: its hash, and the next entry of its bucket + 1. */
const LINK = 2;

/**
 * Values by text, in the order in which the texts came. As with `Map`, a value that is replaced
 * keeps its place. It must not change while it is iterated over.
 *
 * Cost: O(1); O(length of the text) to hash it, each time. Memory follows the number of entries:
 * what was taken out leaves when room is made the next time, or when the map is empty.
 */
export class TextMap<Value> {
  /** First entry + 1 of each bucket. */
  #heads = new Int32Array(CAPACITY_MIN);
  #links = new Int32Array(CAPACITY_MIN * LINK);
  /** Undefined where an entry was deleted. */
  #keys: (string | undefined)[] = [];
  #values: (Value | undefined)[] = [];
  /** Entries up to here are taken, or were. */
  #end = 0;
  #size = 0;

  /** How many texts have a value. */
  get size(): number {
    return this.#size;
  }

  /** The value of a text, if it has one. */
  get(key: string): Value | undefined {
    const at = this.#find(key, hashOf(key));
    return at < 0 ? undefined : this.#values[at];
  }

  /** Gives a text its value, in place of the one that it has. */
  set(key: string, value: Value): void {
    const hash = hashOf(key);
    const at = this.#find(key, hash);
    if (at >= 0) {
      this.#values[at] = value;
      return;
    }
    if (this.#end === this.#heads.length) this.#resize();
    this.#keys[this.#end] = key;
    this.#values[this.#end] = value;
    this.#link(this.#end, hash);
    this.#end += 1;
    this.#size += 1;
  }

  /** Takes a text out; false when it was not in. */
  delete(key: string): boolean {
    const hash = hashOf(key);
    const links = this.#links;
    const bucket = hash & (this.#heads.length - 1);
    let before = -1;
    let at = (this.#heads[bucket] as number) - 1;
    while (at >= 0 && (links[at * LINK] !== hash || this.#keys[at] !== key)) {
      before = at;
      at = (links[at * LINK + 1] as number) - 1;
    }
    if (at < 0) return false;
    const next = links[at * LINK + 1] as number;
    if (before < 0) this.#heads[bucket] = next;
    else links[before * LINK + 1] = next;
    this.#keys[at] = undefined;
    this.#values[at] = undefined;
    this.#size -= 1;
    if (this.#size === 0) this.#startAnew();
    return true;
  }

  /** All values. */
  *values(): IterableIterator<Value> {
    for (let at = 0; at < this.#end; at += 1) {
      if (this.#keys[at] !== undefined) yield this.#values[at] as Value;
    }
  }

  #find(key: string, hash: number): number {
    const links = this.#links;
    let at = (this.#heads[hash & (this.#heads.length - 1)] as number) - 1;
    while (at >= 0 && (links[at * LINK] !== hash || this.#keys[at] !== key)) {
      at = (links[at * LINK + 1] as number) - 1;
    }
    return at;
  }

  #link(at: number, hash: number): void {
    const bucket = hash & (this.#heads.length - 1);
    this.#links[at * LINK] = hash;
    this.#links[at * LINK + 1] = this.#heads[bucket] as number;
    this.#heads[bucket] = at + 1;
  }

  /** It is empty, and so are all buckets. */
  #startAnew(): void {
    this.#end = 0;
    if (this.#heads.length > CAPACITY_KEPT) this.#resize();
  }

  /** Makes room for as many entries again as there are; those that were deleted leave. */
  #resize(): void {
    let capacity = CAPACITY_MIN;
    while (capacity < this.#size * 2) capacity *= 2;
    const links = this.#links;
    this.#links = new Int32Array(capacity * LINK);
    this.#heads = new Int32Array(capacity);
    if (this.#size < this.#keys.length) this.#dropDeleted(links);
    this.#end = this.#size;
    for (let at = 0; at < this.#size; at += 1) this.#link(at, links[at * LINK] as number);
  }

  /** Closes the gaps, in the links too. */
  #dropDeleted(links: Int32Array): void {
    const keys: string[] = [];
    const values: Value[] = [];
    for (let at = 0; at < this.#keys.length; at += 1) {
      const key = this.#keys[at];
      if (key === undefined) continue;
      links[keys.length * LINK] = links[at * LINK] as number;
      keys.push(key);
      values.push(this.#values[at] as Value);
    }
    this.#keys = keys;
    this.#values = values;
  }
}

/** FNV-1a, with its upper bits folded in. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash ^ (hash >>> 15);
}
