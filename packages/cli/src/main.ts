/**
 * The entry of the command: real arguments, files, output.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { run } from './program.js';

// The reader of a pipe may leave before the end, as head does: no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await run(process.argv.slice(2), {
  readFile: (path) => readFileSync(path === '-' ? 0 : path),
  environment: process.env,
  workingDirectory: process.cwd(),
  homeDirectory: homedir(),
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  writeFile: (path, text) => writeFileSync(path, text),
  importModule: (path) => import(pathToFileURL(path).href),
  progress: process.stderr,
  clock: () => performance.now(),
});
