/**
 * The entry of the command: real arguments, files, output.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { run } from './program.js';

process.exitCode = await run(process.argv.slice(2), {
  readFile: (path) => readFileSync(path),
  environment: process.env,
  workingDirectory: process.cwd(),
  homeDirectory: homedir(),
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
