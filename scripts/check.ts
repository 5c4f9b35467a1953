/**
 * `npm run check`: every check, each on a line, the failing ones with their output. Names on the
 * command line choose some of them.
 *
 * Two lanes run side by side. What needs the build stands after it in one lane; what must not see a
 * build come into being stands before it in the same lane, or reads sources alone.
 */
import { spawn } from 'node:child_process';
import { ROOT } from './packages.js';

type Step = readonly [name: string, command: readonly string[]];

const tsx = ['node', '--conditions=@skep/source', '--import', 'tsx'];
const lanes: readonly (readonly Step[])[] = [
  [
    ['format', ['npx', 'prettier', '--check', '--log-level', 'warn', '.']],
    ['types', ['npx', 'tsc', '-p', 'tsconfig.check.json']],
    ['lint', ['npx', 'eslint', '.']],
    ['examples', [...tsx, 'scripts/examples.ts']],
  ],
  [
    ['boundaries', ['npx', 'depcruise', '--config', '.dependency-cruiser.cjs', 'packages']],
    ['tidy', [...tsx, 'scripts/tidy.ts']],
    ['unused', ['npx', 'knip']],
    ['build', [...tsx, 'scripts/build.ts', '--clean']],
    ['api', [...tsx, 'scripts/api-reports.ts', '--check']],
    ['packages', [...tsx, 'scripts/package-checks.ts']],
  ],
];

function run([command = '', ...args]: readonly string[]): Promise<{ ok: boolean; out: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.stderr.on('data', (part: Buffer) => parts.push(part));
    child.on('error', (error) => resolve({ ok: false, out: String(error) }));
    child.on('close', (code) => {
      resolve({ ok: code === 0, out: Buffer.concat(parts).toString('utf8') });
    });
  });
}

const chosen = process.argv.slice(2);
const known = lanes.flat().map(([name]) => name);
const unknown = chosen.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`no check is named ${unknown.join(', ')}; there are: ${known.join(', ')}`);
  process.exit(2);
}

let failed = 0;
let passed = 0;

async function runLane(steps: readonly Step[]): Promise<void> {
  for (const [name, command] of steps) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    const started = Date.now();
    const { ok, out } = await run(command);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
    if (ok) passed += 1;
    else {
      failed += 1;
      console.log(out);
    }
  }
}

await Promise.all(lanes.map(runLane));
console.log(`checks: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
