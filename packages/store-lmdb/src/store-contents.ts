/**
 * What a file holds, read and checked whole.
 */
import { SkepError, type Revision, type StoredObject } from '@skep/api';
import type { CommitRecord } from '@skep/store';
import { Tally, commitKey, entryTypeOf, unsealed, type Head } from './entry.js';
import { damaged, fileError } from './errors.js';
import { readEntries } from './page-reader.js';

/** The format that this version writes, and the newest that it reads. */
export const FORMAT = 1;

/** An entry as it stands in the file. */
export interface KeptEntry {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Everything that a file holds. */
export interface StoreContents {
  readonly head: Head;
  /** As of `head.base`, in no order. */
  readonly objects: readonly StoredObject[];
  /** From `head.base + 1` to `head.revision`. */
  readonly commits: readonly CommitRecord[];
  /** The entries of objects and commits, for a new file. */
  readonly entries: readonly KeptEntry[];
}

/** What a store without commits holds. */
export const NO_CONTENTS: StoreContents = Object.freeze({
  head: Object.freeze({ revision: 0, base: 0, entries: 0, bytes: 0, digest: 0 }),
  objects: Object.freeze([]),
  commits: Object.freeze([]),
  entries: Object.freeze([]),
});

/**
 * Reads a file and checks everything in it.
 * @throws unimplemented for a format of a newer version; failed-precondition when anything in the
 * file is not what was written.
 */
export function readContents(path: string): StoreContents {
  const reading = new Reading(path);
  let fault: SkepError | undefined;
  try {
    readEntries(path, (key, value) => {
      reading.add(key, value);
    });
  } catch (error) {
    fault = fileError(error, `cannot read ${path}`);
  }
  // What a newer version wrote may be in order although this one does not understand it.
  reading.requireFormat();
  if (fault !== undefined) throw fault;
  return reading.finish();
}

class Reading {
  readonly #path: string;
  readonly #tally = new Tally();
  readonly #objects: StoredObject[] = [];
  readonly #commits = new Map<Revision, CommitRecord>();
  readonly #entries: KeptEntry[] = [];
  #format: unknown;
  #head: Head | undefined;
  #fault: string | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#format = undefined;
    this.#head = undefined;
    this.#fault = undefined;
  }

  add(key: Buffer, value: Buffer): void {
    const type = entryTypeOf(key);
    const text = unsealed(key, value);
    if (text === undefined || type === 'unknown') {
      this.#fault ??= `an entry of type ${type} is not what was written`;
      return;
    }
    const content: unknown = JSON.parse(text);
    if (type === 'format') this.#format = (content as { readonly format: unknown }).format;
    else if (type === 'head') this.#head = content as Head;
    else this.#keep(type, content, { key: Buffer.from(key), value: Buffer.from(value) });
  }

  requireFormat(): void {
    if (typeof this.#format !== 'number' || this.#format <= FORMAT) return;
    throw new SkepError(
      'unimplemented',
      `${this.#path} has format ${this.#format}, this version reads formats up to ${FORMAT}: ` +
        `a newer version of skep wrote it, use that one`,
      { details: { path: this.#path, format: this.#format, formatMax: FORMAT } },
    );
  }

  finish(): StoreContents {
    if (this.#fault !== undefined) throw damaged(this.#path, this.#fault);
    if (this.#format !== FORMAT) throw damaged(this.#path, 'it does not say its format');
    const head = this.#head;
    if (head === undefined) throw damaged(this.#path, 'it does not say its revision');
    if (!this.#tally.equals(head)) throw damaged(this.#path, 'entries are missing or out of date');
    const commits: CommitRecord[] = [];
    for (let revision = head.base + 1; revision <= head.revision; revision += 1) {
      const commit = this.#commits.get(revision);
      if (commit === undefined) throw damaged(this.#path, `commit ${revision} is missing`);
      commits.push(commit);
    }
    if (commits.length !== this.#commits.size) {
      throw damaged(this.#path, 'its log holds commits that are not its own');
    }
    return { head, commits, objects: this.#objects, entries: this.#entries };
  }

  #keep(type: 'commit' | 'object', content: unknown, entry: KeptEntry): void {
    this.#tally.add(entry.key, entry.value);
    this.#entries.push(entry);
    if (type === 'object') {
      this.#objects.push(content as StoredObject);
      return;
    }
    const commit = content as CommitRecord;
    if (commitKey(commit.revision).equals(entry.key)) this.#commits.set(commit.revision, commit);
    else this.#fault ??= `commit ${commit.revision} stands in another's place`;
  }
}
