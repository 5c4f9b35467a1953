/**
 * The long runs: every benchmark with its full figures, and the properties with many more cases
 * than a test run has. Prints; quote the output in docs/performance.md.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { openbEvidence } from './openb-evidence.js';
import { ROOT } from './packages.js';

const REPEATS = 10;
const tsx = ['--conditions=@skep/source', '--import', 'tsx'];

console.log(`machine: ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, `);
console.log(`${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}`);

let failed = 0;
const benches = readdirSync(join(ROOT, 'bench'))
  // `openb` runs one trace at a time: see below.
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts' && file !== 'openb.ts')
  .map((file) => file.slice(0, -3))
  .sort();
for (const name of benches) {
  console.log(`\n# bench ${name}`);
  const result = spawnSync(process.execPath, [...tsx, 'bench/run.ts', name], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (result.status !== 0) failed += 1;
}

failed += openbEvidence();

console.log(`\n# properties, ${REPEATS} times, a new seed each`);
for (let round = 1; round <= REPEATS; round += 1) {
  const result = spawnSync('npx', ['jest', '--testNamePattern', 'after any sequence'], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, SKEP_PROPERTY_SEED: String(round), SKEP_PROPERTY_RUNS: '200' },
  });
  const summary = /^Tests:.*$/m.exec(result.stderr)?.[0] ?? result.stderr;
  console.log(`round ${round}: ${summary}`);
  if (result.status !== 0) {
    failed += 1;
    console.log(result.stderr);
  }
}
process.exitCode = failed === 0 ? 0 : 1;
