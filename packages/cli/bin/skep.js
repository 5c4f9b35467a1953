#!/usr/bin/env node
// Runs the built command where there is one, and the sources through tsx in a clone.
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const built = new URL('../dist/main.js', import.meta.url);
const source = new URL('../src/main.ts', import.meta.url);

if (existsSync(built)) {
  await import(built.href);
} else {
  // Ctrl-C is the child's to answer: it has to put things away first.
  process.on('SIGINT', () => undefined);
  const child = spawnSync(
    process.execPath,
    [
      '--conditions=@skep/source',
      '--import',
      import.meta.resolve('tsx'),
      fileURLToPath(source),
      ...process.argv.slice(2),
    ],
    { stdio: 'inherit' },
  );
  process.exitCode = child.status ?? 1;
}
