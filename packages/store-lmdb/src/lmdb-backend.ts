/**
 * The durable backend: commits and objects in one file that outlives its process.
 *
 * **Source:** ARCHITECTURE of skep, "Store contract"; LMDB (lmdb.tech/doc) for the file.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SkepError, type Revision } from '@skep/api';
import { LOG_COMMITS_MAX, type Backend, type CommitRecord } from '@skep/store';
import { appendCommits, foldCommits, sealCommit, type SealedCommit } from './commit-log.js';
import { NO_CONTENTS, readContents } from './store-contents.js';
import { fileError, systemNameOf } from './errors.js';
import type { Head } from './entry.js';
import { lockFolder, type FolderLock } from './folder-lock.js';
import { FILE_NAME, createStoreFile, hasStoreFile } from './store-file.js';
import type { FileTransaction, StoreFile } from './store-file.js';

const MIB = 1_024 * 1_024;

/** Largest commit, unless said otherwise: 16 MiB. */
export const COMMIT_BYTES_MAX = 16 * MIB;

/** Largest log, unless said otherwise: 64 MiB. */
export const LOG_BYTES_MAX = 64 * MIB;

/** Most that is kept, unless said otherwise: 1 GiB. */
export const STORE_BYTES_MAX = 1_024 * MIB;

/** Commits are folded in lots of this share of the log: it is longer by as much at times. */
const LOT = 1 / 8;

/** Commits that are folded at once, at most: a lot takes some ten milliseconds. */
const LOT_MAX = 256;

/** Options of {@link lmdbBackend}. */
export interface LmdbBackendOptions {
  /**
   * Folder for the file and its lock, of one store alone. It is made when its parent is there; only
   * its owner may look into it then.
   */
  readonly folder: string;
  readonly log?: {
    /**
     * Commits kept one by one, for watches that go on after the store was opened again; older ones
     * are folded into the objects, at times as many as an eighth (at most 256) too late. Larger:
     * watchers may be away for longer. Default: 10,000; at least 1.
     */
    readonly commitsMax?: number;
    /** Bytes of these commits. Default: {@link LOG_BYTES_MAX}; the newest commit always stays. */
    readonly bytesMax?: number;
  };
  /** Bytes of one commit. Default: {@link COMMIT_BYTES_MAX}. */
  readonly commitBytesMax?: number;
  /**
   * Bytes of all that is kept, log and objects; the file takes up to about twice as much. Default:
   * {@link STORE_BYTES_MAX}.
   */
  readonly bytesMax?: number;
}

/**
 * A backend that keeps a store in a folder, for `openStore`. Nothing is touched before it is
 * loaded; then the folder is this process's until `close` or the end of the process.
 *
 * A commit that was acknowledged is on the disk: it survives the end of the process and, as far as
 * the disk keeps its word, a power cut. One that was not acknowledged is there whole or not at all.
 * The event loop stands still while the disk is written to. Commits that are asked for together go
 * to the disk together, see `Backend.appendAll`.
 *
 * `load` throws: `unavailable` when another process holds the folder; `failed-precondition` when
 * the file is damaged; `unimplemented` when a newer version wrote it; `not-found`,
 * `permission-denied`, `resource-exhausted` for what the system says about folder and disk.
 * `append` throws `resource-exhausted` when the commit is too large, the store or the disk full,
 * and `unavailable` when the disk fails. Nothing was kept then, and the next commit is tried anew:
 * what it writes, it writes to pages that nothing refers to until all of them are on the disk. Only
 * after the page that refers to them could not be written, all commits are refused until the store
 * is opened again.
 * @throws invalid-argument for limits below 1.
 */
export function lmdbBackend(options: LmdbBackendOptions): Backend {
  return new LmdbBackend(options);
}

interface Opened {
  readonly lock: FolderLock;
  readonly file: StoreFile;
}

class LmdbBackend implements Backend {
  readonly #folder: string;
  readonly #commitsMax: number;
  readonly #logBytesMax: number;
  readonly #commitBytesMax: number;
  readonly #bytesMax: number;
  #opened: Opened | undefined;
  #head: Head = NO_CONTENTS.head;
  /** Bytes of each commit of the log, from `head.base + 1` on, and their sum. */
  #sizes: number[] = [];
  #logBytes = 0;
  #closed: Promise<void> | undefined;

  constructor({ folder, log, commitBytesMax, bytesMax }: LmdbBackendOptions) {
    this.#folder = folder;
    this.#commitsMax = limitOf(log?.commitsMax ?? LOG_COMMITS_MAX, 'log.commitsMax');
    this.#logBytesMax = limitOf(log?.bytesMax ?? LOG_BYTES_MAX, 'log.bytesMax');
    this.#commitBytesMax = limitOf(commitBytesMax ?? COMMIT_BYTES_MAX, 'commitBytesMax');
    this.#bytesMax = limitOf(bytesMax ?? STORE_BYTES_MAX, 'bytesMax');
    this.#opened = undefined;
    this.#closed = undefined;
  }

  async load(): ReturnType<Backend['load']> {
    if (this.#opened !== undefined || this.#closed !== undefined) {
      throw new SkepError('failed-precondition', 'a backend is loaded once; make another');
    }
    makeFolder(this.#folder);
    const lock = await lockFolder(this.#folder);
    try {
      const contents = hasStoreFile(this.#folder)
        ? readContents(join(this.#folder, FILE_NAME))
        : NO_CONTENTS;
      this.#opened = { lock, file: await createStoreFile(this.#folder, contents) };
      this.#head = contents.head;
      const { base } = contents.head;
      for (const { key, value } of contents.entries) {
        if (key.length < 8) this.#sizes[key.readUIntBE(1, 6) - base - 1] = value.length;
      }
      this.#logBytes = this.#sizes.reduce((sum, size) => sum + size, 0);
      return { revision: base, objects: contents.objects, commits: contents.commits };
    } catch (thrown) {
      await lock.release();
      throw thrown;
    }
  }

  append(record: CommitRecord): Promise<'appended' | 'conflict'> {
    return this.appendAll([record]);
  }

  appendAll(records: readonly CommitRecord[]): Promise<'appended' | 'conflict'> {
    try {
      this.#keep(records);
      return Promise.resolve('appended');
    } catch (thrown) {
      return Promise.reject(fileError(thrown, `cannot keep commits in ${this.#folder}`));
    }
  }

  /** There are no other writers to hear of. */
  subscribe(): { unsubscribe(): void } {
    return { unsubscribe: () => undefined };
  }

  compact(revision: Revision): Promise<void> {
    try {
      const file = this.#fileToWrite();
      const last = Math.min(revision, this.#head.revision);
      while (this.#head.base < last) {
        const upTo = Math.min(last, this.#head.base + LOT_MAX);
        this.#took(file.write((transaction) => foldCommits(this.#head, upTo, transaction)));
      }
      return Promise.resolve();
    } catch (thrown) {
      return Promise.reject(fileError(thrown, `cannot compact ${this.#folder}`));
    }
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#closeOnce());
  }

  async #closeOnce(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    try {
      await opened?.file.close();
    } finally {
      await opened?.lock.release();
    }
  }

  #keep(records: readonly CommitRecord[]): void {
    const file = this.#fileToWrite();
    const commits = records.map((record, at) => {
      const revision = this.#head.revision + 1 + at;
      if (record.revision !== revision) {
        throw new SkepError(
          'out-of-sequence',
          `commit ${record.revision} does not follow revision ${revision - 1}`,
        );
      }
      return sealCommit(record, this.#commitBytesMax);
    });
    if (commits.length === 0) return;
    const head = file.write((transaction) => {
      const appended = appendCommits(this.#head, commits, transaction);
      return this.#bounded(appended, commits, transaction);
    });
    for (const { value } of commits) {
      this.#sizes.push(value.length);
      this.#logBytes += value.length;
    }
    this.#took(head);
  }

  /** Folds old commits when there are too many or too large ones. */
  #bounded(head: Head, commits: readonly SealedCommit[], transaction: FileTransaction): Head {
    let bounded = head;
    const lot = Math.min(LOT_MAX, Math.floor(this.#commitsMax * LOT));
    if (head.revision - head.base > this.#commitsMax + lot) {
      bounded = foldCommits(bounded, head.revision - this.#commitsMax, transaction);
    }
    const upTo = this.#withinBytes(head, commits);
    if (upTo > bounded.base) bounded = foldCommits(bounded, upTo, transaction);
    if (bounded.bytes > this.#bytesMax) {
      bounded = foldCommits(bounded, bounded.revision, transaction);
    }
    if (bounded.bytes <= this.#bytesMax || bounded.bytes <= this.#head.bytes) return bounded;
    throw new SkepError(
      'resource-exhausted',
      `the store in ${this.#folder} would hold ${bounded.bytes} bytes, at most ` +
        `${this.#bytesMax} are allowed (bytesMax)`,
      { details: { bytes: bounded.bytes, bytesMax: this.#bytesMax } },
    );
  }

  /** Where the log has to begin to be small enough: an eighth below, so that it is not always. */
  #withinBytes(head: Head, commits: readonly SealedCommit[]): Revision {
    const sizes = [...commits.map(({ value }) => value.length)];
    let bytes = sizes.reduce((sum, size) => sum + size, this.#logBytes);
    if (bytes <= this.#logBytesMax) return head.base;
    const all = [...this.#sizes, ...sizes];
    let upTo = head.base;
    while (bytes > this.#logBytesMax * (1 - LOT) && upTo < head.revision - 1) {
      bytes -= all[upTo - head.base] ?? 0;
      upTo += 1;
    }
    return upTo;
  }

  #took(head: Head): void {
    const folded = this.#sizes.splice(0, head.base - this.#head.base);
    for (const size of folded) this.#logBytes -= size;
    this.#head = head;
  }

  #fileToWrite(): StoreFile {
    if (this.#opened !== undefined) return this.#opened.file;
    throw new SkepError('unavailable', `the store in ${this.#folder} is not open`);
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (thrown) {
    if (systemNameOf(thrown) !== 'EEXIST') {
      throw fileError(thrown, `cannot make the folder ${folder}`);
    }
    if (!statSync(folder).isDirectory()) {
      throw new SkepError('invalid-argument', `${folder} is a file, not a folder`);
    }
  }
}

function limitOf(limit: number, name: string): number {
  if (Number.isInteger(limit) && limit >= 1) return limit;
  throw new SkepError('invalid-argument', `${name} has to be an integer of at least 1`, {
    details: { [name]: limit },
  });
}
