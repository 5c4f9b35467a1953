/** A file that is not what was written: an error that says so, or what was written; never else. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isSkepError, seededRandom } from '@skep/api';
import { makeFolder } from './__fixtures__/folders.js';
import { contentOf, createPart, openFolder, randomChanges } from './__fixtures__/parts.js';
import { FORMAT_KEY, sealed } from './entry.js';
import { createStoreFile, type StoreFile } from './store-file.js';
import { NO_CONTENTS } from './store-contents.js';

const PAGE = 4_096;
const root = makeFolder();
const folder = join(root, 'store');
const path = join(folder, 'store.mdb');
/** The file at two moments, and what it held at the second. */
let earlier: Buffer;
let good: Buffer;
let content: string;

beforeAll(async () => {
  const random = seededRandom('damage');
  const store = await openFolder(folder, { log: { commitsMax: 60 } });
  for (let step = 0; step < 150; step += 1) {
    if (step === 140) earlier = readFileSync(path);
    const textMax = random.int(10) === 0 ? 9_000 : 200;
    await store.commit({ actor: 'tester', changes: randomChanges(store, random, textMax) });
  }
  content = contentOf(store);
  // As a process leaves it that is killed: nothing is written when a store is closed.
  good = readFileSync(path);
  await store.close();
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What opening the bytes gives: `same`, or the code of the error. */
async function outcomeOf(bytes: Buffer): Promise<string> {
  const copy = join(root, 'copy');
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  writeFileSync(join(copy, 'store.mdb'), bytes);
  try {
    const store = await openFolder(copy);
    const found = contentOf(store);
    // It has to be able to go on, too.
    await store.commit({ actor: 'tester', changes: [createPart('after')] });
    await store.close();
    return found === content ? 'same' : 'different';
  } catch (thrown) {
    // A refusal leaves the file for whoever can mend it.
    expect(readFileSync(join(copy, 'store.mdb')).equals(bytes)).toBe(true);
    return isSkepError(thrown) ? thrown.code : String(thrown);
  }
}

/** The different outcomes of many damages, and how often each. */
async function outcomesOf(
  seed: string,
  count: number,
  damage: (bytes: Buffer, random: ReturnType<typeof seededRandom>) => Buffer,
): Promise<Record<string, number>> {
  const random = seededRandom(seed);
  const outcomes: Record<string, number> = {};
  for (let round = 0; round < count; round += 1) {
    const outcome = await outcomeOf(damage(Buffer.from(good), random));
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  return outcomes;
}

const ALLOWED = ['failed-precondition', 'same'];

describe('a file', () => {
  it('that is whole opens', async () => {
    expect(good.length > 40 * PAGE).toBe(true);
    expect(await outcomeOf(good)).toBe('same');
  });

  it('that was cut is refused, or was whole before the cut', async () => {
    const outcomes = await outcomesOf('cut', 60, (bytes, random) =>
      bytes.subarray(0, random.int(bytes.length)),
    );
    expect(Object.keys(outcomes).filter((outcome) => !ALLOWED.includes(outcome))).toEqual([]);
    expect((outcomes['failed-precondition'] ?? 0) > 50).toBe(true);
  });

  it('in which a stretch was garbled is refused, or was not used there', async () => {
    const outcomes = await outcomesOf('garbled', 120, (bytes, random) => {
      const start = random.int(bytes.length);
      const end = Math.min(bytes.length, start + 1 + random.int(2_000));
      for (let at = start; at < end; at += 1) bytes[at] = random.int(256);
      return bytes;
    });
    expect(Object.keys(outcomes).filter((outcome) => !ALLOWED.includes(outcome))).toEqual([]);
    expect((outcomes['failed-precondition'] ?? 0) > 20).toBe(true);
  });

  it('in which a bit turned is refused, or was not used there', async () => {
    const outcomes = await outcomesOf('bits', 120, (bytes, random) => {
      const at = random.int(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8));
      return bytes;
    });
    expect(Object.keys(outcomes).filter((outcome) => !ALLOWED.includes(outcome))).toEqual([]);
    expect((outcomes['failed-precondition'] ?? 0) > 5).toBe(true);
  });

  it('in which a page is what it was before is refused, or does not use it', async () => {
    const pages = Math.floor(Math.min(earlier.length, good.length) / PAGE);
    const outcomes: Record<string, number> = {};
    for (let page = 0; page < pages; page += 1) {
      const bytes = Buffer.from(good);
      const wasSame = earlier.copy(bytes, page * PAGE, page * PAGE, (page + 1) * PAGE);
      expect(wasSame).toBe(PAGE);
      if (bytes.equals(good)) continue;
      const outcome = await outcomeOf(bytes);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
    expect(Object.keys(outcomes).filter((outcome) => !ALLOWED.includes(outcome))).toEqual([]);
    expect((outcomes['failed-precondition'] ?? 0) > 2).toBe(true);
  });

  it.each([
    ['empty', Buffer.alloc(0)],
    ['of zeros', Buffer.alloc(10 * PAGE)],
    ['of something else', Buffer.from('#!/bin/sh\n'.repeat(2_000))],
  ])('that is %s is refused', async (_what, bytes) => {
    expect(await outcomeOf(bytes)).toBe('failed-precondition');
  });

  it('as it was earlier opens as it was earlier', async () => {
    expect(await outcomeOf(earlier)).toBe('different');
  });
});

describe('the format', () => {
  async function fileWith(change: (file: StoreFile) => void): Promise<string> {
    const made = join(root, 'format');
    rmSync(made, { recursive: true, force: true });
    mkdirSync(made);
    const file = await createStoreFile(made, NO_CONTENTS);
    change(file);
    await file.close();
    return made;
  }

  it('of a newer version is refused by its number, whatever else is in the file', async () => {
    const made = await fileWith((file) => {
      file.write(({ put }) => {
        put(FORMAT_KEY, sealed(FORMAT_KEY, JSON.stringify({ format: 2, kind: 'other' })));
        put(Buffer.from('zzz'), Buffer.from('what nobody knows'));
        put(Buffer.from('g'), sealed(Buffer.from('g'), 'no JSON'));
        return NO_CONTENTS.head;
      });
    });
    await expect(openFolder(made)).rejects.toMatchObject({
      code: 'unimplemented',
      details: { format: 2, formatMax: 1 },
    });
  });

  it('has to be there', async () => {
    const made = await fileWith((file) => {
      file.write(({ remove }) => {
        remove(FORMAT_KEY);
        return NO_CONTENTS.head;
      });
    });
    await expect(openFolder(made)).rejects.toThrow(/is damaged: it does not say its format/);
  });
});
