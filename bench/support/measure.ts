/**
 * What a benchmark program exports, and how figures are made.
 */

/** One figure. */
export interface BenchResult {
  readonly case: string;
  /** What was measured, such as `time` or `rate`. */
  readonly metric: string;
  readonly value: number;
  /** `ns`, `us`, `ms`, `s`, `per s`, `MiB`, … */
  readonly unit: string;
}

/** What the command line says to a benchmark besides its name. */
export interface BenchOptions {
  /** Arguments after the name, without `--json`. */
  readonly args: readonly string[];
}

/** A benchmark program: `bench/NAME.ts` exports one as `bench`. */
export interface Bench {
  readonly name: string;
  /** One line for the list of names. */
  readonly about: string;
  run(options: BenchOptions): AsyncIterable<BenchResult> | Promise<readonly BenchResult[]>;
}

/** A benchmark that prints an answer of its own instead of figures. */
export interface BenchProgram extends Omit<Bench, 'run'> {
  /** Reads its own options; returns the exit status. */
  main(options: BenchOptions & { readonly isJson: boolean }): Promise<number>;
}

/** Milliseconds that `run` takes. */
export async function millisecondsOf(run: () => Promise<void> | void): Promise<number> {
  const before = process.hrtime.bigint();
  await run();
  return Number(process.hrtime.bigint() - before) / 1e6;
}

/** How a median is taken. */
export interface MedianOptions {
  /** Unmeasured runs before the measured ones. Default: 2. */
  readonly warmUps?: number;
  /** Measured runs. Default: 5; at least 3. */
  readonly runs?: number;
}

/** Median of what `run` returns, over several runs after a warm-up. */
export async function medianOf(
  run: () => Promise<number>,
  { warmUps = 2, runs = 5 }: MedianOptions = {},
): Promise<number> {
  for (let i = 0; i < warmUps; i += 1) await run();
  const values: number[] = [];
  for (let i = 0; i < Math.max(runs, 3); i += 1) values.push(await run());
  values.sort((a, b) => a - b);
  const middle = values.length >> 1;
  const upper = values[middle] ?? Number.NaN;
  return values.length % 2 === 1 ? upper : ((values[middle - 1] ?? Number.NaN) + upper) / 2;
}
