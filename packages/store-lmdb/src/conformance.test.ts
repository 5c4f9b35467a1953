/** The suite of every store, over files. */
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from '@jest/globals';
import { openStore, type Store, type StoreOptions } from '@skep/store';
import { storeConformance } from '@skep/store/conformance';
import { makeFolder } from './__fixtures__/folders.js';
import { lmdbBackend } from './index.js';

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function makeStore(options: StoreOptions): Promise<Store> {
  const folder = makeFolder();
  folders.push(folder);
  return openStore({ ...options, backend: lmdbBackend({ folder }) });
}

describe('a store over a file', () => {
  storeConformance({ describe, it, expect }, makeStore, { randomCommits: 200 });
});
