/**
 * The file as LMDB writes it: made anew when it is opened, then changed by synced transactions.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { SkepError, messageOf } from '@skep/api';
import { open, type RootDatabase } from 'lmdb';
import { FORMAT_KEY, HEAD_KEY, sealed, type Head } from './entry.js';
import { fileError, systemNameOf } from './errors.js';
import { PAGE_BYTES } from './page-reader.js';
import { FORMAT, type StoreContents } from './store-contents.js';

/** Name of the file in its folder. */
export const FILE_NAME = 'store.mdb';

const NEW_NAME = 'store.new.mdb';
const READERS_MAX = 4;
/** More than LMDB needs for so many readers. */
const LOCK_FILE_BYTES = 2 * PAGE_BYTES;
/** Nobody else may read it: secrets are in it. */
const FILE_MODE = 0o600;

type Database = RootDatabase<Buffer, Buffer>;

/** What may be done to the file within a transaction. */
export interface FileTransaction {
  get(key: Buffer): Buffer | undefined;
  put(key: Buffer, value: Buffer): void;
  remove(key: Buffer): void;
}

/** The open file. */
export class StoreFile {
  readonly #path: string;
  readonly #database: Database;

  constructor(path: string, database: Database) {
    this.#path = path;
    this.#database = database;
  }

  /**
   * Does what `change` does, and writes the head that it returns: whole and on the disk when this
   * returns, or not at all.
   * @throws as {@link fileError}; what `change` throws.
   */
  write(change: (transaction: FileTransaction) => Head): Head {
    try {
      return writeTo(this.#database, this.#path, change);
    } catch (thrown) {
      throw writeError(thrown, this.#path);
    }
  }

  /** @throws as {@link fileError}. */
  async close(): Promise<void> {
    try {
      await this.#database.close();
    } catch (thrown) {
      throw fileError(thrown, `cannot close ${this.#path}`);
    }
  }
}

/**
 * Writes everything to a new file that takes the place of the one that is there, and opens it.
 *
 * LMDB reuses the pages that the file lists as free, and nothing tells whether that list is right:
 * a file that another process left is copied instead, which also gives back what it does not need.
 * @throws as {@link fileError}; the old file is as it was then.
 */
export async function createStoreFile(folder: string, contents: StoreContents): Promise<StoreFile> {
  const [path, newPath] = [join(folder, FILE_NAME), join(folder, NEW_NAME)];
  try {
    removeFile(newPath);
    const fresh = openDatabase(newPath, contents.head);
    try {
      const copy = ({ put }: FileTransaction): Head => {
        put(FORMAT_KEY, sealed(FORMAT_KEY, JSON.stringify({ format: FORMAT })));
        for (const { key, value } of contents.entries) put(key, value);
        return contents.head;
      };
      // Nothing is there that would have to be written again.
      writeTo(fresh, newPath, copy, 0);
    } finally {
      await fresh.close();
    }
    renameSync(newPath, path);
    syncFolder(folder);
    removeFile(newPath);
    return new StoreFile(path, openDatabase(path, contents.head));
  } catch (thrown) {
    const error = writeError(thrown, newPath);
    removeFile(newPath);
    throw error;
  }
}

/** Whether the folder holds a file. */
export function hasStoreFile(folder: string): boolean {
  return existsSync(join(folder, FILE_NAME));
}

function openDatabase(path: string, { bytes }: Head): Database {
  // LMDB maps its lock file into memory, and a full disk would end the process when it is touched:
  // so it is written before, which gives an error. What an earlier process left there is void.
  writeFileSync(`${path}-lock`, Buffer.alloc(LOCK_FILE_BYTES), { mode: FILE_MODE });
  const options = {
    path,
    noSubdir: true,
    keyEncoding: 'binary',
    encoding: 'binary',
    pageSize: PAGE_BYTES,
    maxReaders: READERS_MAX,
    maxDbs: 1,
    // Each transaction is on the disk, data before the page that makes it valid, when it returns.
    overlappingSync: false,
    // Address space, not memory; it grows when the file does.
    mapSize: Math.ceil((2 * bytes) / MAP_STEP + 1) * MAP_STEP,
    permissionsMode: FILE_MODE,
  } as const;
  return open<Buffer, Buffer>(options);
}

/** A disk with less room, in bytes, is full. */
const ROOM_MIN = 1_024 * 1_024;

/** Pages from the root to an entry, in bytes: written anew when it is, but never more than all. */
const PATH_BYTES = 4 * PAGE_BYTES;

const MAP_STEP = 64 * 1_024 * 1_024;

/** Within one synced transaction; thrown errors leave the file as it was. */
function writeTo(
  database: Database,
  path: string,
  change: (transaction: FileTransaction) => Head,
  pathBytes = PATH_BYTES,
): Head {
  return database.transactionSync(() => {
    let bytes = 0;
    let changes = 0;
    const put = (key: Buffer, value: Buffer): void => {
      bytes += roomFor(key.length + value.length);
      changes += 1;
      database.putSync(key, value);
    };
    const head = change({
      get: (key) => database.get(key),
      put,
      remove: (key) => {
        changes += 1;
        database.removeSync(key);
      },
    });
    put(HEAD_KEY, sealed(HEAD_KEY, JSON.stringify(head)));
    // Nothing is written before the end of the transaction.
    const rewritten = Math.min(bytes + changes * pathBytes, 2 * head.bytes);
    requireRoom(path, ROOM_MIN + Math.max(bytes, rewritten));
    return head;
  });
}

/** Long entries take whole pages, short ones fill half of theirs at least. */
function roomFor(bytes: number): number {
  return bytes < PAGE_BYTES / 2 ? 2 * bytes : PAGE_BYTES * Math.ceil(bytes / PAGE_BYTES + 0.1);
}

/**
 * Refuses to write what the disk may have no room for.
 *
 * LMDB would find out by itself, and leave the file as it was; but this library then writes its
 * message to a buffer that can be too short for it, and a long one ends the process.
 * @throws resource-exhausted.
 */
function requireRoom(path: string, bytes: number): void {
  const room = roomAt(dirname(path));
  if (room >= bytes) return;
  throw new SkepError(
    'resource-exhausted',
    `cannot write ${path}: the disk is full, it has room for ${room} bytes of up to ${bytes}`,
    { details: { system: 'ENOSPC', room, bytes } },
  );
}

/** LMDB calls it an I/O error when the room on the disk ends within a stretch of pages. */
function writeError(thrown: unknown, path: string): SkepError {
  const isFull = systemNameOf(thrown) === 'EIO' && roomAt(dirname(path)) < ROOM_MIN;
  const cause = isFull ? Object.assign(new Error(messageOf(thrown)), { code: 'ENOSPC' }) : thrown;
  return fileError(cause, `cannot write ${path}`);
}

function roomAt(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Infinity;
  }
}

function removeFile(path: string): void {
  rmSync(path, { force: true });
  rmSync(`${path}-lock`, { force: true });
}

/** Makes a rename last through a power cut. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
