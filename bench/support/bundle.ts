/**
 * A benchmark as one file. What runs the sources of tests and examples keeps the name of each
 * function, which costs a call at every closure that is made (10 to 35 %), and calls between
 * modules cost more than within one. Measured is what an application runs that was put together by
 * a bundler.
 */
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** In the reach of the workspace's dependencies, and never committed. */
const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/skep-bench/', import.meta.url));

/** Dependencies with machine code, or parts that are there on some machines only. */
const NATIVE = ['lmdb', 'dockerode', 'esbuild'];

/** What dependencies in the older format ask for. */
const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Imports a TypeScript file and all that it imports as one module. */
export async function importBundled(file: URL): Promise<unknown> {
  const path = fileURLToPath(file);
  await mkdir(FOLDER, { recursive: true });
  const outfile = join(FOLDER, `${basename(path, '.ts')}-${process.pid}.mjs`);
  try {
    await build({
      entryPoints: [path],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      conditions: ['@skep/source'],
      external: NATIVE,
      banner: { js: REQUIRE },
      logLevel: 'error',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(outfile, { force: true });
  }
}
