/**
 * `npm run check`: every check, each on a line, the failing ones with their output. Names on the
 * command line choose some of them.
 */
import { spawnSync } from 'node:child_process';
import { ROOT } from './packages.js';

const tsx = ['node', '--conditions=@skep/source', '--import', 'tsx'];
const steps: readonly (readonly [name: string, command: readonly string[]])[] = [
  ['format', ['npx', 'prettier', '--check', '--log-level', 'warn', '.']],
  ['types', ['npx', 'tsc', '-p', 'tsconfig.check.json']],
  ['lint', ['npx', 'eslint', '.']],
  ['boundaries', ['npx', 'depcruise', '--config', '.dependency-cruiser.cjs', 'packages']],
  ['tidy', [...tsx, 'scripts/tidy.ts']],
  ['unused', ['npx', 'knip']],
  ['build', [...tsx, 'scripts/build.ts', '--clean']],
  ['api', [...tsx, 'scripts/api-reports.ts', '--check']],
  ['examples', [...tsx, 'scripts/examples.ts']],
  ['packages', [...tsx, 'scripts/package-checks.ts']],
];

const chosen = process.argv.slice(2);
let failed = 0;
let passed = 0;
for (const [name, [command = '', ...args]] of steps) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const started = Date.now();
  const result = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1e9 });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const isOk = result.status === 0;
  console.log(`${isOk ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  if (isOk) passed += 1;
  else {
    failed += 1;
    console.log(result.stdout + result.stderr);
  }
}
console.log(`checks: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
