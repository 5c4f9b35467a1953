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

properties('after any sequence', { rounds: REPEATS, runs: 200 });
// Two and three managers, and members that share work: each run is a cluster for minutes.
properties('whatever happens to them|arbitrary interleavings', { rounds: 2, runs: 100 });
process.exitCode = failed === 0 ? 0 : 1;

/** Runs the tests whose names match, each round with a new seed. */
function properties(
  names: string,
  { rounds, runs }: { readonly rounds: number; readonly runs: number },
): void {
  console.log(`\n# properties (${names}), ${runs} runs, ${rounds} times, a new seed each`);
  for (let round = 1; round <= rounds; round += 1) {
    const result = spawnSync('npx', ['jest', '--testNamePattern', names], {
      cwd: ROOT,
      encoding: 'utf8',
      env: {
        ...process.env,
        SKEP_PROPERTY_SEED: String(round),
        SKEP_PROPERTY_RUNS: String(runs),
      },
    });
    const summary = /^Tests:.*$/m.exec(result.stderr)?.[0] ?? result.stderr;
    console.log(`round ${round}: ${summary}`);
    if (result.status !== 0) {
      failed += 1;
      console.log(result.stderr);
    }
  }
}
