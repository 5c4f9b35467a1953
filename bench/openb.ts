/**
 * One run of a trace of the OpenB form, through the public plugin interface: see
 * `shared/openb/README.md`. Prints one object, and not a line per figure.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { isSkepError } from '@skep/api';
import {
  OPENB_POLICIES,
  openbColumns,
  openbPolicy,
  openbTrace,
  parseOpenbNodes,
  parseOpenbPods,
  parseOrders,
  replay,
  shuffledOrder,
  type OpenbOrder,
  type TextFile,
  type Trace,
} from '@skep/testing/policy';
import type { BenchProgram } from './support/measure.js';

const USAGE = `usage: npm run --silent bench -- openb --nodes FILE --pods FILE [--orders FILE]
         --policy ${OPENB_POLICIES.join('|')} --seed N [--json]

  --nodes   csv: sn, cpu_milli, memory_mib, gpu, model
  --pods    csv: name, cpu_milli, memory_mib, num_gpu, gpu_milli [, gpu_spec]
  --orders  JSON: [{ seed, order, nodeRank }]; without it the seed shuffles and inflates
`;

interface Request {
  readonly nodes: string;
  readonly pods: string;
  readonly orders: string | undefined;
  readonly policy: string;
  readonly seed: number;
}

/** A wrong command line or file: its text is for whoever wrote it. */
class Complaint extends Error {}

async function main({
  args,
  isJson,
}: {
  args: readonly string[];
  isJson: boolean;
}): Promise<number> {
  try {
    if (args.includes('--help')) {
      process.stdout.write(USAGE);
      return 0;
    }
    const request = requestOf(args);
    const trace = await traceOf(request);
    process.stdout.write(
      isJson ? `${JSON.stringify(run(request, trace))}\n` : table(request, trace),
    );
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof Complaint) && !isSkepError(thrown)) throw thrown;
    process.stderr.write(`openb: ${thrown.message}\n\n${USAGE}`);
    return 2;
  }
}

function requestOf(args: readonly string[]): Request {
  const text = { type: 'string' } as const;
  const options = { nodes: text, pods: text, orders: text, policy: text, seed: text };
  const { values } = parsed(args, options);
  const { nodes, pods, orders, policy, seed } = values;
  const given = { nodes, pods, policy, seed };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === '') throw new Complaint(`--${name} is missing`);
  }
  if (!OPENB_POLICIES.some((name) => name === policy)) {
    const known = OPENB_POLICIES.join(', ');
    throw new Complaint(`--policy ${policy ?? ''}: no such policy; there are ${known}`);
  }
  if (!/^\d+$/.test(seed ?? '')) {
    throw new Complaint(`--seed ${seed ?? ''}: not a whole number from 0`);
  }
  return {
    nodes: nodes ?? '',
    pods: pods ?? '',
    orders,
    policy: policy ?? '',
    seed: Number(seed),
  };
}

function parsed<Options extends Record<string, { type: 'string' }>>(
  args: readonly string[],
  options: Options,
): { readonly values: { readonly [name in keyof Options]?: string } } {
  try {
    const { values } = parseArgs({ args: [...args], options });
    return { values: values };
  } catch (thrown) {
    throw new Complaint(thrown instanceof Error ? thrown.message : 'the options cannot be read');
  }
}

async function traceOf(request: Request): Promise<Trace> {
  const nodes = parseOpenbNodes(await fileOf(request.nodes));
  const pods = parseOpenbPods(await fileOf(request.pods));
  const order =
    request.orders === undefined
      ? shuffledOrder(nodes, pods, request.seed)
      : orderOf(await fileOf(request.orders), request.seed);
  return openbTrace({ name: request.pods, nodes, pods }, order);
}

async function fileOf(path: string): Promise<TextFile> {
  try {
    return { path, text: await readFile(path, 'utf8') };
  } catch (thrown) {
    throw new Complaint(thrown instanceof Error ? thrown.message : `cannot read ${path}`);
  }
}

function orderOf(file: TextFile, seed: number): OpenbOrder {
  const orders = parseOrders(file);
  const order = orders.find((one) => one.seed === seed);
  if (order !== undefined) return order;
  const seeds = orders.map((one) => one.seed).join(', ');
  throw new Complaint(`--seed ${seed}: the orders are for ${seeds === '' ? 'no seed' : seeds}`);
}

/** The run itself is timed; reading the files is not. */
function run({ policy, seed }: Request, trace: Trace) {
  const start = performance.now();
  const result = replay(trace, openbPolicy(policy, trace, seed));
  const columns = openbColumns(result);
  const ms = Math.round(performance.now() - start);
  return { policy, seed, ...columns, failed: result.failed, ms };
}

function table(request: Request, trace: Trace): string {
  const { allo, frag, fragRatio, failed, ms } = run(request, trace);
  const figure = (value: number | null | undefined): string =>
    (value?.toFixed(2) ?? '-').padStart(9);
  const row = (arrived: number): string =>
    [allo, frag, fragRatio].map((column) => figure(column[arrived])).join(' ');
  const arrived = [0, 25, 50, 75, 90, 100, 110, 120, 130];
  return [
    `${request.policy}, seed ${request.seed}: ${failed} dropped, ${ms} ms`,
    'arrived %  alloc %    frag %   ratio %',
    ...arrived.map((at) => `${String(at).padStart(9)}${row(at)}`),
    '',
  ].join('\n');
}

/** One run of a trace. Arguments: see {@link USAGE}. */
export const bench: BenchProgram = {
  name: 'openb',
  about: 'one run of a trace of the OpenB form by one policy (--help for the options)',
  main,
};
