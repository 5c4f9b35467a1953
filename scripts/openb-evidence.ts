/**
 * The published runs of the OpenB experiments, whole: every policy that can be exact, on both
 * traces
 * and seeds at hand, against all columns of the published tables. Part of `npm run evidence`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './packages.js';

const SHARED = join(ROOT, '..', 'shared', 'openb');
const POLICIES = ['DotProd', 'GpuClustering', 'GpuPacking', 'BestFit', 'FGD'] as const;
/**
 * Tolerances of `shared/openb/README.md`, tier 1, with room for the rounding of binary fractions.
 */
const TABLES = [
  { name: 'allo', file: 'expected_allo.csv', tolerance: 0.011 },
  { name: 'frag', file: 'expected_frag.csv', tolerance: 0.011 },
  { name: 'fragRatio', file: 'expected_frag_ratio.csv', tolerance: 0.01 },
] as const;

interface Run {
  readonly allo: readonly number[];
  readonly frag: readonly number[];
  readonly fragRatio: readonly number[];
  readonly failed: number;
  readonly ms: number;
}

/** Prints a line a run; returns how many missed a column. Nothing without the data. */
export function openbEvidence(): number {
  console.log('\n# OpenB: largest difference from the published columns');
  if (!existsSync(SHARED)) {
    console.log('skipped: ../shared/openb is not here');
    return 0;
  }
  let missed = 0;
  for (const trace of ['default', 'gpuspec33']) {
    for (const seed of [42, 43]) {
      for (const policy of POLICIES) missed += judge(trace, seed, policy) ? 0 : 1;
    }
  }
  return missed;
}

function judge(trace: string, seed: number, policy: string): boolean {
  const run = runOf(trace, seed, policy);
  const differences = TABLES.map(({ name, file, tolerance }) => {
    const expected = rowOf(file, { trace, seed, policy });
    const most = Math.max(...expected.map((value, at) => Math.abs(value - (run[name][at] ?? NaN))));
    return {
      text: `${name} ${most.toFixed(4)}`,
      isRight: expected.length === 131 && most <= tolerance,
    };
  });
  const isRight = differences.every((one) => one.isRight);
  const figures = differences.map(({ text }) => text).join('  ');
  console.log(
    `${trace.padEnd(10)} ${seed} ${policy.padEnd(14)} ${figures}  ` +
      `dropped ${run.failed}  ${run.ms} ms${isRight ? '' : '  MISSED'}`,
  );
  return isRight;
}

function runOf(trace: string, seed: number, policy: string): Run {
  const file = (name: string): string => join(SHARED, name);
  const options = [
    ['--nodes', file('openb_node_list_gpu_node.csv')],
    ['--pods', file(`openb_pod_list_${trace}.csv`)],
    ['--orders', file(`orders-${trace}.json`)],
    ['--policy', policy],
    ['--seed', String(seed)],
  ].flat();
  const node = ['--conditions=@skep/source', '--import', 'tsx', 'bench/run.ts', 'openb', '--json'];
  const result = spawnSync(process.execPath, [...node, ...options], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (result.status !== 0) throw new Error(result.stderr);
  return JSON.parse(result.stdout) as Run;
}

/** The last 131 fields of the row of this run. */
function rowOf(
  file: string,
  run: { readonly trace: string; readonly seed: number; readonly policy: string },
): readonly number[] {
  const row = readFileSync(join(SHARED, file), 'utf8')
    .split('\n')
    .map((line) => line.split(','))
    .find(
      ([trace, policy, , seed]) =>
        trace === `openb_pod_list_${run.trace}` &&
        policy?.endsWith(`-${run.policy}`) === true &&
        Number(seed) === run.seed,
    );
  return (row ?? []).slice(-131).map(Number);
}
