/**
 * Entries of the file: keys, values with a checksum, and the sums that tell whether all are there.
 *
 * LMDB keeps no checksums. Each value here begins with one of its key and its content, and the head
 * holds the sum of all of them: an entry that is garbled, missing, out of date or too many shows.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ObjectId, Revision } from '@skep/api';

/**
 * Key of the entry that says how the others are written. It is the same in every format, and the
 * first of all keys, so that it is read before what may not be understood.
 */
export const FORMAT_KEY = Buffer.from('f');

/** Key of the entry with the revision and the sums. */
export const HEAD_KEY = Buffer.from('h');

const COMMIT = 'l'.charCodeAt(0);
const OBJECT = 'o'.charCodeAt(0);
const CHECKSUM_BYTES = 4;
/** Sums of checksums are taken modulo this, so that they stay whole numbers. */
const DIGEST_MODULUS = 2 ** 48;

/** Key of a commit of the log: in the order of revisions. */
export function commitKey(revision: Revision): Buffer {
  const key = Buffer.allocUnsafe(7);
  key[0] = COMMIT;
  key.writeUIntBE(revision, 1, 6);
  return key;
}

/** Key of an object: a hash, since names of kinds and ids may be longer than keys can be. */
export function objectKey(kind: string, id: ObjectId): Buffer {
  const hash = createHash('sha256').update(`${kind.length} ${kind}${id}`).digest();
  hash[0] = OBJECT;
  return hash.subarray(0, 25);
}

/** What an entry is, by its key. */
export function entryTypeOf(key: Buffer): 'format' | 'head' | 'commit' | 'object' | 'unknown' {
  if (key.equals(FORMAT_KEY)) return 'format';
  if (key.equals(HEAD_KEY)) return 'head';
  if (key[0] === COMMIT) return 'commit';
  return key[0] === OBJECT ? 'object' : 'unknown';
}

/** The value of an entry: the checksum, then the content as JSON. */
export function sealed(key: Buffer, text: string): Buffer {
  const value = Buffer.allocUnsafe(CHECKSUM_BYTES + Buffer.byteLength(text));
  value.write(text, CHECKSUM_BYTES);
  value.writeUInt32LE(crc32(value.subarray(CHECKSUM_BYTES), crc32(key)), 0);
  return value;
}

/** The content of an entry; undefined when it is not what was written. */
export function unsealed(key: Buffer, value: Buffer): string | undefined {
  if (value.length < CHECKSUM_BYTES) return undefined;
  const content = value.subarray(CHECKSUM_BYTES);
  if (value.readUInt32LE(0) !== crc32(content, crc32(key))) return undefined;
  return content.toString();
}

/** Sums over the entries of the file, those of format and head aside. */
export interface Sums {
  readonly entries: number;
  /** Of keys and values. */
  readonly bytes: number;
  /** Sum of the checksums modulo 2^48. */
  readonly digest: number;
}

/** Sums that follow what is written. */
export class Tally implements Sums {
  entries: number;
  bytes: number;
  digest: number;

  constructor({ entries, bytes, digest }: Sums = { entries: 0, bytes: 0, digest: 0 }) {
    this.entries = entries;
    this.bytes = bytes;
    this.digest = digest;
  }

  add(key: Buffer, value: Buffer): void {
    this.entries += 1;
    this.bytes += key.length + value.length;
    this.digest = (this.digest + value.readUInt32LE(0)) % DIGEST_MODULUS;
  }

  remove(key: Buffer, value: Buffer): void {
    this.entries -= 1;
    this.bytes -= key.length + value.length;
    this.digest = (this.digest + DIGEST_MODULUS - value.readUInt32LE(0)) % DIGEST_MODULUS;
  }

  equals({ entries, bytes, digest }: Sums): boolean {
    return this.entries === entries && this.bytes === bytes && this.digest === digest;
  }
}

/** What the head says: where the log begins and ends, and the sums over everything. */
export interface Head extends Sums {
  readonly revision: Revision;
  /** Objects are kept as of this revision; the commits after it are in the log. */
  readonly base: Revision;
}
