/**
 * Folders for tests, each removed by the test that asked for it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An empty folder of this process. */
export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), `skt-lmdb-${process.pid}-`));
}

/** Runs a test with a folder of its own, which is removed afterwards. */
export async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = makeFolder();
  try {
    await test(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
