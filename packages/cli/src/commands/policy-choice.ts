/**
 * Policies by name, and from files of one's own.
 */
import { isAbsolute, resolve } from 'node:path';
import { messageOf } from '@skep/api';
import {
  balancedPolicy,
  kubernetesPolicy,
  leastAllocatedPolicy,
  mostAllocatedPolicy,
  swarmPolicy,
  tieBreakByRank,
  type Policy,
} from '@skep/scheduler';
import { openbPolicy, type Trace } from '@skep/testing';
import { CommandFault, type Surroundings } from '../surroundings.js';

/** What a policy may be made for. */
export interface PolicyContext {
  /** A policy that looks at the workload, or has ranks of nodes, takes them from here. */
  readonly trace: Trace;
  readonly seed: number;
}

type Make = (context: PolicyContext) => Policy;

const ranked = ({ trace: { nodeRanks } }: PolicyContext) =>
  nodeRanks === undefined ? {} : { tieBreak: tieBreakByRank(nodeRanks) };
const openb =
  (name: string): Make =>
  ({ trace, seed }) =>
    openbPolicy(name, trace, seed);

/** The policies that there are, by name. */
export const POLICY_NAMES: Readonly<Record<string, Make>> = Object.freeze({
  swarm: () => swarmPolicy(),
  'least-allocated': (context) => leastAllocatedPolicy(ranked(context)),
  'most-allocated': (context) => mostAllocatedPolicy(ranked(context)),
  balanced: (context) => balancedPolicy(ranked(context)),
  kubernetes: (context) => kubernetesPolicy(ranked(context)),
  'dot-product': openb('DotProd'),
  'best-fit': openb('BestFit'),
  'gpu-packing': openb('GpuPacking'),
  'gpu-clustering': openb('GpuClustering'),
  fgd: openb('FGD'),
  random: openb('Random'),
});

/** Names as they are in the paper. */
const ALIASES: Readonly<Record<string, string>> = {
  dotprod: 'dot-product',
  bestfit: 'best-fit',
  gpupacking: 'gpu-packing',
  gpuclustering: 'gpu-clustering',
};

/**
 * The policies that the words stand for: a name, or the path of a module whose default export (or
 * export `policy`, or `policies`) is a policy, a list of them, or a function from the trace and the
 * seed to either.
 * @throws CommandFault for a name that is none, and a module that cannot be used.
 */
export async function choosePolicies(
  words: readonly string[],
  context: PolicyContext,
  surroundings: Surroundings,
): Promise<readonly Policy[]> {
  const chosen: Policy[] = [];
  for (const word of words) {
    const make = named(word);
    if (make !== undefined) chosen.push(make(context));
    else if (/[./\\]/.test(word)) chosen.push(...(await fromModule(word, context, surroundings)));
    else {
      const known = Object.keys(POLICY_NAMES).join(', ');
      throw new CommandFault(
        `there is no policy '${word}' (known: ${known}; a file of your own: ./${word}.mjs)`,
      );
    }
  }
  return chosen;
}

function named(word: string): Make | undefined {
  const name = word.toLowerCase();
  const key = ALIASES[name] ?? name;
  return Object.hasOwn(POLICY_NAMES, key) ? POLICY_NAMES[key] : undefined;
}

async function fromModule(
  path: string,
  context: PolicyContext,
  { importModule, workingDirectory }: Surroundings,
): Promise<readonly Policy[]> {
  if (importModule === undefined) {
    throw new CommandFault(`${path}: modules cannot be loaded here (use the name of a policy)`);
  }
  let value: unknown;
  try {
    const found = await importModule(isAbsolute(path) ? path : resolve(workingDirectory, path));
    const { default: main, policy, policies } = found as Record<string, unknown>;
    const chosen = main ?? policy ?? policies;
    value = typeof chosen === 'function' ? (chosen as Make)(context) : chosen;
  } catch (thrown) {
    throw new CommandFault(`${path}: cannot be loaded: ${messageOf(thrown)}`);
  }
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((one) => checked(path, one));
}

function checked(path: string, value: unknown): Policy {
  const { name, filters, rank } = (value ?? {}) as Partial<Policy>;
  if (typeof name === 'string' && Array.isArray(filters) && Array.isArray(rank)) {
    return value as Policy;
  }
  throw new CommandFault(
    `${path}: exports no policy (export default { name, filters: […], rank: […] }, a list of ` +
      'such, or a function that gives one)',
  );
}
