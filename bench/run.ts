/**
 * Runs a benchmark: `npm run --silent bench -- NAME [options] [--json]`.
 *
 * With `--json` it prints one JSON object a line: `{ "bench", "case", "metric", "value", "unit" }`;
 * without, a table. Without a name it lists the benchmarks. A benchmark may print an answer of its
 * own instead. Exit status: 0, or 2 for a name or an option that it does not know.
 */
import { readdir } from 'node:fs/promises';
import { importBundled } from './support/bundle.js';
import type { Bench, BenchProgram, BenchResult } from './support/measure.js';

const FOLDER = new URL('.', import.meta.url);

async function main(args: readonly string[]): Promise<number> {
  const names = await benchNames();
  const [name] = args.filter((arg) => !arg.startsWith('-'));
  if (name === undefined) {
    for (const known of names) {
      process.stdout.write(`${known.padEnd(16)} ${(await load(known)).about}\n`);
    }
    return 0;
  }
  if (!names.includes(name)) {
    process.stderr.write(`no benchmark is named '${name}'; there are: ${names.join(', ')}\n`);
    return 2;
  }
  const isJson = args.includes('--json');
  const bench = await load(name);
  const rest = args.filter((arg, at) => arg !== '--json' && at !== args.indexOf(name));
  if ('main' in bench) return await bench.main({ args: rest, isJson });
  const write = isJson ? writeJson : writeRow;
  const results = bench.run({ args: rest });
  if (Symbol.asyncIterator in results) {
    for await (const result of results) write(bench.name, result);
  } else {
    for (const result of await results) write(bench.name, result);
  }
  return 0;
}

/** Every `bench/NAME.ts` but this file. */
async function benchNames(): Promise<readonly string[]> {
  const files = await readdir(FOLDER);
  return files
    .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

async function load(name: string): Promise<Bench | BenchProgram> {
  const module = (await importBundled(new URL(`${name}.ts`, FOLDER))) as {
    readonly bench: Bench | BenchProgram;
  };
  return module.bench;
}

function writeJson(bench: string, result: BenchResult): void {
  const { metric, unit } = result;
  const value = Number(result.value.toPrecision(4));
  process.stdout.write(`${JSON.stringify({ bench, case: result.case, metric, value, unit })}\n`);
}

function writeRow(bench: string, { case: name, metric, value, unit }: BenchResult): void {
  const figure = value.toPrecision(4).padStart(12);
  process.stdout.write(
    `${bench.padEnd(12)} ${name.padEnd(28)} ${metric.padEnd(10)} ${figure} ${unit}\n`,
  );
}

process.exitCode = await main(process.argv.slice(2));
