/**
 * Ids and hashes without a source of randomness of their own.
 */
import type { ObjectId } from './meta.js';
import type { Random } from './seams.js';

/** Makes ids for objects that a user creates. Inject a seeded one to get the same ids again. */
export interface IdSource {
  /** A new id: 25 characters of base 36, as Docker Swarm's. */
  next(): ObjectId;
}

// Looked up once: in a sandbox, as test runners use, each look at a global costs as much as a hash.
const { imul } = Math;

const ID_LENGTH = 25;
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** An {@link IdSource} that draws from `random`. */
export function idSource(random: Random): IdSource {
  return {
    next: () => {
      let id = '';
      for (let i = 0; i < ID_LENGTH; i += 1) id += ALPHABET[random.int(36)];
      return id;
    },
  };
}

/**
 * 32-bit hash of a text, well mixed, the same on every platform.
 * Not for security. Cost: O(length).
 * **Source:** MurmurHash3 x86_32 by Austin Appleby (public domain), over UTF-16 code units.
 */
export function hash32(text: string, seed = 0): number {
  let h = seed | 0;
  for (let i = 0; i < text.length; i += 1) {
    let k = imul(text.charCodeAt(i), 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (imul(h, 5) + 0xe6546b64) | 0;
  }
  return mix32(h ^ text.length);
}

function mix32(value: number): number {
  let h = value;
  h ^= h >>> 16;
  h = imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0;
}

/** 53 bits of hash as a safe integer. */
export function hash53(text: string, seed = 0): number {
  return (hash32(text, seed) & 0x1fffff) * 0x1_0000_0000 + hash32(text, seed ^ 0x9e3779b9);
}

/**
 * An id that follows from its parts: the same parts give the same id.
 * This is what makes a `create` in a plan idempotent: a plan that runs again after a crash, or on a
 * stale view, asks for the same id, and the store refuses the duplicate.
 * Shape: 25 characters of base 36, 128 bits of hash.
 */
export function deriveId(...parts: readonly (string | number)[]): ObjectId {
  const text = parts.join('\u0000');
  let id = '';
  for (let word = 0; word < 4; word += 1) {
    id += hash32(text, imul(word + 1, 0x3c6ef372))
      .toString(36)
      .padStart(7, '0');
  }
  return id.slice(0, ID_LENGTH);
}

/** `length` hexadecimal digits that follow from the text, e.g. a container id (64 digits). */
export function deriveHex(text: string, length: number): string {
  let hex = '';
  for (let word = 0; hex.length < length; word += 1) {
    hex += hash32(text, imul(word + 1, 0x7f4a7c15))
      .toString(16)
      .padStart(8, '0');
  }
  return hex.slice(0, length);
}
