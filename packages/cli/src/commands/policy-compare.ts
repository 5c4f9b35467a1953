/**
 * `skep policy compare`: several policies on one trace.
 */
import { messageOf } from '@skep/api';
import { comparePolicies, type Comparison } from '@skep/testing';
import { CommandFault, EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { progressBar } from '../views/progress.js';
import { choosePolicies } from './policy-choice.js';
import { readTrace, type TraceOptions } from './policy-input.js';

/** Options of `skep policy compare`. */
export interface PolicyCompareOptions extends TraceOptions {
  readonly policy?: readonly string[];
  readonly kind?: string;
  readonly json?: boolean;
  /** A file for the page; `.json` and `.txt` write those forms. */
  readonly output?: readonly string[];
}

/** Policies that are compared when none is named. */
const USUAL = ['swarm', 'least-allocated', 'most-allocated', 'best-fit', 'fgd'];

/** Prints the comparison, and writes it where it is asked for. */
export async function policyCompare(
  options: PolicyCompareOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const trace = readTrace(options, surroundings);
  const context = { trace, seed: options.seed };
  const policies = await choosePolicies(options.policy ?? USUAL, context, surroundings);
  const { clock, progress } = surroundings;
  const bar = progressBar(progress, trace.events.length * policies.length);
  let comparison: Comparison;
  try {
    comparison = comparePolicies(trace, policies, {
      ...(options.kind === undefined ? {} : { kind: options.kind }),
      onProgress: ({ policy, done }) => bar.update(done, policy),
      ...(clock === undefined ? {} : { clock }),
    });
  } finally {
    bar.stop();
  }
  for (const path of options.output ?? []) write(path, comparison, surroundings);
  const text = options.json === true ? jsonOf(comparison) : comparison.toTable();
  surroundings.out(`${text}\n`);
  return EXIT.ok;
}

function write(path: string, comparison: Comparison, { writeFile }: Surroundings): void {
  if (writeFile === undefined) throw new CommandFault(`${path}: files cannot be written here`);
  try {
    writeFile(path, formOf(path, comparison));
  } catch (thrown) {
    throw new CommandFault(`${path}: cannot be written: ${messageOf(thrown)} (check the path)`);
  }
}

function formOf(path: string, comparison: Comparison): string {
  if (/\.json$/i.test(path)) return `${jsonOf(comparison)}\n`;
  return /\.txt$/i.test(path) ? `${comparison.toTable()}\n` : comparison.toHtml();
}

function jsonOf(comparison: Comparison): string {
  return JSON.stringify(comparison, null, 2);
}
