/**
 * A benchmark in a process of its own, under limits that only a whole process can have.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BenchResult } from './measure.js';

/**
 * What `npm run bench` prints for a benchmark with these arguments, run by an engine with these
 * flags besides those of this process.
 */
export async function runAlone(
  name: string,
  { flags, args }: { readonly flags: readonly string[]; readonly args: readonly string[] },
): Promise<readonly BenchResult[]> {
  const [, program = ''] = process.argv;
  const words = [...process.execArgv, ...flags, program, name, ...args, '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as BenchResult);
}

/** The most memory that this process ever held. */
export function peakMemoryMiB(): number {
  return process.resourceUsage().maxRSS / 1024;
}
