/**
 * A map from texts that stays fast when it is large.
 *
 * The engine's own map asks each text that it passes on its way for its hash, and all of them when
 * it grows or shrinks; in a large heap every such look waits for memory. Here the hashes stand side
 * by side in one array, and a text is looked at only when its hash is the right one.
 * Measured: docs/performance.md.
 */

const CAPACITY_MIN = 16;
/** Room that a map keeps when it has become empty: most queues are empty again and again. */
const CAPACITY_KEPT = 1_024;
/** Slots by entry: with half of them free, most texts are found, or missed, in the first. */
const SLOTS = 2;
/** Numbers of a slot: the hash of its entry, and the entry + 1; 0 when it is free. */
const SLOT = 2;

/**
 * Values by text, in the order in which the texts came. As with `Map`, a value that is replaced
 * keeps its place. It must not change while it is iterated over.
 *
 * Cost: O(1); O(length of the text) to hash it. What came first and leaves first, and what is put
 * in just after it was missed, is hashed once. Memory follows the number of entries: what was taken
 * out leaves its bucket when room is made the next time.
 */
export class TextMap<Value> {
  #slots = new Int32Array(CAPACITY_MIN * SLOTS * SLOT);
  /** By entry: what is needed to make room. */
  #hashes = new Int32Array(CAPACITY_MIN);
  /** Undefined where an entry was deleted. */
  #keys: (string | undefined)[] = [];
  #values: (Value | undefined)[] = [];
  /** No entry before here is taken: mostly what came first leaves first. */
  #start = 0;
  /** Entries up to here are taken, or were. */
  #end = 0;
  #size = 0;
  /** What was asked for last and not found: mostly it is put in next. */
  #missed: string | undefined;
  #missedHash = 0;

  /** How many texts have a value. */
  get size(): number {
    return this.#size;
  }

  /** The value of a text, if it has one. */
  get(key: string): Value | undefined {
    const hash = hashOf(key);
    const at = this.#find(key, hash);
    if (at >= 0) return this.#values[at];
    this.#missed = key;
    this.#missedHash = hash;
    return undefined;
  }

  /** Gives a text its value, in place of the one that it has. */
  set(key: string, value: Value): void {
    const isMissed = key === this.#missed;
    const hash = isMissed ? this.#missedHash : hashOf(key);
    const at = isMissed ? -1 : this.#find(key, hash);
    if (at >= 0) {
      this.#values[at] = value;
      return;
    }
    this.#missed = undefined;
    if (this.#end === this.#hashes.length) this.#makeRoom();
    this.#keys[this.#end] = key;
    this.#values[this.#end] = value;
    this.#enter(this.#end, hash);
    this.#end += 1;
    this.#size += 1;
  }

  /** Takes a text out; false when it was not in. */
  delete(key: string): boolean {
    const at = this.#keys[this.#start] === key ? this.#start : this.#find(key, hashOf(key));
    if (at < 0) return false;
    // It keeps its slot, where nobody finds it without its key.
    this.#keys[at] = undefined;
    this.#values[at] = undefined;
    this.#size -= 1;
    while (this.#start < this.#end && this.#keys[this.#start] === undefined) this.#start += 1;
    if (this.#size === 0 && this.#hashes.length > CAPACITY_KEPT) this.#makeRoom();
    return true;
  }

  /** All values. */
  *values(): IterableIterator<Value> {
    for (let at = this.#start; at < this.#end; at += 1) {
      if (this.#keys[at] !== undefined) yield this.#values[at] as Value;
    }
  }

  #find(key: string, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = (hash << 1) & mask; ; slot = (slot + SLOT) & mask) {
      const at = (slots[slot + 1] as number) - 1;
      if (at < 0 || (slots[slot] === hash && this.#keys[at] === key)) return at;
    }
  }

  #enter(at: number, hash: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = (hash << 1) & mask;
    while (slots[slot + 1] !== 0) slot = (slot + SLOT) & mask;
    slots[slot] = hash;
    slots[slot + 1] = at + 1;
    this.#hashes[at] = hash;
  }

  /** Makes room for as many entries again as there are; those that were deleted leave. */
  #makeRoom(): void {
    const capacity = this.#capacity();
    const hashes = this.#hashes;
    if (capacity === hashes.length) {
      this.#slots.fill(0);
    } else {
      this.#slots = new Int32Array(capacity * SLOTS * SLOT);
      this.#hashes = new Int32Array(capacity);
    }
    if (this.#size < this.#end) this.#dropDeleted(hashes);
    this.#start = 0;
    this.#end = this.#size;
    for (let at = 0; at < this.#size; at += 1) this.#enter(at, hashes[at] as number);
  }

  #capacity(): number {
    let capacity = CAPACITY_MIN;
    while (capacity < this.#size * 2) capacity *= 2;
    const kept = this.#hashes.length;
    return kept <= CAPACITY_KEPT ? Math.max(capacity, kept) : capacity;
  }

  /** Closes the gaps, among the hashes too. */
  #dropDeleted(hashes: Int32Array): void {
    const keys: string[] = [];
    const values: Value[] = [];
    for (let at = this.#start; at < this.#end; at += 1) {
      const key = this.#keys[at];
      if (key === undefined) continue;
      hashes[keys.length] = hashes[at] as number;
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
