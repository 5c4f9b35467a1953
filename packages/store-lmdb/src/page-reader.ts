/**
 * Reads the entries of an LMDB file page by page, trusting nothing in it.
 *
 * LMDB maps the file into memory and follows what it finds there: a file that was cut or garbled
 * ends the process (SIGBUS, SIGSEGV) instead of giving an error. So a file that some earlier
 * process left is read here, with every number checked against the bounds of the page and the file,
 * and LMDB itself only sees files that this process has written.
 *
 * **Source:** LMDB 0.9.90 mdb.c, MDB_page_header, MDB_meta, MDB_db, MDB_node (data version 2).
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { damaged } from './errors.js';

/** Bytes of a page; the files of this package have no other. */
export const PAGE_BYTES = 4_096;

const HEADER_BYTES = 24;
const NODE_BYTES = 8;
const OVERFLOW_BYTES = 24;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const DEPTH_MAX = 32;
/** Flags of pages. */
const BRANCH = 1;
const LEAF = 2;
const OVERFLOW = 4;
const META = 8;
const TYPES = BRANCH | LEAF | OVERFLOW | META;
/** Flag of a node whose value has pages of its own. */
const BIG = 1;
/** Root of a tree without pages. */
const NO_PAGE = 2 ** 64;

/** Is given each entry; the buffers are reused after the call. */
export type EntryVisitor = (key: Buffer, value: Buffer) => void;

/**
 * Calls `visit` for every entry of the newest commit in the file.
 * @throws failed-precondition when the file is no LMDB file or is damaged; errors of the system.
 * Cost: reads each used page once.
 */
export function readEntries(path: string, visit: EntryVisitor): void {
  const descriptor = openSync(path, 'r');
  try {
    new PageReader(path, descriptor, visit).read();
  } finally {
    closeSync(descriptor);
  }
}

interface Tree {
  readonly depth: number;
  readonly entries: number;
  readonly root: number;
  readonly transaction: number;
}

class PageReader {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #visit: EntryVisitor;
  readonly #pages: number;
  /** Pages that were read: each may be there once. */
  readonly #seen: Uint8Array;
  #entries = 0;

  constructor(path: string, descriptor: number, visit: EntryVisitor) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#visit = visit;
    this.#pages = Math.floor(fstatSync(descriptor).size / PAGE_BYTES);
    this.#seen = new Uint8Array(this.#pages);
    this.#entries = 0;
  }

  read(): void {
    const tree = this.#newestTree();
    if (tree.root !== NO_PAGE) this.#walk(tree.root, tree.depth);
    else this.#require(tree.depth === 0, 'its tree has a depth, but no root');
    this.#require(
      this.#entries === tree.entries,
      `it holds ${this.#entries} entries instead of ${tree.entries}`,
    );
  }

  /** The two first pages take turns in holding the newest commit; each names its transaction. */
  #newestTree(): Tree {
    const [even, odd] = [this.#metaPage(0), this.#metaPage(1)];
    const newest = even.transaction > odd.transaction ? even : odd;
    const older = newest === even ? odd : even;
    const isFresh = newest.transaction === 0 && older.transaction === 0;
    const isInTurn =
      newest.transaction === older.transaction + 1 &&
      newest.transaction % 2 === (newest === even ? 0 : 1);
    this.#require(isFresh || isInTurn, 'its first pages do not belong together');
    return newest;
  }

  #metaPage(number: number): Tree {
    const page = Buffer.alloc(PAGE_BYTES);
    this.#readPage(number, page, META);
    const at = HEADER_BYTES;
    this.#require(page.readUInt32LE(at) === MAGIC, 'it is no store file');
    const version = page.readUInt16LE(at + 4);
    this.#require(version === DATA_VERSION, `its pages have version ${version}`);
    const pageBytes = page.readUInt32LE(at + 24);
    this.#require(pageBytes === PAGE_BYTES, `its pages have ${pageBytes} bytes`);
    // The tree of free pages stands before the one that is wanted.
    const tree = at + 72;
    return {
      depth: page.readUInt16LE(tree + 6),
      entries: wide(page, tree + 32),
      root: wide(page, tree + 40),
      transaction: wide(page, at + 128),
    };
  }

  #walk(number: number, depth: number): void {
    this.#require(depth >= 1 && depth <= DEPTH_MAX, `its tree has an impossible depth`);
    const page = Buffer.allocUnsafe(PAGE_BYTES);
    const isLeaf = depth === 1;
    this.#readPage(number, page, isLeaf ? LEAF : BRANCH);
    const lower = HEADER_BYTES + page.readUInt16LE(20);
    const upper = HEADER_BYTES + page.readUInt16LE(22);
    const isInBounds = lower <= upper && upper <= PAGE_BYTES && lower % 2 === 0;
    this.#require(isInBounds, `page ${number} has impossible bounds`);
    for (let at = HEADER_BYTES; at < lower; at += 2) {
      const node = HEADER_BYTES + page.readUInt16LE(at);
      this.#require(
        node >= upper && node + NODE_BYTES <= PAGE_BYTES,
        `page ${number} points out of itself`,
      );
      if (isLeaf) this.#leafNode(page, node);
      else this.#walk(childOf(page, node), depth - 1);
    }
  }

  #leafNode(page: Buffer, node: number): void {
    const size = page.readUInt16LE(node) + page.readUInt16LE(node + 2) * 0x10000;
    const flags = page.readUInt16LE(node + 4);
    const keyEnd = node + NODE_BYTES + page.readUInt16LE(node + 6);
    const isBig = flags === BIG;
    this.#require(flags === 0 || isBig, 'an entry is of an unknown sort');
    const end = keyEnd + (isBig ? OVERFLOW_BYTES : size);
    this.#require(end <= PAGE_BYTES, 'an entry is longer than its page');
    const key = page.subarray(node + NODE_BYTES, keyEnd);
    this.#entries += 1;
    this.#visit(key, isBig ? this.#bigValue(page, keyEnd, size) : page.subarray(keyEnd, end));
  }

  #bigValue(page: Buffer, reference: number, size: number): Buffer {
    const first = wide(page, reference);
    const count = wide(page, reference + 16);
    const isRight = count === Math.ceil((HEADER_BYTES + size) / PAGE_BYTES);
    this.#require(isRight && first + count <= this.#pages, 'a long entry does not fit the file');
    const header = Buffer.allocUnsafe(PAGE_BYTES);
    this.#readPage(first, header, OVERFLOW);
    this.#require(header.readUInt32LE(20) === count, 'a long entry has another length');
    for (let number = first + 1; number < first + count; number += 1) this.#take(number);
    const value = Buffer.allocUnsafe(size);
    const length = readSync(this.#descriptor, value, 0, size, first * PAGE_BYTES + HEADER_BYTES);
    this.#require(length === size, 'a long entry is cut off');
    return value;
  }

  #readPage(number: number, page: Buffer, type: number): void {
    this.#take(number);
    const length = readSync(this.#descriptor, page, 0, PAGE_BYTES, number * PAGE_BYTES);
    this.#require(length === PAGE_BYTES, `page ${number} is cut off`);
    const isRight = wide(page, 0) === number && (page.readUInt16LE(18) & TYPES) === type;
    this.#require(isRight, `page ${number} is not what it should be`);
  }

  #take(number: number): void {
    this.#require(number < this.#pages, `page ${number} is beyond its end`);
    this.#require(this.#seen[number] === 0, `page ${number} is used twice`);
    this.#seen[number] = 1;
  }

  #require(condition: boolean, what: string): void {
    if (!condition) throw damaged(this.#path, what);
  }
}

/** A number of 64 bits; beyond 2^53 not exact, which is beyond every bound too. */
function wide(page: Buffer, at: number): number {
  return page.readUInt32LE(at) + page.readUInt32LE(at + 4) * 0x100000000;
}

function childOf(page: Buffer, node: number): number {
  const low = page.readUInt16LE(node) + page.readUInt16LE(node + 2) * 0x10000;
  return low + page.readUInt16LE(node + 4) * 0x100000000;
}
