/**
 * A process of its own that opens the store in a folder and does what it is told.
 *
 * `writer.ts hold FOLDER` opens the store and stays. `writer.ts commit FOLDER` commits without end,
 * several at a time, and prints the revision of each commit that was acknowledged. `writer.ts fill
 * FOLDER` commits until the disk is full, removes the file `filling` beside the folder, commits
 * again, and prints what happened as JSON. `writer.ts open FOLDER` opens, closes, and prints how
 * that went, in two lines.
 */
import { existsSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSkepError } from '@skep/api';
import type { Store } from '@skep/store';
import { createPart, openFolder } from './parts.js';

const [mode = '', folder = ''] = process.argv.slice(2);
const LANES = 4;

function say(what: unknown): void {
  // Synchronous: what was said was said before the process is killed.
  writeSync(1, `${JSON.stringify(what)}\n`);
}

async function commit(store: Store, id: string, text: string): Promise<number> {
  const part = createPart(id, { size: text.length, text });
  const twin = createPart(`${id}-twin`, { size: text.length, text });
  const result = await store.commit({ actor: 'writer', changes: [part, twin] });
  if (!result.ok) throw new Error(result.conflict.message);
  return result.revision;
}

/** Each lane awaits its own commits only, so that some are always asked for together. */
async function commitForEver(store: Store): Promise<void> {
  const start = store.view().revision;
  const lane = async (number: number): Promise<void> => {
    for (let count = 0; ; count += 1) {
      const id = `${start}-${number}-${count}`;
      const revision = await commit(store, id, 'x'.repeat((count * 37) % 3_000));
      say({ revision, id });
      // The event loop has to come round, or the process would hear nothing.
      if (count % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
}

async function fill(store: Store): Promise<void> {
  const text = 'x'.repeat(20_000);
  const filling = join(dirname(folder), 'filling');
  const codes: string[] = [];
  let count = 0;
  let after = 0;
  while (codes.length < 3 && count < 10_000) {
    try {
      await commit(store, `full${count}`, text);
      count += 1;
    } catch (thrown) {
      codes.push(isSkepError(thrown) ? `${thrown.code} ${thrown.message}` : String(thrown));
    }
  }
  const refusedAt = store.view().revision;
  if (existsSync(filling)) rmSync(filling);
  for (; after < 5; after += 1) await commit(store, `after${after}`, text);
  say({ codes, count, refusedAt, revision: store.view().revision });
}

async function main(): Promise<void> {
  const store = await openFolder(folder);
  say({ opened: store.view().revision });
  if (mode === 'commit') await commitForEver(store);
  if (mode === 'fill') await fill(store);
  if (mode === 'hold') await new Promise((resolve) => process.stdin.once('end', resolve).resume());
  await store.close();
  say({ closed: store.view().revision });
}

main().catch((thrown: unknown) => {
  say({ code: isSkepError(thrown) ? thrown.code : 'unknown', message: String(thrown) });
  process.exitCode = 1;
});
